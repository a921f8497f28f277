"""Making files last: what a crash or a full disk may do to them is decided here.

Order for a file (measured with kill -9 and a 3 MB tmpfs): write beside the target, fsync, `os.replace`, fsync the
folder, and only then let a database row speak of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING

from localpi.errors import DiskFull

if TYPE_CHECKING:
    from pathlib import Path

CACHE_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This file marks a cache directory created by localpi: it may be deleted, and need not be backed up.
# For information about cache directory tags, see https://bford.info/cachedir/
"""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def make_folder(path: Path) -> None:
    """Make a folder and its parents, the owner's only (0700)."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def tag_cache(folder: Path) -> None:
    """Tell backup programs that a folder need not be kept (Cache Directory Tagging Specification); a full disk may."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder / "CACHEDIR.TAG", os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as tag:  # noqa: PTH123 -- a descriptor
            tag.write(CACHE_TAG.encode("ascii"))


def sync_file(descriptor: int) -> None:
    """Bring the bytes of an open file to the medium; DiskFull when there is no room for them."""
    try:
        if sys.platform == "darwin":
            import fcntl  # noqa: PLC0415 - not on every platform

            # fsync leaves the bytes in the drive's cache there: fcntl(2)
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    except OSError as error:
        raise_disk_full(error)
        raise


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the medium."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def check_room(folder: Path, size: int) -> None:
    """Raise DiskFull when `size` bytes cannot fit beside what is there."""
    if free_bytes(folder) < size:
        raise DiskFull(f"{folder.name} has no room for {size:,} bytes")


def free_bytes(folder: Path) -> int:
    """Give what a user may still write on the folder's disk, in bytes; FileNotFoundError."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def is_same_disk(folder: Path, other: Path) -> bool:
    """Say whether what goes in one leaves room in the other; no where one of them is not there."""
    try:
        return folder.stat().st_dev == other.stat().st_dev
    except FileNotFoundError:
        return False


def raise_disk_full(error: OSError) -> None:
    """Raise DiskFull instead when that is what the system said."""
    if error.errno in NO_ROOM:
        raise DiskFull(f"no room left: {error.strerror}") from error
