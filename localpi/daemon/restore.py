"""Restoring a backup where no daemon runs: all of it or nothing, whenever the process is killed.

Everything is unpacked and checked beside what is there. Then one file is written that says "these go in": before it
nothing has changed, after it whoever comes next, a restore or the daemon, moves what is still to be moved.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from typing import TYPE_CHECKING

from localpi.daemon.lock import held
from localpi.daemon.unpacking import STAGING, Unpacked, unpack
from localpi.errors import AlreadyRunning, BackupDamaged, Conflict, StoreBroken
from localpi.settings.backup import CACHE_DATABASE, DATABASE
from localpi.settings.private import make_folder, sync_folder, write_private
from localpi.store.backup import check_copy, named_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from localpi.settings.paths import Paths

log = logging.getLogger(__name__)

PLAN = "restore.json"
ASIDE = "before-restore-"
MOVED = (
    "config.toml", "credentials.toml", "owner.secret",
    "localpi.sqlite-wal", "localpi.sqlite-shm", "localpi.sqlite", "files", "pinned",
    "cache.sqlite-wal", "cache.sqlite-shm", "cache.sqlite",
)  # fmt: skip
"""What a restore replaces, in this order: a log of a database goes before the database that it belongs to."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; `aside` are the folders that have what was there before, `missing` files that lack."""

    made_at: str
    version: str
    files: int
    bytes: int
    aside: tuple[str, ...]
    missing: int


def restore(paths: Paths, archive: Path, *, force: bool, tell: Callable[[int, int], None]) -> Restored:
    """Put a backup into our folders; with `force` also where there is something, which is kept aside.

    `tell` is given the bytes done and those in all. Raises `Conflict` (a daemon runs, or there is something),
    `BackupDamaged`, `NewerDatabase`, `DiskFull`, OSError; then nothing has changed.
    """
    paths.make()
    try:
        with held(paths.lock_file):
            finish_restore(paths)
            if (paths.data / DATABASE).exists() and not force:
                error = Conflict(f"{paths.data} has data already")
                error.hint = "with --force it is kept aside"
                raise error
            try:
                unpacked = unpack(archive, paths, tell)
                missing = _check(paths, unpacked)
                os.sync()
                write_private(paths.data / PLAN, json.dumps({"aside": _free_name(paths)}).encode())
            except BaseException:
                _sweep(paths)
                raise
            folders = finish_restore(paths)
    except AlreadyRunning:
        running = Conflict(f"a daemon runs on {paths.data}")
        running.hint = "stop it first: localpi down"
        raise running from None
    return Restored(unpacked.made_at, unpacked.version, len(unpacked.names), unpacked.bytes, folders, missing)


def finish_restore(paths: Paths) -> tuple[str, ...]:
    """Do what a restore that was killed had decided, or clear away what it had not; the folders set aside.

    Its caller holds the lock, and has opened nothing yet. OSError.
    """
    plan = paths.data / PLAN
    aside: list[str] = []
    if plan.exists():
        name = str(json.loads(plan.read_bytes())["aside"])
        folders = (paths.config, paths.data, paths.cache)
        aside += [str(folder / name) for folder in folders if _move_in(folder, folder / name)]
        plan.unlink()
        sync_folder(paths.data)
        log.info("a backup was restored")
    _sweep(paths)
    return tuple(aside)


def _free_name(paths: Paths) -> str:
    """Return a name that none of our folders has: what an earlier restore kept there is not to be replaced."""
    name = ASIDE + datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folders = (paths.config, paths.data, paths.cache)
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(free for free in names if not any((folder / free).exists() for folder in folders))


def _move_in(folder: Path, aside: Path) -> bool:
    """Exchange what the staging folder has; whether something was there before."""
    staging = folder / STAGING
    for name in MOVED:
        new = staging / name.removesuffix("-wal").removesuffix("-shm")
        if not new.exists():
            continue  # the backup has none, or it was moved before we were killed
        if (folder / name).exists():
            make_folder(aside)
            (folder / name).replace(aside / name)
        if new.name == name:
            new.replace(folder / name)
    for changed in (folder, aside, staging):
        if changed.is_dir():
            sync_folder(changed)
    return aside.is_dir()


def _check(paths: Paths, unpacked: Unpacked) -> int:
    """Look at the staged database, and at how many files it names that are not in the backup. Raises as `restore`."""
    if DATABASE not in unpacked.names:
        raise BackupDamaged("it has no database")
    staging = paths.data / STAGING
    try:
        check_copy(staging / DATABASE)
        uploads, pinned = named_files(staging / DATABASE)
    except StoreBroken as error:
        raise BackupDamaged(error.message) from None
    for folder in (staging / "files", staging / "pinned" / "files"):
        make_folder(folder)
    if CACHE_DATABASE in unpacked.names:
        make_folder(paths.cache / STAGING / "files")
    here = set(unpacked.names)
    named = {f"files/{sha256[:2]}/{sha256[2:]}" for sha256 in uploads}
    named |= {f"pinned/files/{sha256[:2]}/{sha256[2:]}" for sha256 in pinned}
    return len(named - here)


def _sweep(paths: Paths) -> None:
    for folder in (paths.config, paths.data, paths.cache):
        shutil.rmtree(folder / STAGING, ignore_errors=True)
