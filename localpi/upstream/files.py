"""A file from an upstream, streamed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, Self

from localpi.upstream import redirects
from localpi.upstream.bodies import skip_body
from localpi.upstream.mirror import origin_of
from localpi.upstream.outcomes import Broken, Missing, Unreachable
from localpi.upstream.pages import refusal
from localpi.upstream.trouble import FAILURES, failure

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

    from localpi.upstream.deadline import Deadline
    from localpi.upstream.mirror import Mirror
    from localpi.upstream.wire import Wire

READ_S: Final = 15.0
"""The longest that one read may take."""

SLOW_S: Final = 30.0
"""Over so long a time at least `SLOW_BYTES` have to come."""

SLOW_BYTES: Final = 30_000

LARGEST_FILE: Final = 32_000_000_000


class OpenedFile:
    """A file's bytes from `offset` on; one thread reads.

    `offset` is 0 when the server ignored the range or the file changed since. `total` is the size of the whole file,
    None when the server does not say. `validator` is what to resume with: a strong ETag, else Last-Modified.
    """

    def __init__(self, response: HTTPResponse, where: str, deadline: Deadline, *, offset: int) -> None:
        self._response, self._where, self._deadline = response, where, deadline
        self.offset = offset
        length = response.length_remaining
        self.total = None if length is None else offset + length
        self.content_type: str = response.headers.get("content-type", "application/octet-stream")
        self.validator = _validator(response)
        self._received = 0
        self._window_at, self._window_bytes = time.monotonic(), 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, most: int = 262_144) -> bytes:
        """What is there, up to `most` bytes; b"" at the end.

        Broken when the transfer ends too early, nothing comes for 15 s, or less than 1 kB/s comes over 30 s.
        """
        if self._closed:
            raise Broken("broken", "the transfer was closed")
        self._deadline.extend(READ_S)
        try:
            data = self._response.read1(most, decode_content=False) or b""
        except FAILURES as error:
            self._give_up(failure(error, self._where, self._deadline))
        if not data:
            if self._deadline.over:  # a shut connection looks like the end of the file
                self._give_up(failure(TimeoutError(), self._where, self._deadline))
            if self.total is not None and self.offset + self._received != self.total:
                self._give_up(Unreachable("broken", f"{self._where} closed the connection early"))
            return b""
        self._received += len(data)
        self._check_pace(len(data))
        return data

    def close(self) -> None:
        """Let the connection go; back to its pool if all was read, else closed."""
        if not self._closed:
            self._closed = True
            self._response.close()
            self._deadline.__exit__()

    def _check_pace(self, size: int) -> None:
        if self.offset + self._received > LARGEST_FILE:
            self._give_up(Unreachable("broken", f"{self._where} sends a file without end"))
        self._window_bytes += size
        now = time.monotonic()
        if now - self._window_at >= SLOW_S:
            if self._window_bytes < SLOW_BYTES:
                self._give_up(Unreachable("timeout", f"{self._where} sends less than 1 kB/s"))
            self._window_at, self._window_bytes = now, 0

    def _give_up(self, outcome: Unreachable) -> None:
        self.close()
        raise Broken(outcome.kind, outcome.reason)


def open_file(
    wire: Wire, mirror: Mirror, url: str, *, offset: int, validator: str | None, deadline: Deadline
) -> OpenedFile | Missing | Unreachable:
    """The file that a page of the mirror links to, its headers read.

    From `offset` on when the file still is the one that `validator` belongs to (RFC 9110, section 13.1.5); without a
    validator, or when it changed, from the start. The deadline, entered already, becomes the opened file's own.
    """
    start = redirects.file_start(mirror, url)
    if isinstance(start, Unreachable):
        return start
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if offset and validator is not None:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
    exchanged = wire.exchange(mirror, start, headers, deadline, page=False)
    if isinstance(exchanged, Unreachable):
        return exchanged
    response, final = exchanged
    where = str(origin_of(final))
    if response.status not in (200, 206):
        try:
            skip_body(response)
        except FAILURES as error:
            return failure(error, where, deadline)
        return refusal(response, where)
    begins = _beginning(response)
    if begins == 0 or (begins == offset and "Range" in headers):
        return OpenedFile(response, where, deadline, offset=begins)
    response.close()
    return Unreachable("broken", f"{where} sends something else than the bytes that were asked for")


def _beginning(response: HTTPResponse) -> int | None:
    """Where the body begins in the file; None when it is no plain piece of it."""
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return None
    if response.status == 200:
        return 0
    content_range = re.match(r"bytes ([0-9]{1,15})-", response.headers.get("content-range", ""))
    return int(content_range[1]) if content_range is not None else None


def _validator(response: HTTPResponse) -> str | None:
    etag: str = response.headers.get("etag", "")
    if etag.startswith('"'):
        return etag
    return response.headers.get("last-modified")
