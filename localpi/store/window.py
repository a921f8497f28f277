"""Bytes on their way through memory, from a transfer that finds no room on the disk to those who read it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from localpi.errors import TransferBroken

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 1 << 20
"""What is held for each transfer at most, in bytes; 64 of them run at once."""

LOOK_S = 0.01
LAGGARD_S = 10.0
"""For so long others wait for the slowest reader before it is given up."""

ALONE_S = 60.0
"""For so long a transfer waits for readers that take nothing, and for the first one."""


class Window:
    """The bytes from `base` on of a file whose first `start` bytes lie on the disk.

    One thread writes and waits for room; any thread reads, and never waits. What all readers have had goes when its
    room is needed, not before: until then others can join.
    """

    def __init__(self, start: int, positions: Callable[[], list[int]]) -> None:
        """Begin behind `start` bytes; `positions` says where each reader is that wants more, counted in the file."""
        self.start = self.base = start
        self._held = bytearray()
        self._positions = positions
        self._lock = threading.Lock()

    @property
    def is_whole(self) -> bool:
        """Whether nothing has gone yet, so that a new reader gets everything."""
        return self.base == self.start

    def lacks(self, position: int) -> bool:
        """Say whether the byte there was in the window and has gone."""
        return self.start <= position < self.base

    def read(self, position: int, most: int) -> bytes:
        """Give up to `most` bytes from a position in the file on; b"" when they are gone or not there yet."""
        with self._lock:
            at = position - self.base
            return bytes(self._held[at : at + most]) if at >= 0 else b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes, once there is room; TransferBroken when nobody takes what is there for a minute."""
        began = moved = time.monotonic()
        before = self._make_room(len(data))
        while len(self._held) + len(data) > SIZE and self._held:
            time.sleep(LOOK_S)
            positions = self._make_room(len(data))
            now = time.monotonic()
            if positions != before:
                before, moved = positions, now
            elif len(positions) > 1 and min(positions) < max(positions) and now - moved > LAGGARD_S:
                self._drop(min(position for position in positions if position > min(positions)))
                moved = now
            elif now - moved > ALONE_S:
                raise TransferBroken(f"nobody took what came for {now - began:.0f} s, and the disk is full")
        with self._lock:
            self._held += data

    def _make_room(self, size: int) -> list[int]:
        positions = self._positions()
        if positions and len(self._held) + size > SIZE:
            self._drop(min(positions))
        return positions

    def _drop(self, until: int) -> None:
        """Let go what is before `until`; readers that still need it break off."""
        with self._lock:
            gone = min(max(0, until - self.base), len(self._held))
            del self._held[:gone]
            self.base += gone
