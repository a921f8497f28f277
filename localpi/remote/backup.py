"""Writing a backup: the daemon makes a copy ready, this program packs it into one file, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tarfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from localpi import __version__
from localpi.errors import BadRequest, Conflict, DiskFull
from localpi.remote.daemon import RemoteError
from localpi.settings.backup import FORMAT, HEAD, MANIFEST, backups_folder, digest_in, is_member
from localpi.settings.private import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from localpi.remote.daemon import Daemon
    from localpi.settings.paths import Paths

PREPARE_S = 660.0
_MODE = 0o600


@dataclass(slots=True)
class BackedUp:
    """What was written; `missing` are hashes of files that an index has and the disk has not."""

    path: str
    files: int = 0
    bytes: int = 0
    missing: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)


def back_up(daemon: Daemon, paths: Paths, target: Path, *, cache: bool, tell: Callable[[int, int], None]) -> BackedUp:
    """Write everything that is the person's own into `target` (0600: password hashes and secrets are in it).

    `tell` is given the bytes written so far and those in all. A backup that is there is replaced at the end, in one
    step. Raises `BadRequest` without a folder for it, `Conflict` when something else is there, `DiskFull`,
    `DaemonNotRunning`, `RemoteError`, OSError.
    """
    if target.exists() and not is_backup(target):
        raise Conflict(f"{target} is there, and is no backup")
    if not target.absolute().parent.is_dir():
        raise BadRequest(f"there is no folder {target.parent}")
    prepared = daemon.admin("POST", "/backup", {"cache": cache}, timeout_s=PREPARE_S)
    done = BackedUp(str(target), missing=tuple(prepared["missing"]))
    half = target.with_name(f".{target.name}.{os.getpid()}.half")
    with ExitStack() as stack:
        stack.callback(_clear, daemon, prepared["id"])
        stack.callback(half.unlink, missing_ok=True)
        try:
            members = list(_members(backups_folder(paths) / prepared["id"], paths))
            with open(_make_private(half), "wb") as file:
                _pack(file, members, done, tell)
                file.flush()
                os.fsync(file.fileno())
            half.replace(target)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(f"no room for the backup in {target.parent}") from error
            raise
        sync_folder(target.absolute().parent)
    return done


def is_backup(path: Path) -> bool:
    """Say whether a file begins as a backup does."""
    try:
        with tarfile.open(path, "r:") as archive:
            first = archive.next()
    except (OSError, tarfile.TarError, ValueError, RecursionError):  # the last two: headers that make no sense
        return False
    return first is not None and first.name == HEAD


def _make_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)


def _clear(daemon: Daemon, name: str) -> None:
    with suppress(RemoteError, OSError):
        daemon.admin("DELETE", f"/backup/{name}")


def _members(folder: Path, paths: Paths) -> Iterator[tuple[str, Path]]:
    """Give each member and where its bytes are; the databases first."""
    settings = [paths.config_file, paths.credentials_file, paths.secret_file]
    found = [(path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file()]
    named = [(path.name, path) for path in settings if path.is_file()]
    for name, path in sorted(named + found, key=lambda member: (digest_in(member[0]) is not None, member[0])):
        if is_member(name):
            yield name, path


def _pack(file: BinaryIO, members: list[tuple[str, Path]], done: BackedUp, tell: Callable[[int, int], None]) -> None:
    total = sum(path.stat().st_size for _, path in members)
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    head = {"format": FORMAT, "localpi": __version__, "made_at": made_at, "files": len(members), "bytes": total}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        _add_json(archive, HEAD, head)
        for name, path in members:
            with path.open("rb") as source:
                hashing = _Hashing(source)
                archive.addfile(_describe(name, os.fstat(source.fileno()).st_size), cast("BinaryIO", hashing))
            if digest_in(name) is None:
                done.digests[name] = hashing.digest.hexdigest()
            done.files += 1
            done.bytes += hashing.size
            tell(done.bytes, total)
        _add_json(archive, MANIFEST, {"files": done.files, "bytes": done.bytes, "digests": done.digests})


class _Hashing:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest, self.size = hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        """Read, as files do."""
        data = self._file.read(size)
        self.digest.update(data)
        self.size += len(data)
        return data


def _describe(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, _MODE, int(time.time())
    return member


def _add_json(archive: tarfile.TarFile, name: str, value: dict[str, Any]) -> None:
    data = json.dumps(value, indent=2).encode()
    archive.addfile(_describe(name, len(data)), io.BytesIO(data))
