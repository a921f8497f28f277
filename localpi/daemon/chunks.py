"""Bodies in chunks (RFC 9112, 7.1): as strict as waitress's receiver, in linear time and with its own limits.

waitress keeps a chunk's first line, or the trailer, for as long as it goes on (1 GB of memory, copied with each piece
that comes), and copies what is left with each chunk: one client that sends chunks of one byte held up everyone for
0.3 s at a time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from waitress.utilities import BadRequest  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from waitress.buffers import OverflowableBuffer  # type: ignore[import-untyped]

LONGEST_LINE = 4096
LONGEST_TRAILER = 16 << 10
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")

_PLAIN = re.compile(rb"(0{0,7}[1-9A-Fa-f][0-9A-Fa-f]{0,7})\r\n")


class Chunks:
    """Takes a body apart; has the face of waitress's ChunkedReceiver."""

    def __init__(self, buffer: OverflowableBuffer) -> None:
        self.completed = False
        self.error: BadRequest | None = None
        self._buffer = buffer
        self._left = 0  # bytes of the chunk at hand that are still to come
        self._ends = False  # a chunk is over, the end of its line is to come
        self._trailing = 0  # bytes of the trailer so far, with the last chunk's line; 0 before it
        self._rest = b""  # the beginning of a line

    def __len__(self) -> int:
        return int(self._buffer.__len__())  # waitress's: len() of a large one is no C int everywhere

    def getfile(self) -> Any:
        """Return the body."""
        return self._buffer.getfile()

    def getbuf(self) -> Any:
        """Return what holds the body."""
        return self._buffer

    def received(self, data: bytes) -> int:
        """Take bytes; return how many of them belong to this body."""
        if self.completed:
            return 0
        before = len(self._rest)
        text, self._rest = self._rest + data, b""
        found: list[bytes] = []
        at = 0
        while at < len(text) and not self.completed:
            if self._left:
                piece = text[at : at + self._left]
                found.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._ends = not self._left
                continue
            if not (self._ends or self._trailing) and (plain := _PLAIN.match(text, at)):
                stop = plain.end() + int(plain[1], 16)
                if text.startswith(b"\r\n", stop):  # all of it is here: nine tenths of the time of small chunks
                    found.append(text[plain.end() : stop])
                    at = stop + 2
                    continue
            end = text.find(b"\r\n", at, at + LONGEST_LINE)
            if end < 0:
                self._wait_for(text[at:])
                at = len(text)
                break
            self._read_line(text[at:end])
            at = end + 2
        if found:
            self._buffer.append(b"".join(found))
        return at - before

    def _wait_for(self, rest: bytes) -> None:
        """Keep the beginning of a line until its end comes."""
        if len(rest) >= LONGEST_LINE or (self._ends and rest != b"\r"):
            self._refuse("a chunk has no end")
        else:
            self._rest = rest

    def _read_line(self, line: bytes) -> None:
        """Take the end of a chunk, the size of the next one, or a line of the trailer, which is thrown away."""
        if self._trailing:
            self._trailing += len(line) + 2
            if self._trailing > LONGEST_TRAILER:
                self._refuse("the trailer is too long")
            self.completed = self.completed or not line
        elif self._ends:
            self._ends = False
            if line:
                self._refuse("a chunk has no end")
        elif (size := _SIZE.fullmatch(line)) is None:
            self._refuse("the size of a chunk cannot be read")
        else:
            self._left = int(size[1], 16)
            self._trailing = 0 if self._left else len(line) + 2

    def _refuse(self, why: str) -> None:
        self.error = BadRequest(why)
        self.completed = True
