"""A backup taken apart: every member is one that a backup may have, as long as it says, and what its digest says."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from localpi.errors import BackupDamaged
from localpi.settings.backup import FORMAT, HEAD, MANIFEST, MOST_JSON, MOST_NAMED, belongs, digest_in, is_member
from localpi.store.durable import check_room, make_folder, raise_disk_full

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from localpi.settings.paths import Paths

STAGING = "restoring"
"""Folder in each of ours that has what is about to be restored into it."""

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What lies in the staging folders: when and by which localpi it was made, its members, their bytes."""

    made_at: str
    version: str
    names: tuple[str, ...]
    bytes: int


def unpack(archive: Path, paths: Paths, tell: Callable[[int, int], None]) -> Unpacked:
    """Write the members of a backup into the staging folders, which are new.

    `tell` is given the bytes done and those in all. Raises `BackupDamaged`, `DiskFull`, OSError.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            return _unpack(tar, paths, tell)
    except (tarfile.TarError, ValueError, RecursionError) as error:  # ValueError: a header that makes no sense
        raise BackupDamaged(f"{archive}: {error}") from None
    except OSError as error:
        raise_disk_full(error)
        raise


def _unpack(tar: tarfile.TarFile, paths: Paths, tell: Callable[[int, int], None]) -> Unpacked:
    head = _read_json(tar, tar.next(), HEAD)
    if head.get("format") not in range(1, FORMAT + 1):
        error = BackupDamaged(f"it has the format {str(head.get('format'))[:20]}, this localpi reads {FORMAT}")
        error.hint = "restore it with the localpi that made it, or a newer one"
        raise error
    announced = _count(head, "bytes")
    check_room(paths.data, announced)
    digests: dict[str, str] = {}
    size = 0
    while (member := tar.next()) is not None and member.name != MANIFEST:
        size += member.size
        if member.name in digests or size > announced or len(digests) >= _count(head, "files"):
            raise BackupDamaged(f"{member.name[:100]}: more than the backup says that it has")
        digests[member.name] = _unpack_member(tar, member, paths)
        tell(size, announced)
    _check_manifest(_read_json(tar, member, MANIFEST), digests, size)
    return Unpacked(str(head.get("made_at"))[:40], str(head.get("localpi"))[:40], tuple(digests), size)


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, paths: Paths) -> str:
    """Write one member, and return its sha256."""
    name = member.name
    if not member.isreg() or not is_member(name) or member.size > MOST_NAMED.get(name, 1 << 40):
        raise BackupDamaged(f"{name[:100]!r} is nothing that a backup has")
    folder, path = belongs(paths, name)
    target = folder / STAGING / path
    make_folder(target.parent)
    source = tar.extractfile(member)
    digest = hashlib.sha256()
    with target.open("xb") as file:
        target.chmod(0o600)
        while source is not None and (piece := source.read(_PIECE)):
            digest.update(piece)
            file.write(piece)
        if file.tell() != member.size:
            raise BackupDamaged(f"{name} is cut off")
    found = digest.hexdigest()
    if digest_in(name) not in (None, found):
        raise BackupDamaged(f"{name} has another digest than its name says")
    return found


def _check_manifest(manifest: Mapping[str, Any], digests: Mapping[str, str], size: int) -> None:
    named = {name: digest for name, digest in digests.items() if digest_in(name) is None}
    if (_count(manifest, "files"), _count(manifest, "bytes")) != (len(digests), size):
        raise BackupDamaged("it lacks files that it says it has")
    if manifest.get("digests") != named:
        raise BackupDamaged("its database or settings have other digests than it says")


def _read_json(tar: tarfile.TarFile, member: tarfile.TarInfo | None, name: str) -> dict[str, Any]:
    if member is None or member.name != name or not member.isreg() or member.size > MOST_JSON:
        what = "it does not begin as a backup does" if name == HEAD else "its end is missing"
        raise BackupDamaged(what)
    file: BinaryIO | None = tar.extractfile(member)  # type: ignore[assignment]  # IO[bytes]
    try:
        found = json.loads(file.read(MOST_JSON)) if file is not None else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BackupDamaged(f"{name} cannot be read")
    return found


def _count(facts: Mapping[str, Any], key: str) -> int:
    value = facts.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BackupDamaged(f"it does not say how many {key} it has")
    return value
