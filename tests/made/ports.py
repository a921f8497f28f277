"""Ports that take packets and answer none."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def swallowing(port: int) -> Iterator[None]:
    """Have a free port of loopback swallow packets: a listener whose queue is full, so that SYNs go unanswered."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003 -- socket's own face
            filler.connect_ex(("127.0.0.1", port))
        yield
