"""Folders and files that are their owner's only: 0700 and 0600, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600
UMASK = 0o077


def make_folder(folder: Path) -> None:
    """Make `folder` and what is above it, its owner's alone; one of ours that is there already is tightened."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_mode & UMASK and status.st_uid == os.getuid():
        folder.chmod(FOLDER_MODE)


def write_private(path: Path, data: bytes, *, mode: int = FILE_MODE) -> None:
    """Replace `path` by `data` in one step that survives a crash; a symbolic link keeps pointing where it pointed.

    Written beside the target, flushed to the disk, renamed, the folder flushed: a reader sees the old bytes or the
    new ones. Raises OSError and leaves nothing behind when that cannot be done.
    """
    target = path.resolve()
    make = tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115 -- it outlives the block: the name is renamed
    temporary = Path(make.name)
    try:
        with make:
            make.write(data)
            make.flush()
            os.fchmod(make.fileno(), mode)
            os.fsync(make.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable; file systems that cannot are let be."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
