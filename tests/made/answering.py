"""How a made upstream puts an answer on the wire, well or badly."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from made.faults import Chunked, CloseEarly, Drip, Fault, Garbage, HoldBody, NoLength, Stall, WrongLength

if TYPE_CHECKING:
    import socket
    from threading import Event

_PIECE = 262_144


class Gone(Exception):  # noqa: N818 - not an error, the end of a test
    """The server is closing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(connection: socket.socket, answer: Answer, fault: Fault | None, *, head: bool, closing: Event) -> bool:
    """Send it as the fault says; True when the connection may be used again."""
    match fault:
        case Garbage(data):
            connection.sendall(data)
            return False
        case CloseEarly(after) if after < 0:
            return False
    start = _start(answer, fault)
    body = b"" if head or answer.status == 304 else answer.body
    match fault:
        case Drip(every_s, size, headers):
            if not headers:
                connection.sendall(start)
            _drip(connection, start + body if headers else body, every_s, size, closing)
        case Stall(after):
            connection.sendall(start + body[:after])
            connection.recv(1)  # until the client gives up or the server closes
            return False
        case HoldBody(release, after):
            connection.sendall(start + body[:after])
            while not release.wait(0.05):
                if closing.is_set():
                    raise Gone
            connection.sendall(body[after:])
        case CloseEarly(after):
            connection.sendall(start + body[:after])
            return False
        case WrongLength() | NoLength():
            connection.sendall(start + body)
            return False
        case Chunked(cut):
            connection.sendall(start)
            for at in range(0, len(body), _PIECE):
                piece = body[at : at + _PIECE]
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            if cut:
                return False
            connection.sendall(b"0\r\n\r\n")
        case _:
            connection.sendall(start + body)
    return True


def _start(answer: Answer, fault: Fault | None) -> bytes:
    headers = dict(answer.headers)
    match fault:
        case NoLength():
            headers["Connection"] = "close"
        case Chunked():
            headers["Transfer-Encoding"] = "chunked"
        case WrongLength(by):
            headers |= {"Content-Length": str(len(answer.body) + by), "Connection": "close"}
        case _ if answer.status != 304:
            headers["Content-Length"] = str(len(answer.body))
    lines = [f"HTTP/1.1 {answer.status} Made", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _drip(connection: socket.socket, data: bytes, every_s: float, size: int, closing: Event) -> None:
    for at in range(0, len(data), size):
        connection.sendall(data[at : at + size])
        if closing.wait(every_s):
            raise Gone


@functools.cache
def bomb(size: int) -> bytes:
    """A gzip body of many small pieces' worth of blanks, made once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blank = b" " * 1_000_000
    pieces = [packer.compress(blank) for _ in range(size // len(blank))]
    return b"".join([*pieces, packer.flush()])
