"""One connection: waitress's channel, which parks, starves, takes turns and never holds up the loop.

Threads: the loop thread reads, writes and closes; a worker (or, for a hit, the loop thread) runs `service`.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import time
from typing import TYPE_CHECKING

from waitress.channel import ClientDisconnected, HTTPChannel  # type: ignore[import-untyped]

from localpi.daemon.sending import SLICE, CutShortError, begin, send_from
from localpi.daemon.task import InsufficientStorage, Request, Task
from localpi.store.growing import Growing
from localpi.web.parked import Parked

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

    from localpi.daemon.listener import Listener

logger = logging.getLogger(__name__)

SMALL = 64 << 10
LINGER_S = 30.0
"""How long the rest of a refused request is read, to be thrown away (RFC 9112, 9.6)."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
GONE = frozenset({errno.ECONNRESET, errno.ENOTCONN, errno.ESHUTDOWN, errno.ECONNABORTED, errno.EPIPE, errno.EBADF})
SLOW_READER_S = 30.0
"""How long a worker may wait for the client to take what was made already."""


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection and the requests in it, of which one is answered at a time."""

    task_class = Task
    parser_class = Request

    server: Listener
    requests: list[Request]
    request: Request | None
    close_when_flushed: bool
    parked: Parked | None = None
    """What the first request waits for; set by a worker, taken back by the loop thread alone."""
    making_room: Callable[[], bool] | None = None
    """Says whether room for the body has been looked for; the rest of it is not read before."""
    answering = False
    """Whether the application runs and may still give bytes."""
    served = 0
    will_close: bool
    _refusing = False  # a request was refused while more of it is coming
    _lingering_until = 0.0
    _unread = False  # more bytes are waiting behind the request, so that the end of them cannot be seen

    # -- the loop thread ---------------------------------------------------------------------------------------------

    def readable(self) -> bool:
        """Say whether to look for bytes; while it is parked or starves, only whether the client has gone."""
        if self._lingering_until:
            return True
        if self.making_room is not None:
            if not self.making_room():
                self.server.loop.hungry = True
                return False
            self.making_room = None
        if self.parked is not None or self._is_starving():
            return not self._unread and not self.will_close
        return bool(super().readable())

    def handle_read(self) -> None:
        """Read requests, or notice that the client of a waiting one has gone."""
        if self._lingering_until:
            self.recv(self.adj.recv_bytes)
            if time.monotonic() > self._lingering_until:
                self.handle_close()
            return
        if not self.requests and not self.total_outbufs_len:
            self._unread = False
            super().handle_read()
            return
        try:
            gone = not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self.handle_close()
        else:
            self._unread = True

    def received(self, data: bytes) -> bool:
        """Take bytes of requests; a body that finds no room on the disk is refused (RFC 4918, 11.5)."""
        if (
            self.request is None
            and not self.requests
            and not (self.will_close or self.close_when_flushed)  # a worker may have ended with that just now
            and self.server.loop.hits.answer_again(self, data)
        ):
            return True
        try:
            taken = bool(super().received(data))
        except OSError as error:
            if error.errno not in FULL or self.request is None:
                raise
            self.request.error = InsufficientStorage(os.strerror(error.errno))
            self._answer_now(self.request)
            taken = True
        request = self.request
        if request is not None and not request.judged and request.is_large():
            request.judged = True
            if not self.server.loop.application.wants_body(request.command, request.headers):
                request.unread = True
                self._answer_now(request)
                request = None
        if request is not None and not request.has_room and request.is_long():
            request.has_room = True
            self.making_room = self.server.loop.application.make_room(
                request.command, request.headers, request.content_length
            )
        self._refusing = self._refusing or any(request.error or request.unread for request in self.requests)
        return taken

    def _answer_now(self, request: Request) -> None:
        """Answer a request that is still coming, and throw away the rest of it."""
        self.request = None
        with self.requests_lock:
            self.requests.append(request)
            if len(self.requests) == 1:
                self.server.add_task(self)

    def handle_write(self) -> None:
        """Send what is there. After a refusal read on: closed at once, the client would lose the answer to a reset."""
        if not self._refusing or self.requests:
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif self.close_when_flushed and not self.total_outbufs_len:
            self.close_when_flushed = False
            self._lingering_until = time.monotonic() + LINGER_S
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)

    def writable(self) -> bool:
        """Say whether there is something to send now: a starving file has nothing yet, a broken one never will."""
        growing = self._growing()
        if growing is not None and not self.will_close:
            if growing.broken():
                logger.info("%s: transfer broken off, its source failed", self.addr[0])
                self.will_close = True
            elif growing.starving():
                self.server.loop.hungry = True
                return False
        return bool(super().writable())

    def is_idle(self) -> bool:
        """Say whether nothing is on its way in or out."""
        return not (self.requests or self.total_outbufs_len or self.request is not None)

    def handle_close(self) -> None:
        """Close the connection; what was parked in it is dropped."""
        super().handle_close()
        if self.request is not None:
            self.request.close()
        if self.parked is not None:
            self.parked = None
            self.abandon()

    def abandon(self) -> None:
        """Drop the requests of a connection that has gone; not while a worker runs one."""
        with self.requests_lock:
            for request in self.requests:
                request.close()
            self.requests = []

    def send_ready(self, head: bytes, body: bytes | None, file: FileIO | None) -> None:
        """Begin to send a ready answer; nothing else is unsent. What the socket does not take goes in later turns."""
        self.served += 1
        self.last_activity = time.time()
        try:
            self.total_outbufs_len = begin(self.socket, self.outbufs, head, body, file)
        except OSError as error:  # whatever it is: raised here it would end the loop
            if error.errno not in GONE:
                logger.warning("%s: sending failed: %s", self.addr[0], error)
            self.handle_close()

    def _growing(self) -> Growing | None:
        if not self.total_outbufs_len:
            return None
        file = getattr(self.outbufs[0], "file", None)
        return file if isinstance(file, Growing) else None

    def _is_starving(self) -> bool:
        growing = self._growing()
        return growing is not None and growing.starving()

    # -- any thread --------------------------------------------------------------------------------------------------

    def service(self) -> None:
        """Answer the first request; when it is parked it stays first, with its body."""
        request = self.requests[0]
        self.answering = True
        self.served += 1
        try:
            super().service()
        except Parked as parked:
            self.answering = False
            request.rewind()
            if request.waited is None:
                request.waited = time.monotonic()
            self.parked = parked
            self.server.loop.park(self)

    def hold(self, head: bytes) -> None:
        """Take the head of an answer: it goes out with what follows it."""
        with self.outbuf_lock:
            if not self.connected:
                raise ClientDisconnected
            self.outbufs[-1].append(head)
            self.current_outbuf_count += len(head)
            self.total_outbufs_len += len(head)

    def send_held(self) -> None:
        """Let a head go out that nothing followed."""
        with self.outbuf_lock:
            if self.connected and 0 < self.total_outbufs_len < SMALL:
                self._flush_exception(self._flush_some, do_close=False)

    def _flush_some(self, do_close: bool = True) -> bool:  # noqa: FBT001, FBT002 -- waitress's signature
        """Send up to SLICE bytes of what is there; say whether anything went out."""
        sent = 0
        while sent < SLICE:
            if self.outbufs[0].__len__() <= 0:  # waitress's: len() of a large one is no C int everywhere
                if len(self.outbufs) == 1:
                    break
                self.outbufs.pop(0).close()
                continue
            taken = self._send_some(SLICE - sent, do_close=do_close)
            if not taken:
                break
            self.total_outbufs_len -= taken
            sent += taken
        if sent:
            self.last_activity = time.time()
        return sent > 0

    def _send_some(self, most: int, *, do_close: bool) -> int:
        try:
            return send_from(self.socket, self.outbufs, most)
        except BlockingIOError:
            return 0
        except CutShortError:
            logger.error("a file is shorter than it was when it was opened: connection closed")  # noqa: TRY400 -- where is no news
            self.will_close = True
            return 0
        except OSError as error:
            if error.errno not in GONE:
                raise
            if do_close:
                self.handle_close()
            return 0

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Let a worker that makes more than the client takes wait, not for ever; nothing else waits.

        Neither the loop thread (waitress deadlocks there) nor a worker between two pipelined requests: the next one
        begins when the answer before it is out.
        """
        if self.total_outbufs_len <= self.adj.outbuf_high_watermark:
            return
        if not self.answering or self.server.loop.is_here():
            return
        until = time.monotonic() + SLOW_READER_S
        with self.outbuf_lock:
            self._flush_exception(self._flush_some, do_close=False)
            while self.connected and not self.will_close and self.total_outbufs_len > self.adj.outbuf_high_watermark:
                self.server.pull_trigger()
                if not self.outbuf_lock.wait(until - time.monotonic()):
                    raise ClientDisconnected
