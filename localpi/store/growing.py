"""The reading end of a file that is still being received, as far as it is there."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from localpi.store.window import Window


class Source(Protocol):
    """What a reader must know of the writing end (`Receiving`)."""

    @property
    def total(self) -> int | None:
        """Length of the whole file in bytes."""

    @property
    def ready(self) -> int:
        """Bytes that may be read: all but the last until they are verified."""

    @property
    def verified(self) -> bool:
        """Whether size and digest are known to be right."""

    @property
    def generation(self) -> int:
        """Goes up when bytes turn out to be others than those that were given out."""

    @property
    def error(self) -> Exception | None:
        """Why there will be no more."""

    @property
    def window(self) -> Window | None:
        """Where bytes are that found no room on the disk."""

    def follow(self, descriptor: int, start: int, length: int) -> Growing:
        """Make another reader; the descriptor is doubled."""


class Growing(io.RawIOBase):
    """The reading end: `length` bytes from `start` of a file that may still be coming in, as a file of their own.

    `read` never waits: it gives what is there, which may be nothing (`starving`). Belongs to one thread at a time; goes
    on working when the file is renamed or removed.
    """

    def __init__(self, source: Source, descriptor: int, start: int, length: int) -> None:
        super().__init__()
        self._source, self._descriptor = source, descriptor
        self._start, self._length = start, max(0, min(length, (source.total or 0) - start))
        self._total, self._generation = source.total, source.generation
        self._position = self._given = self._needed = 0
        self._last = b""  # of this range, kept for the time when it may be given

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes, within the whole length, whether it is there or not."""
        return True

    def tell(self) -> int:
        """Position in bytes from the start of the range."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move, as `io.IOBase.seek` has it."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, origin + offset)
        if whence != os.SEEK_END:  # servers go there and back to learn the length
            self._needed = self._position
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes of what is there; b"" at the end, and while starving or broken."""
        there = self._there()
        self._needed = self._position  # what is read now may be asked for again: a socket takes less
        wanted = there if size is None or size < 0 else min(size, there)
        if wanted <= 0 or self._outdated():
            return b""
        at, window = self._start + self._position, self._source.window
        if window is not None and at >= window.start:
            data = self._last if self._is_at_last() and self._last else window.read(at, wanted)
        else:
            on_disk = wanted if window is None else min(wanted, window.start - at)
            data = os.pread(self._descriptor, on_disk, at)
        self._position += len(data)
        self._given = max(self._given, self._position)
        return data

    def readall(self) -> bytes:
        """Give what is there."""
        return self.read()

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # any writable buffer
        """As `read`, into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def part(self, start: int, length: int) -> Growing:
        """Another reader for a part of this one, counted from its start."""
        return self._source.follow(self._descriptor, self._start + start, min(length, self._length - start))

    def place(self) -> int | None:
        """Give the position in the whole file from which on the window has to keep bytes; None when none are wanted.

        The last byte of a part, which is held back until the whole file is right, is kept here instead.
        """
        needed, window = self._needed, self._source.window
        if self.closed or needed >= self._length:
            return None
        at_last = needed == self._length - 1
        if at_last and window is not None and not self._last:
            self._last = window.read(self._start + needed, 1)
        return None if at_last and self._last else self._start + needed

    def _is_at_last(self) -> bool:
        return self._position == self._length - 1

    def starving(self) -> bool:
        """Whether there is nothing to give now, though this is not the end."""
        return self._position < self._length and (self._there() <= 0 or self._outdated())

    def broken(self) -> bool:
        """Whether the rest will never come."""
        return self._position < self._length and (self._source.error is not None or self._outdated())

    def _there(self) -> int:
        """Bytes that may be given from here on; the last of a range is held back as the last of the file is."""
        held_back = 0 if self._source.verified else 1
        return min(self._source.ready - self._start, self._length - held_back) - self._position

    def _outdated(self) -> bool:
        """Whether what was promised or given out has turned out to be another file's."""
        source, window = self._source, self._source.window
        if window is not None and window.lacks(self._start + self._position):
            return not (self._is_at_last() and self._last)
        return source.total != self._total or (source.generation != self._generation and self._given > 0)

    def close(self) -> None:
        """Close this end; the writing end goes on."""
        if not self.closed and self._descriptor >= 0:
            os.close(self._descriptor)
        super().close()
