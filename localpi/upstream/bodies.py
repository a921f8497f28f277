"""Bodies of pages: read whole, within limits, compressed as they came."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from localpi.upstream.outcomes import Progress, Unreachable

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

LARGEST_PAGE: Final = 64_000_000
"""Decoded; the largest real pages have 5 MB."""

_PIECE: Final = 262_144


def read_page(response: HTTPResponse, where: str, progress: Progress | None = None) -> tuple[bytes, bool] | Unreachable:
    """(body as it came, whether it is gzip); `progress` grows with it.

    The exceptions of urllib3 come through. A gzip body is decoded on the way, to count it and to see its end, and
    nothing of that is kept: the counter never holds more than a piece.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        return Unreachable("broken", f"{where} sent a page in an encoding that was not asked for")
    counter = _GzipCounter() if encoding.endswith("gzip") else None
    body = bytearray()
    try:
        while piece := response.read1(_PIECE, decode_content=False):
            body += piece
            if progress is not None:
                progress.received = len(body)
            if counter is not None:
                counter.count(piece)
            if max(len(body), counter.total if counter is not None else 0) > LARGEST_PAGE:
                return Unreachable("broken", f"{where} sent a page of more than {LARGEST_PAGE:,} bytes")
    except zlib.error:
        return Unreachable("broken", f"{where} sent gzip that does not decode")
    if counter is not None and not counter.whole:
        return Unreachable("broken", f"{where} sent half a page")
    return bytes(body), counter is not None


def skip_body(response: HTTPResponse) -> None:
    """Read a small body away, so that the connection can be used again; else close it."""
    length = response.headers.get("content-length", "")
    small = response.status == 304 or (length.isdigit() and int(length) <= _PIECE)
    while small and response.read1(_PIECE, decode_content=False):
        pass
    response.close()


def decoded(body: bytes, encoding: str) -> bytes:
    """A body of `Fetched`, unpacked; it was counted before, so it is within the limit."""
    if encoding != "gzip":
        return body
    pieces = []
    while body:
        member = zlib.decompressobj(wbits=31)
        pieces.append(member.decompress(body, LARGEST_PAGE))
        body = member.unused_data
    return b"".join(pieces)


class _GzipCounter:
    """Counts what gzip members decode to, a piece at a time; stops counting beyond the limit."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self.total = 0

    @property
    def whole(self) -> bool:
        """Whether the last member has come to its end."""
        return self._member.eof

    def count(self, piece: bytes) -> None:
        """Add a piece; zlib.error when it is not gzip."""
        while self.total <= LARGEST_PAGE:
            decoded_size = len(self._member.decompress(piece, _PIECE))
            self.total += decoded_size
            if self._member.eof:  # asked first: unconsumed_tail is not cleared then
                piece = self._member.unused_data
                if not piece:
                    return
                self._member = zlib.decompressobj(wbits=31)
            else:
                piece = self._member.unconsumed_tail
                if not piece and decoded_size < _PIECE:  # a full piece may have more behind it, without more input
                    return
