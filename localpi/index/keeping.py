"""What stays when an upstream takes it away or changes it, and names that two bases have: noted, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from localpi.index.offline_view import without_absent_metadata
from localpi.index.succession import losses
from localpi.simple.parse import parse_page
from localpi.store.kept import KeptFile
from localpi.upstream.bodies import decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.journal import Journal
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.presence import Presence
    from localpi.simple.model import File, Page
    from localpi.store import Store
    from localpi.store.pages import StoredPage


class Keeping:
    """Compares a page with the one before it. `others(name)` gives the mirrors that are bases beside that one."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        presence: Presence,
        others: Callable[[str], tuple[MirrorIndex, ...]],
        now_us: Callable[[], int],
    ) -> None:
        self._store, self._journal, self._presence = store, journal, presence
        self._others, self._now_us = others, now_us

    def compare(self, mirror: MirrorIndex, older: Page | None, newer: Page | None) -> None:
        """Keep what the older page had and the newer one has not, or has with another hash; None is no page at all.

        Both with the upstream's absolute URLs. A quarantined page takes nothing away: its files are only not offered.
        """
        page = newer or older
        if page is None or (newer is not None and newer.get("project-status", {}).get("status") == "quarantined"):
            return
        project = page["name"]
        kept = {file.filename: file for file in self._store.kept.of(mirror.source, project)}
        files = {file["filename"]: file for file in (older["files"] if older is not None else ())}
        files |= {name: cast("File", file.entry) for name, file in kept.items()}
        found: list[KeptFile] = []
        for loss in losses(files.values(), newer["files"] if newer is not None else ()):
            known = kept.get(loss.filename)
            if known is not None and known.why == loss.why:
                found.append(known)
            elif loss.why == "changed":
                found.append(KeptFile(loss.filename, "changed", self._now_us(), dict(loss.entry)))
                text = f"{mirror.name} has other bytes for {loss.filename} than before; they are refused"
                self._journal.note("changed", text, index=mirror.name, project=project)
            elif self._presence.has_file(mirror.source, loss.entry):
                # Core metadata that is not here cannot be had from there any more: it is read from the wheel.
                entry = without_absent_metadata(loss.entry, self._presence.of(mirror.source))
                found.append(KeptFile(loss.filename, "gone", self._now_us(), dict(entry)))
                text = f"{mirror.name} has {loss.filename} no more; it stays here, yanked"
                self._journal.note("gone", text, index=mirror.name, project=project)
        self._store.kept.replace_later(mirror.source, project, found)

    def look_for_namesakes(self, mirror: MirrorIndex, stored: StoredPage) -> None:
        """Report a name that another base has as well, with other files: one of them may be a stranger's."""
        hashes: set[str] | None = None
        for other in self._others(mirror.name):
            if other.source == mirror.source or not self._store.seen.has(other.source, stored.project):
                continue
            theirs = self._store.pages.get(other.source, stored.project)
            hashes = _hashes(stored) if hashes is None else hashes
            if theirs is None or hashes.isdisjoint(_hashes(theirs)):
                text = f"{stored.project} is on {other.name} and on {mirror.name}, with different files"
                self._journal.note("collision", text, index=mirror.name, project=stored.project)


def _hashes(stored: StoredPage) -> set[str]:
    """Return the digests of the files; those of core metadata may be the same for different files."""
    page = parse_page(decoded(stored.body, stored.encoding), stored.content_type, stored.project, stored.url)
    return {digest for file in page["files"] for digest in file["hashes"].values()}
