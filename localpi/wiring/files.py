"""Configuration files read and replaced whole: links followed, modes and owners kept, in one crash-proof step."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.settings.private import FOLDER_MODE, sync_folder
from localpi.wiring.edits import MOST_BYTES, NotEditable

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was when it was looked at; `data` and `mode` are None where there was none."""

    path: Path
    target: Path
    """Where `path` leads when every link is followed."""
    data: bytes | None
    mode: int | None


def look(path: Path) -> Seen:
    """Read a file; raises NotEditable for what is no regular file, leads nowhere or is too large, and OSError."""
    try:
        target = path.resolve(strict=True)
    except FileNotFoundError:
        if path.is_symlink():
            raise NotEditable(f"it is a link to {path.readlink()}, which is not there") from None
        return Seen(path, path.parent.resolve() / path.name, None, None)
    except (RuntimeError, NotADirectoryError) as error:
        raise NotEditable(f"it cannot be reached: {error}") from None
    except OSError as error:
        raise NotEditable(f"it cannot be reached: {os.strerror(error.errno or 0)}") from None
    status = target.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NotEditable("it is no regular file")
    with target.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    return Seen(path, target, data, stat.S_IMODE(status.st_mode))


def write(seen: Seen, data: bytes, mode: int) -> tuple[Path, ...]:
    """Replace the file by `data`; returns the folders that had to be made. Raises NotEditable, OSError.

    A file that its owner may not write says so on purpose (Nix, a dotfile manager, a careful person): refused.
    """
    if seen.mode is not None and not seen.mode & stat.S_IWUSR:
        refused = NotEditable(f"it is read-only (mode {seen.mode:04o})")
        refused.hint = f"chmod u+w {seen.target}, or change it where it is made"
        raise refused
    if look(seen.path) != seen:
        raise NotEditable("another program has just changed it; run the command again")
    made = _make_folders(seen.target.parent)
    descriptor, name = tempfile.mkstemp(dir=seen.target.parent, prefix=f".{seen.target.name}.")
    beside = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor has no path
            file.write(data)
            file.flush()
            _keep_owner(seen, descriptor)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        beside.replace(seen.target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    sync_folder(seen.target.parent)
    return made


def remove(seen: Seen, made: Sequence[Path] = ()) -> None:
    """Take a file away, and the folders that were made for it where they are empty; raises OSError."""
    seen.target.unlink()
    sync_folder(seen.target.parent)
    for folder in made:
        try:
            folder.rmdir()
        except OSError:
            break


def _make_folders(folder: Path) -> tuple[Path, ...]:
    """Make a folder and what is above it, its owner's alone; returns those that were not there, deepest first."""
    missing = []
    at = folder
    while not at.exists():
        missing.append(at)
        at = at.parent
    for new in reversed(missing):
        new.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return tuple(missing)


def _keep_owner(seen: Seen, descriptor: int) -> None:
    """Give the new file the old one's owner (root wiring somebody else's); who may not keeps their own group."""
    if seen.data is None:
        return
    status = seen.target.stat()
    mine = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, status.st_uid, status.st_gid)
