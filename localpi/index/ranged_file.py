"""A file of an upstream read here and there by range requests, with the face of a file: zipfile needs no more."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST = 64 * 1024
"""Bytes of one request: a wheel's metadata mostly comes with the first, and a round trip costs more than these."""
MOST = 24 * 1024 * 1024
"""Bytes of all requests for one file: a central directory has 16 MB at most, metadata 5."""


class RangedFile(io.RawIOBase):
    """A file of `size` bytes whose last ones are `tail`; `fetch(first, length)` gets others, exactly so many.

    What `fetch` raises comes through. ValueError beyond MOST bytes. For one thread.
    """

    def __init__(self, size: int, tail: bytes, fetch: Callable[[int, int], bytes]) -> None:
        self._size, self._fetch = size, fetch
        self._pieces = [(size - len(tail), tail)]  # by position, none overlaps another
        self._at = self._fetched = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, to the end with -1."""
        end = self._size if size < 0 else min(self._size, self._at + size)
        read = bytearray()
        while self._at < end:
            first, data = self._piece_at(self._at, end)
            part = data[self._at - first : end - first]
            self._at += len(part)
            read += part
        return bytes(read)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a position; ValueError before the first byte."""
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at < 0:
            raise ValueError("it points before the first byte")
        self._at = at
        return at

    def tell(self) -> int:
        """Give the position."""
        return self._at

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def _piece_at(self, at: int, end: int) -> tuple[int, bytes]:
        for first, data in self._pieces:
            if first <= at < first + len(data):
                return first, data
        after = min((first for first, _ in self._pieces if first > at), default=self._size)
        length = min(max(end - at, LEAST), after - at)
        self._fetched += length
        if self._fetched > MOST:
            raise ValueError(f"over {MOST:,} bytes of it are needed")
        data = self._fetch(at, length)
        if len(data) != length:
            raise ValueError("it is shorter than it was")
        self._pieces.append((at, data))
        return at, data
