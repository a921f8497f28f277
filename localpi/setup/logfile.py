"""The end of the daemon's log, and what is added to it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_S = 0.2
BLOCK = 64 * 1024


def last_lines(log: Path, count: int) -> tuple[tuple[str, ...], int]:
    """Return the last `count` whole lines and the position after them; nothing and 0 when there is no file.

    Read from the end in blocks, at most 64 MB: a log of any size costs what is shown.
    """
    try:
        with log.open("rb") as file:
            end = position = file.seek(0, os.SEEK_END)
            found = b""
            while position and found.count(b"\n") <= count and len(found) < 1000 * BLOCK:
                position = max(0, position - BLOCK)
                file.seek(position)
                found = file.read(min(BLOCK, end - position - len(found))) + found
    except FileNotFoundError:
        return (), 0
    whole, _, rest = found.rpartition(b"\n")
    lines = whole.decode("utf-8", "replace").split("\n") if whole else []
    return tuple(lines[-count:]) if count else (), end - len(rest)


def follow_lines(log: Path, position: int) -> Iterator[str]:
    """Yield each line that is added after `position`, through rotations, for ever."""
    rest = b""
    inode = _inode(log)
    while True:
        now = _inode(log)
        if now != inode:  # rotated: what was still added to the old file is lost to us, a line or two at most
            inode, position, rest = now, 0, b""
        try:
            with log.open("rb") as file:
                if position > os.fstat(file.fileno()).st_size:
                    position = 0
                file.seek(position)
                added = file.read(BLOCK)
        except FileNotFoundError:
            added = b""
        position += len(added)
        *lines, rest = (rest + added).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines)
        if not added:
            time.sleep(POLL_S)


def _inode(log: Path) -> int | None:
    try:
        return log.stat().st_ino
    except FileNotFoundError:
        return None
