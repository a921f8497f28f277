"""What a mirror's page gets here that its upstream does not say: core metadata of wheels, sizes, upload times.

Core metadata can be read from any wheel (metadata_files.py): a page says `true` until that has been done, then its
sha256 (PEP 714 has both). Size and upload time are copied where another base's page has them for the same sha256.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from localpi.errors import InvalidPage
from localpi.simple.links import METADATA_SUFFIX
from localpi.simple.parse import is_json, parse_page
from localpi.upstream.bodies import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from localpi.index.mirror_index import MirrorIndex
    from localpi.simple.model import File, Page
    from localpi.simple.names import ProjectName, Sha256
    from localpi.store import Store
    from localpi.store.pages import StoredPage


class Announcing:
    """Completes rendered pages. `others(name)` gives the mirrors that are bases beside that one. Thread-safe."""

    def __init__(self, store: Store, others: Callable[[str], tuple[MirrorIndex, ...]]) -> None:
        self._store, self._others = store, others
        self._lock = threading.Lock()
        self._news: set[tuple[str, ProjectName]] = set()

    def complete(self, mirror: MirrorIndex, page: Page) -> Page:
        """Add what is known to a page with our links, in place.

        A mirror that hands files on (`mirror_use_external_urls`) offers the core metadata that its upstream has.
        """
        files = page["files"]
        if not mirror.config.mirror_use_external_urls:
            self._announce(mirror.source, page["name"], files)
        lacking = [file for file in files if "size" not in file or "upload-time" not in file]
        if lacking:
            self._copy_facts(mirror, cast("ProjectName", page["name"]), lacking)
        return page

    def depending(self, mirror: MirrorIndex, stored: StoredPage) -> tuple[MirrorIndex, ...]:
        """Name the mirrors whose page of the same project can copy from this one: it is new."""
        return self._others(mirror.name) if is_json(stored.content_type) else ()

    def tellers(self, mirror: MirrorIndex, project: ProjectName, files: Iterable[File]) -> dict[str, str]:
        """Say of each file of a completed page by file name who told its upload time.

        The mirror's own name, that of the mirror whose file has the same sha256, or "" where it is not known.
        """
        stored = self._store.pages.get(mirror.source, project)
        own = _files_of(stored) if stored is not None and is_json(stored.content_type) else []
        telling = [(mirror.name, {file["filename"] for file in own if "upload-time" in file}, set[str]())]
        for name, known in self._pages_beside(mirror, project):
            digests = {file["hashes"].get("sha256", "") for file in known if "upload-time" in file}
            telling.append((name, set(), digests - {""}))
        found = {}
        for file in files:
            filename, digest = file["filename"], file["hashes"].get("sha256", "")
            told = (name for name, names, digests in telling if filename in names or digest in digests)
            found[filename] = next(told, mirror.name) if "upload-time" in file else ""
        return found

    def has_read(self, source: str, project: ProjectName) -> None:
        """Note that the sha256 of a file's core metadata is known now."""
        with self._lock:
            self._news.add((source, project))

    def take_news(self) -> tuple[tuple[str, ProjectName], ...]:
        """Give (source, project) of the pages that could say more than they do, once."""
        with self._lock:
            news, self._news = self._news, set()
        return tuple(news)

    def _announce(self, source: str, project: str, files: Iterable[File]) -> None:
        wheels = [file for file in files if file["filename"].endswith(".whl") and "core-metadata" not in file]
        if not wheels:
            return
        known, unusable = self._known_hashes(source, cast("ProjectName", project)), self._store.unusable
        for file in wheels:
            filename = file["filename"]
            if filename not in known and not unusable:
                file["core-metadata"] = True
                continue
            key = _key_of(file["url"])
            if unusable.has(source, key, filename):
                continue
            sha256 = known.get(filename, {}).get(key)
            file["core-metadata"] = {"sha256": sha256} if sha256 else True

    def _known_hashes(self, source: str, project: ProjectName) -> dict[str, dict[str, Sha256]]:
        """Return file name -> key -> sha256 of the core metadata."""
        known: dict[str, dict[str, Sha256]] = {}
        for row in self._store.cached.of_project(source, project):
            if row.filename.endswith(METADATA_SUFFIX):
                known.setdefault(row.filename.removesuffix(METADATA_SUFFIX), {})[row.key] = row.sha256
        return known

    def _copy_facts(self, mirror: MirrorIndex, project: ProjectName, lacking: Iterable[File]) -> None:
        for _, known in self._pages_beside(mirror, project):
            copy_facts(lacking, known)

    def _pages_beside(self, mirror: MirrorIndex, project: ProjectName) -> Iterator[tuple[str, list[File]]]:
        """Yield the other mirrors that have a page of the project in JSON (HTML has neither), and its files."""
        for other in self._others(mirror.name):
            if other.source == mirror.source:
                continue
            head = self._store.pages.head(other.source, project)
            if head is None or head.status != "present" or not is_json(head.content_type):
                continue
            stored = self._store.pages.get(other.source, project)
            if stored is not None:
                yield other.name, _files_of(stored)


def copy_facts(files: Iterable[File], known: Iterable[File]) -> None:
    """Give files without `size` or `upload-time` those of the files that have the same sha256."""
    facts = {sha256: file for file in known if (sha256 := file["hashes"].get("sha256"))}
    for file in files:
        found = facts.get(file["hashes"].get("sha256", ""))
        if found is None:
            continue
        if "size" in found:
            file.setdefault("size", found["size"])
        if "upload-time" in found:
            file.setdefault("upload-time", found["upload-time"])


def _files_of(stored: StoredPage) -> list[File]:
    try:
        body = decoded(stored.body, stored.encoding)
        return parse_page(body, stored.content_type, stored.project, stored.url)["files"]
    except InvalidPage:
        return []


def _key_of(link: str) -> str:
    """Give the folder of our own link: 16 hex digits, or the cleaned origin."""
    area, _, folder = link.rpartition("/")[0].rpartition("/+")[2].partition("/")
    return folder.replace("/", "") if area == "f" else folder
