"""The first bytes of what an address has: a list of projects may have 40 MB, and nobody needs them all to know it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from localpi.upstream.bodies import skip_body
from localpi.upstream.mirror import origin_of
from localpi.upstream.outcomes import Missing, Unreachable
from localpi.upstream.pages import ACCEPT, refusal
from localpi.upstream.pieces import Peeked
from localpi.upstream.trouble import FAILURES, failure

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

    from localpi.upstream.deadline import Deadline
    from localpi.upstream.mirror import Mirror
    from localpi.upstream.wire import Wire

_READ: Final = 65_536


def peek(wire: Wire, mirror: Mirror, *, most: int, deadline: Deadline) -> Peeked | Missing | Unreachable:
    """Read at most `most` bytes of the mirror's list of projects and hang up."""
    headers = {"Accept": ACCEPT, "Accept-Encoding": "identity"}
    exchanged = wire.exchange(mirror, mirror.url, headers, deadline, page=True)
    if isinstance(exchanged, Unreachable):
        return exchanged
    response, url = exchanged
    where = str(origin_of(url))
    try:
        if response.status != 200:
            skip_body(response)
            return refusal(response, where)
        body, whole = _read(response, most)
    except (*FAILURES, zlib.error) as error:
        return failure(error, where, deadline)
    finally:
        response.close()
    if deadline.over and not body:
        return failure(TimeoutError(), where, deadline)
    whole = whole and not deadline.over
    content_type = response.headers.get("content-type", "")
    return Peeked(body, whole, content_type, url, response.headers.get("server", "")[:80])


def _read(response: HTTPResponse, most: int) -> tuple[bytes, bool]:
    """(the first bytes, unpacked; whether there are no more). Some servers send gzip whatever they are asked."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    unpacker = zlib.decompressobj(wbits=31) if encoding.endswith("gzip") else None
    body = bytearray()
    while len(body) <= most:
        piece = response.read1(_READ, decode_content=False)
        if not piece:
            return bytes(body), True
        body += unpacker.decompress(piece, most) if unpacker is not None else piece
    return bytes(body[:most]), False
