"""One HTTP/1.1 connection that never blocks: the fast half of the clients here (RFC 9112).

http.client copies each body several times and costs more than the servers that are measured.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

Address = tuple[str, int]
BUFFER = 1 << 20  # bytes of one read
LARGEST_HEAD = 64 << 10


class BrokenExchangeError(Exception):
    """The connection ended, or spoke no HTTP, before the answer was complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; `length` counts the bytes of the body, `body` is empty when they were not kept."""

    status: int
    headers: dict[str, str]
    length: int
    body: bytes


def get(path: str, host: str, headers: dict[str, str]) -> bytes:
    """Write a GET request."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Connection:
    """A kept-alive connection with one exchange at a time: `send`, then `receive` whenever it is readable."""

    __slots__ = ("_reading", "address", "ended", "socket")

    def __init__(self, address: Address) -> None:
        self.address = address
        self.socket = _connect(address)
        self.ended = False  # the last answer, or its lack, allows no other request
        self._reading = _Reading(keep=False)

    def send(self, data: bytes, *, keep: bool) -> None:
        """Send a request that fits into the socket's buffer; `keep` the body of the answer or only count it."""
        self._reading = _Reading(keep=keep)
        try:
            sent = self.socket.send(data)
        except OSError as error:
            raise self._broken(str(error)) from error
        if sent != len(data):
            raise self._broken("the request was not taken")

    def receive(self, buffer: memoryview) -> Answer | None:
        """Take what has come, one read; the answer when it is complete."""
        try:
            count = self.socket.recv_into(buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._broken(str(error)) from error
        try:
            complete = self._reading.take(buffer[:count]) if count else self._reading.end()
        except ValueError as error:
            raise self._broken(str(error)) from error
        if not complete:
            return None
        answer = self._reading.answer()
        self.ended = not count or answer.headers.get("connection", "").lower() == "close"
        return answer

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def _broken(self, reason: str) -> BrokenExchangeError:
        self.ended = True
        return BrokenExchangeError(reason)


def _connect(address: Address) -> socket.socket:
    opened = socket.create_connection(address, timeout=10)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.settimeout(0)
    return opened


class _Reading:
    """An answer as far as it has come."""

    __slots__ = ("_body", "_chunks", "_head", "_headers", "_keep", "_left", "_length", "_status")

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._head = bytearray()
        self._status = 0
        self._headers: dict[str, str] | None = None
        self._left: int | None = None  # bytes of the body to come, when they are known
        self._chunks: _Chunks | None = None
        self._length = 0
        self._body = bytearray()

    def take(self, data: memoryview) -> bool:
        """Take bytes; whether the answer is complete."""
        if self._headers is None:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                if len(self._head) > LARGEST_HEAD:
                    raise ValueError("no end of the headers")
                return False
            data = memoryview(bytes(self._head[end + 4 :]))
            self._read_head(self._head[:end].decode("latin-1"))
        body = memoryview(self._chunks.take(data)) if self._chunks else data
        self._length += len(body)
        if self._keep:
            self._body += body
        if self._chunks:
            return self._chunks.ended
        if self._left is None:
            return False
        self._left -= len(body)
        if self._left < 0:
            raise ValueError("more bytes than Content-Length says")
        return not self._left

    def end(self) -> bool:
        """Take the end of the connection, which ends a body without a length."""
        if self._headers is None or self._left is not None or self._chunks:
            raise ValueError("the connection ended early" if self._head else "the connection was closed")
        return True

    def answer(self) -> Answer:
        """Give the complete answer."""
        return Answer(self._status, self._headers or {}, self._length, bytes(self._body))

    def _read_head(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise ValueError(f"no HTTP: {first[:60]!r}")
        self._status = int(rest[:3])
        self._headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        if self._status in {204, 304}:
            self._left = 0
        elif self._headers.get("transfer-encoding", "").lower() == "chunked":
            self._chunks = _Chunks()
        elif "content-length" in self._headers:
            self._left = int(self._headers["content-length"])


class _Chunks:
    """Decodes a chunked body (RFC 9112, 7.1) without trailers."""

    __slots__ = ("_last", "_left", "_raw", "ended")

    def __init__(self) -> None:
        self._raw = bytearray()
        self._left = 0  # of the chunk under way, with the line end after it
        self._last = False
        self.ended = False

    def take(self, data: memoryview) -> bytes:
        """Take bytes; those of the body among them and of what waited."""
        self._raw += data
        body = bytearray()
        while not self.ended:
            if self._left:
                part = self._raw[: self._left]
                if not part:
                    break
                del self._raw[: len(part)]
                self._left -= len(part)
                body += part[: max(0, len(part) - max(0, 2 - self._left))]
                self.ended = self._last and not self._left
                continue
            size, found, _ = bytes(self._raw[:32]).partition(b"\r\n")
            if not found:
                break
            del self._raw[: len(size) + 2]
            length = int(size.split(b";")[0], 16)
            self._left, self._last = length + 2, not length
        return bytes(body)
