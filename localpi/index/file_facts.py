"""What is known of a file, its bytes aside: devpi's `releasefilemeta`. Never asks an upstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import FileGone, FileNotHere, InvalidName
from localpi.index.mirror_index import mirror_index
from localpi.index.wanted import find_listed
from localpi.simple.names import parse_filename, project_candidates

if TYPE_CHECKING:
    from localpi.index.registry import Registry
    from localpi.simple.links import FileRef
    from localpi.store import Store


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file: `sha256` and `stored_us` (integer microseconds UTC) None where a mirror does not say."""

    project: str
    version: str
    sha256: str | None
    stored_us: int | None


class Facts:
    """Looks files up by their URLs."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store, self._registry = store, registry

    def find(self, index: str, ref: FileRef) -> FileFacts:
        """Return what is known. Raises `IndexNotFound`, `FileNotHere`, `FileGone`."""
        found = self._registry.get(index)
        if found.mirror is not None:
            mirror = mirror_index(index, found.mirror)
            for project in project_candidates(ref.filename):
                listed = find_listed(self._store, mirror, project, ref)
                if listed is not None:
                    return FileFacts(project, _version(ref.filename), listed["hashes"].get("sha256"), None)
        row = self._store.releases.file(index, ref.key, ref.filename)
        if row is not None:
            return FileFacts(row.project, row.version, row.sha256, row.uploaded_us)
        attached = self._store.attachments.find(index, ref.key, ref.filename)
        if attached is not None:
            return FileFacts(attached.project, attached.version, attached.sha256, attached.stored_us)
        raise absent(self._store, index, ref)


def absent(store: Store, index: str, ref: FileRef) -> FileGone | FileNotHere:
    """Return the error for a file that a stage does not have: it had, or it never had."""
    gone = store.releases.was_deleted(index, ref.filename)
    return FileGone(index, ref.filename) if gone else FileNotHere(index, ref.filename)


def _version(filename: str) -> str:
    try:
        return parse_filename(filename).version
    except InvalidName:
        return ""
