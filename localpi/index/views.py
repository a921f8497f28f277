"""Projects and releases as devpi's client lists them: metadata, links with their logs, and what shadows what.

DEVPI 2, `list`: the first index in the order of resolution wins a version, later ones stand under `+shadowing`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from localpi.errors import InvalidName, ProjectNotFound
from localpi.index.waiting import Waiting
from localpi.simple.links import INDEX_SAFE
from localpi.simple.names import parse_filename
from localpi.simple.render import load_page
from localpi.store.file_log import read_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from localpi.index.pages import Pages
    from localpi.simple.model import File, Page
    from localpi.simple.names import ProjectName
    from localpi.store import Store
    from localpi.store.attachments import AttachmentRow
    from localpi.store.releases import FileRow

Release = dict[str, Any]

TEXTS = (
    "name", "version", "metadata_version", "summary", "home_page", "author", "author_email", "maintainer",
    "maintainer_email", "license", "description", "keywords", "download_url", "comment", "requires_python",
    "description_content_type", "license_expression",
)  # fmt: skip
LISTS = (
    "platform", "classifiers", "supported_platform", "provides", "requires", "obsoletes", "project_urls",
    "provides_dist", "obsoletes_dist", "requires_dist", "requires_external", "provides_extras", "dynamic",
    "license_file",
)  # fmt: skip
"""The keys that a release has with devpi, be they set or not."""

UNSET: Release = dict.fromkeys(TEXTS, "") | {key: [] for key in LISTS}


class Views:
    """Makes devpi's JSON of projects; never waits for the network."""

    def __init__(self, pages: Pages, store: Store) -> None:
        self._pages, self._store = pages, store

    def project(
        self, index: str, project: ProjectName, *, root: str, asked_at: float, own: bool = False
    ) -> dict[str, Release] | Waiting:
        """Return version -> release, versions as uploaded; with `own` those of this very index alone.

        `root` is the daemon's absolute URL without a final slash. Raises IndexNotFound, ProjectNotFound, CannotKnow.
        """
        sources = self._pages.sources(index, project, asked_at=asked_at, own=own)
        if isinstance(sources, Waiting):
            return sources
        found = [self._of_stage(name, project, rows, root) for name, rows in sources.stages]
        found += [of_mirror(load_page(self._pages.body(mirror, project)), root) for mirror, _ in sources.looks]
        if not found:
            inherited = self._pages.sources(index, project, asked_at=asked_at) if own else None
            if isinstance(inherited, Waiting):
                return inherited
            if inherited is None or not (inherited.stages or inherited.looks):
                raise ProjectNotFound(index, project)
        return shadowed(found)

    def _of_stage(self, index: str, project: ProjectName, rows: Iterable[FileRow], root: str) -> dict[str, Release]:
        metadata = self._store.releases.metadata(index, project)
        releases: dict[str, Release] = {
            version: {**UNSET, **known, "version": version, "+links": []} for version, known in metadata.items()
        }
        yanked: dict[str, list[str | None]] = {}
        for row in rows:
            if row.version in releases:  # else it came between the two readings
                releases[row.version]["+links"].append(_file_link(row, root))
                yanked.setdefault(row.version, []).append(row.yanked)
        for attachment in self._store.attachments.of_project(index, project):
            if attachment.version in releases:
                releases[attachment.version]["+links"].append(_attachment_link(attachment, root))
        for version, marks in yanked.items():
            if all(mark is not None for mark in marks):
                releases[version]["yanked"] = next((mark for mark in marks if mark), True)
        return releases


def shadowed(found: Iterable[Mapping[str, Release]]) -> dict[str, Release]:
    """Join the views of several indexes, in the order in which they answer."""
    joined: dict[str, Release] = {}
    for releases in found:
        for version, release in releases.items():
            first = joined.setdefault(version, release)
            if first is not release:
                first.setdefault("+shadowing", []).append(release)
    return joined


def of_mirror(page: Page, root: str) -> dict[str, Release]:
    """Return the releases on a page; files whose names have no version (old formats) are left out."""
    releases: dict[str, Release] = {}
    for file in page["files"]:
        try:
            version = parse_filename(file["filename"]).version
        except InvalidName:
            continue
        release = releases.setdefault(version, {"name": page["name"], "version": version, "+links": []})
        if "requires-python" in file:
            release.setdefault("requires_python", file["requires-python"])
        if file.get("yanked"):
            release["yanked"] = file["yanked"]
        release["+links"].append(_page_link(file, root))
    return releases


def file_url(root: str, index: str, key: str, filename: str) -> str:
    """Return the absolute URL of a file; `key` are the 16 hex digits below `+f`."""
    return f"{root}/{quote(index, safe=INDEX_SAFE)}/+f/{key[:3]}/{key[3:]}/{quote(filename, safe='')}"


def _file_link(row: FileRow, root: str) -> dict[str, Any]:
    href = file_url(root, row.index, row.sha256[:16], row.filename)
    return {"rel": "releasefile", "href": href, **_hashes(row.sha256), "log": read_log(row)}


def _attachment_link(row: AttachmentRow, root: str) -> dict[str, Any]:
    link = {"rel": row.rel, "href": file_url(root, row.index, row.key, row.filename), **_hashes(row.sha256)}
    if row.of_filename is not None:
        link["for_href"] = file_url(root, row.index, row.key, row.of_filename)
    return link | {"log": json.loads(row.log)}


def _page_link(file: File, root: str) -> dict[str, Any]:
    link: dict[str, Any] = {"rel": "releasefile", "href": root + file["url"], "hashes": dict(file["hashes"])}
    if sha256 := file["hashes"].get("sha256"):
        link["hash_spec"] = f"sha256={sha256}"
    return link


def _hashes(sha256: str) -> dict[str, Any]:
    return {"hash_spec": f"sha256={sha256}", "hashes": {"sha256": sha256}}
