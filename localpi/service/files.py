"""A service's files: replaced only when they differ, and taken away with the folders that are empty then."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from localpi.settings.private import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MODE = 0o644
"""launchd wants files that nobody else may write; nothing in them is secret."""
MOST_BYTES = 100_000


def read(path: Path) -> bytes | None:
    """Return what is in a file, None when there is none that can be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return None


def differing(files: Iterable[tuple[Path, bytes]]) -> tuple[Path, ...]:
    """Return the files that are not as they shall be."""
    return tuple(path for path, data in files if read(path) != data)


def write(files: Iterable[tuple[Path, bytes]]) -> None:
    """Write those that differ; raises OSError."""
    for path, data in files:
        if read(path) != data:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_private(path, data, mode=MODE)


def remove(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Remove files and links, and return those that were there; raises OSError."""
    found = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            found.append(path)
    return tuple(found)


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders that are empty, in this order."""
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106 -- Path.rmdir is the same
