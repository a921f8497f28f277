"""Whether the bytes of what a page lists are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localpi.simple.links import METADATA_SUFFIX, ref_of
from localpi.simple.names import is_sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.simple.model import File
    from localpi.simple.names import Sha256
    from localpi.store import Store


class Presence:
    """Looks at the disk: what is written in the database is only a claim. 3 µs for a file with a sha256."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, source: str) -> Callable[[File, bool], bool]:
        """Return what says of a file of that source whether it is here, or (True) its core metadata."""

        def is_here(file: File, metadata: bool) -> bool:  # noqa: FBT001 - the face that offline_view.py asks for
            return self._has(source, file, metadata=metadata)

        return is_here

    def has_file(self, source: str, entry: Mapping[str, Any]) -> bool:
        """Say whether the bytes of one file are here."""
        return self._has(source, entry, metadata=False)

    def _has(self, source: str, entry: Mapping[str, Any], *, metadata: bool) -> bool:
        digests = entry.get("hashes", {})
        if metadata:
            core = entry.get("core-metadata")
            digests = core if isinstance(core, dict) else {}
        sha256 = digests.get("sha256", "")
        if is_sha256(sha256):
            return self._store.files.has(sha256) is not None
        return self._has_link(source, entry, METADATA_SUFFIX if metadata else "")

    def _has_link(self, source: str, entry: Any, suffix: str) -> bool:
        link = str(entry["url"])
        key = link.rpartition("/")[0].rpartition("/+e/")[2] if link.startswith("/") else ref_of(entry).key
        if "/+f/" in link:
            key = "".join(link.rpartition("/")[0].rpartition("/+f/")[2].split("/"))
        row = self._store.cached.find(source, key, entry["filename"] + suffix)
        sha256: Sha256 | None = row.sha256 if row is not None else None
        return sha256 is not None and self._store.files.has(sha256) is not None
