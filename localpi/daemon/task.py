"""One request and its answer: waitress's own, changed in what it keeps open, sends and leaves out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from waitress.buffers import OverflowableBuffer  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.task import WSGITask  # type: ignore[import-untyped]
from waitress.utilities import Error, build_http_date  # type: ignore[import-untyped]

from localpi.daemon import access
from localpi.daemon.chunks import Chunks
from localpi.web.parked import WAITED, Parked
from localpi.web.site import OPEN_READING

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOWEST = 1000
"""Bytes a second of a request that comes at all: 1,000 clients that send one byte now and then shut out everybody."""

LARGE = 17 << 20
"""Bytes of a body that is received whoever sends it; test results may come from anyone and have 16 MB at most."""

BODILESS = frozenset({"204", "304"})


class InsufficientStorage(Error):  # type: ignore[misc]  # noqa: N818 -- an answer's, as waitress names them
    """There is no room for the body."""

    code = 507
    reason = "Insufficient Storage"


class Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """A request, and what has happened to it."""

    completed: bool
    empty: bool
    expect_continue: bool
    header_plus: bytes
    body_rcv: Any
    raw = b""
    """All of it, where it came in one piece with nothing else and has no body."""
    unread = False
    """Whether the rest of its body will not be read: it is answered without."""
    judged = False
    """Whether it has been asked for whether its body is wanted."""
    has_room = False
    """Whether room for its body has been asked for."""
    waited: float | None = None
    """When it was parked first, monotonic seconds."""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began = time.monotonic()

    def received(self, data: bytes) -> int:
        """Take bytes; empty lines before a request are nothing (RFC 9112, 2.2), all of them at once.

        waitress makes a request of each two of them, and copies what is left each time.
        """
        if self.completed or self.header_plus or self.body_rcv is not None:
            return self._take(data)
        text = data.lstrip(b"\r\n")
        if not text:
            self.empty = self.completed = True
            return len(data)
        taken = len(data) - len(text) + self._take(text)
        if self.header_bytes_received == len(data) and not self.is_partial():
            self.raw = data
        return taken

    def _take(self, data: bytes) -> int:
        """Take bytes; 100 is for who has a body to send (RFC 9110, 10.1.1).

        After it waitress takes any other request for one that begins anew: the next one would get its headers.
        """
        taken = int(super().received(data))
        if self.completed:
            self.expect_continue = False
        return taken

    def is_partial(self) -> bool:
        """Say whether more of it has to come."""
        return not self.completed

    def is_large(self) -> bool:
        """Say whether its body is, or begins to be, larger than what anyone may send."""
        return bool(self.headers_finished) and max(self.content_length, self.body_bytes_received) > LARGE

    def is_long(self) -> bool:
        """Say whether its body is announced as more than is held in memory."""
        return bool(self.headers_finished) and self.content_length > self.adj.inbuf_overflow

    def drips(self, seconds: float) -> bool:
        """Say whether it has been coming for so many seconds, at less than SLOWEST."""
        took = time.monotonic() - self.began
        return took > seconds and self.header_bytes_received + self.body_bytes_received < SLOWEST * took

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head; refuse what two readers could take for two different requests (RFC 9112, 6.1 and 6.3)."""
        try:
            super().parse_header(header_plus)
        except ValueError:  # an address or a number that Python does not read
            raise ParsingError("The request cannot be read") from None
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("The length of the body is not clear")
        if self.chunked:
            self.body_rcv = Chunks(OverflowableBuffer(self.adj.inbuf_overflow))

    def rewind(self) -> None:
        """Make the body readable from its start again, for another run."""
        if self.body_rcv is not None:
            self.get_body_stream().seek(0)


class Unsent:
    """The `wsgi.file_wrapper` of a HEAD request: waitress would send the body of a real one."""

    def __init__(self, file: Any, block_size: int = 0) -> None:  # noqa: ARG002 -- PEP 3333 has the second argument
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        """Close the file, as a server has to (PEP 3333)."""
        if hasattr(self._file, "close"):
            self._file.close()


class Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """Runs the application for one request."""

    request: Request
    close_on_finish: bool
    wrote_header: bool

    def service(self) -> None:
        """Answer the request; after it nothing more of this answer is made."""
        try:
            super().service()
            self.channel.send_held()
        finally:
            self.channel.answering = False
        access.note(self)

    def execute(self) -> None:
        """Run the application; only before the first byte may it ask to be run again, a GET, HEAD or repeatable one."""
        try:
            super().execute()
        except Parked as parked:
            if self.wrote_header or not (parked.repeatable or self.request.command in ("GET", "HEAD")):
                message = f"{self.request.command} was parked, or after its first byte"
                raise RuntimeError(message) from parked
            raise

    def get_environment(self) -> dict[str, Any]:
        """Return waitress's environ (PEP 3333) and ours in it."""
        environ: dict[str, Any] = super().get_environment()
        if self.channel.server.open_reading is not None:
            environ[OPEN_READING] = self.channel.server.open_reading
        if self.request.waited is not None:
            environ[WAITED] = self.request.waited
        if self.request.command == "HEAD":
            environ["wsgi.file_wrapper"] = Unsent
        return environ

    def write(self, data: bytes) -> None:
        """Send the head once, then the data; HEAD has none (RFC 9110, 9.3.2), whatever the application gives."""
        if not self.wrote_header:
            if not self.complete:
                message = "start_response comes before the body"
                raise RuntimeError(message)
            self.channel.hold(self.build_response_header())
            self.wrote_header = True
        super().write(b"" if self.request.command == "HEAD" else data)

    def build_response_header(self) -> bytes:
        """Make the head of the answer; a connection is kept whenever its end can be seen (RFC 9112, 6.3 and 9.3).

        waitress closes it after 304 and 204, and after every chunked body.
        """
        bodiless = self.status[:3] in BODILESS
        lines = [f"HTTP/{self.version} {self.status}"]
        sized = dated = False
        for name, value in self.response_headers:
            lowered = name.lower()
            if lowered == "connection" or (bodiless and lowered == "content-length"):
                continue
            sized |= lowered == "content-length"
            dated |= lowered == "date"
            lines.append(f"{name}: {value}")
        if not dated:
            lines.append(date_line(self.start_time).decode().rstrip())
        if not sized and not bodiless and self.content_length is not None:
            lines.append(f"Content-Length: {self.content_length}")
            sized = True
        endless = not (sized or bodiless or self.request.command == "HEAD")
        asked = self.request.headers.get("CONNECTION", "").lower()
        if self.version == "1.1":
            if endless:
                lines.append("Transfer-Encoding: chunked")
                self.chunked_response = True
            self.close_on_finish |= "close" in asked
        elif asked == "keep-alive" and not endless:
            lines.append("Connection: Keep-Alive")
        else:
            self.close_on_finish = True
        self.close_on_finish |= self.request.unread
        if self.close_on_finish:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def date_line(now: float) -> bytes:
    """Make the Date header (RFC 9110, 6.6.1) and the end of its line; making one costs 2 µs, a look 0.1."""
    global _dated  # noqa: PLW0603 -- one text per second for the whole process; a race makes it twice
    second, line = _dated
    if second != int(now):
        line = f"Date: {build_http_date(now)}\r\n".encode()
        _dated = int(now), line
    return line


_dated = (0, f"Date: {build_http_date(0)}\r\n".encode())
