"""One total deadline for all that a request does.

Socket timeouts bound one wait each: a server that drips a byte a second holds a request for hours. So a thread, the
reaper, shuts the connection when the deadline is over, whatever the request is waiting for. A shut connection looks
like a short answer: whoever reads one asks `Deadline.over` before believing it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


TICK_S = 0.1
"""How late a deadline may be noticed. Looking so often while requests are under way costs nothing; a lock that each
read of each download takes to tell of its new deadline cost three quarters of a cold set's time (measured)."""


class Reaper:
    """Looks after the deadlines of one `Upstream`; sleeps while there are none."""

    def __init__(self) -> None:
        self._live: set[Deadline] = set()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def deadline(self, seconds: float) -> Deadline:
        """A deadline that many seconds from now; a context manager, which it must be used as."""
        return Deadline(self, seconds)

    def keep(self, deadline: Deadline) -> None:
        """Take charge of it."""
        with self._lock:
            self._live.add(deadline)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, daemon=True, name="upstream-reaper")
                self._thread.start()
            if not self._wanted.is_set():
                self._wanted.set()

    def drop(self, deadline: Deadline) -> None:
        """Its request is done."""
        with self._lock:
            self._live.discard(deadline)
        deadline.unwatch()

    def close(self) -> None:
        """End the thread; what is still under way is over."""
        self._closed.set()
        self._wanted.set()
        for deadline in self._take(lambda _: True):
            deadline.end()
        if self._thread is not None:
            self._thread.join(5)

    def _take(self, due: Callable[[Deadline], bool]) -> tuple[Deadline, ...]:
        with self._lock:
            taken = tuple(deadline for deadline in self._live if due(deadline))
            self._live.difference_update(taken)
            return taken

    def _run(self) -> None:
        while not self._closed.is_set():
            now = time.monotonic()
            for deadline in self._take(lambda deadline: deadline.at <= now):  # noqa: B023 - called at once
                deadline.end()
            with self._lock:
                if not self._live and not self._closed.is_set():
                    self._wanted.clear()
            self._wanted.wait()
            self._closed.wait(TICK_S)


class Deadline:
    """A point in time (monotonic) and, while a connection is under way, a handle of its own to shut it with.

    The handle is a duplicate: TLS detaches the socket it wraps, `SSLSocket.shutdown` would hand the rest of the
    ciphertext to the reader as plain text, and a closed descriptor's number may belong to someone else by then.
    """

    def __init__(self, reaper: Reaper, seconds: float) -> None:
        self.at = time.monotonic() + seconds
        self.seconds = seconds
        self.over = False
        self._reaper = reaper
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None

    def __enter__(self) -> Self:
        self._reaper.keep(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._reaper.drop(self)

    def left(self) -> float:
        """Seconds left, never under 10 ms: socket timeouts of 0 mean something else."""
        return max(0.01, self.at - time.monotonic())

    def extend(self, seconds: float) -> None:
        """Begin anew with that many seconds from now; does not wake the dead."""
        self.seconds = seconds
        self.at = time.monotonic() + seconds

    def watch(self, fileno: int) -> None:
        """From now on this connection is the one to shut; TimeoutError when it is too late already."""
        handle = socket.socket(fileno=os.dup(fileno))
        with self._lock:
            self._let_go()
            if self.over or time.monotonic() >= self.at:
                self.over = True
                handle.close()
                raise TimeoutError("the deadline is over")
            self._handle = handle

    def unwatch(self) -> None:
        """The connection goes back to its pool: it must not be shut any more."""
        with self._lock:
            self._let_go()

    def end(self) -> None:
        """Shut what is under way."""
        with self._lock:
            self.over = True
            if self._handle is not None:
                with contextlib.suppress(OSError):  # it was not connected any more
                    self._handle.shutdown(socket.SHUT_RDWR)
                self._let_go()

    def _let_go(self) -> None:
        """Close the handle, not the connection (lock held)."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
