"""A piece of a file of an upstream, by a range request (RFC 9110, section 14), and how large the file is.

Servers differ: some know no suffix ranges (`bytes=-N`), some answer 416 when one is longer than the file, some ignore
`Range` altogether. Whichever it is comes out as a value, and a body that is more than was asked for is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from localpi.upstream import redirects
from localpi.upstream.bodies import skip_body
from localpi.upstream.mirror import origin_of
from localpi.upstream.outcomes import Missing, Unreachable
from localpi.upstream.pages import refusal
from localpi.upstream.pieces import Piece, Unranged
from localpi.upstream.trouble import FAILURES, failure

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

    from localpi.upstream.deadline import Deadline
    from localpi.upstream.mirror import Mirror
    from localpi.upstream.wire import Wire

LARGEST_PIECE: Final = 32_000_000

_READ: Final = 262_144
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
_UNSATISFIED: Final = re.compile(r"bytes \*/([0-9]{1,15})")
_NO_SUFFIX: Final = frozenset((400, 405, 416, 501))
"""What servers say to `bytes=-N` that know ranges, but not this kind, or not for so short a file."""


def read_range(
    wire: Wire, mirror: Mirror, url: str, *, first: int | None, length: int, deadline: Deadline
) -> Piece | Unranged | Missing | Unreachable:
    """Read `length` bytes from `first` on, or with None the last ones; what is there, where the file is shorter.

    A file that is no longer than `length` may come whole where ranges are not to be had.
    """
    start = redirects.file_start(mirror, url)
    if isinstance(start, Unreachable):
        return start
    length = min(length, LARGEST_PIECE)
    ask = partial(_ask, wire, mirror, start, length=length, deadline=deadline)
    outcome = ask(f"-{length}" if first is None else f"{first}-{first + length - 1}")
    if isinstance(outcome, _Refused) and first is None and outcome.response.status in _NO_SUFFIX:
        total = outcome.total
        if total is None:
            one = ask("0-0")
            if not isinstance(one, Piece):
                return one.refusal() if isinstance(one, _Refused) else one
            total = one.total
        outcome = ask(f"{max(0, total - length)}-{max(total, 1) - 1}")
    return outcome.refusal() if isinstance(outcome, _Refused) else outcome


@dataclass(frozen=True, slots=True)
class _Refused:
    response: HTTPResponse
    where: str

    @property
    def total(self) -> int | None:
        found = _UNSATISFIED.fullmatch(self.response.headers.get("content-range", ""))
        return int(found[1]) if found is not None else None

    def refusal(self) -> Missing | Unreachable:
        return refusal(self.response, self.where)


def _ask(
    wire: Wire, mirror: Mirror, url: str, asked: str, *, length: int, deadline: Deadline
) -> Piece | Unranged | Unreachable | _Refused:
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "Range": f"bytes={asked}"}
    exchanged = wire.exchange(mirror, url, headers, deadline, page=False)
    if isinstance(exchanged, Unreachable):
        return exchanged
    response, final = exchanged
    where = str(origin_of(final))
    try:
        if response.status not in (200, 206):
            skip_body(response)
            return _Refused(response, where)
        found = _piece(response, where, length)
    except FAILURES as error:
        return failure(error, where, deadline)
    finally:
        response.close()
    if deadline.over:  # a shut connection looks like the end of the body
        return failure(TimeoutError(), where, deadline)
    return found


def _piece(response: HTTPResponse, where: str, length: int) -> Piece | Unranged | Unreachable:
    extent = _extent(response, length)
    if isinstance(extent, Unranged):
        return extent
    first, size, total = extent
    if not 0 <= size <= length or first + size > total:
        return Unreachable("broken", f"{where} sends something else than the bytes that were asked for")
    data = _read(response, size)
    if len(data) != size:
        return Unreachable("broken", f"{where} closed the connection early")
    return Piece(data, first, total)


def _extent(response: HTTPResponse, length: int) -> tuple[int, int, int] | Unranged:
    """Return (first byte, bytes, size of the whole file) of what a body holds."""
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return Unranged(None)
    if response.status == 200:
        total = response.length_remaining
        return Unranged(total) if total is None or total > length else (0, total, total)
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None:  # several parts, or a size that is not told
        return Unranged(None)
    first, last, total = map(int, found.groups())
    return first, last - first + 1, total


def _read(response: HTTPResponse, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (more := response.read1(min(_READ, size - len(data)), decode_content=False)):
        data += more
    return bytes(data)
