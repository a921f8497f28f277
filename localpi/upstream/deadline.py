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
from typing import Self


class Reaper:
    """Keeps the deadlines of one `Upstream`; sleeps until the next is due."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._live: set[Deadline] = set()
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None
        self._closed = False

    def deadline(self, seconds: float) -> Deadline:
        """A deadline that many seconds from now; a context manager, which it must be used as."""
        return Deadline(self, seconds)

    def keep(self, deadline: Deadline) -> None:
        """Take charge of it."""
        with self.changed:
            self._live.add(deadline)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, daemon=True, name="upstream-reaper")
                self._thread.start()
            self.due(deadline.at)

    def drop(self, deadline: Deadline) -> None:
        """Its request is done."""
        with self.changed:
            self._live.discard(deadline)
            deadline.let_go()

    def due(self, at: float) -> None:
        """Wake up by then (lock held)."""
        if at < self._wakes_at:
            self._wakes_at = at
            self.changed.notify()

    def close(self) -> None:
        """End the thread; what is still under way is over."""
        with self.changed:
            self._closed = True
            for deadline in self._live:
                deadline.end()
            self._live.clear()
            self.changed.notify()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        with self.changed:
            while not self._closed:
                now = time.monotonic()
                for deadline in [item for item in self._live if item.at <= now]:
                    self._live.discard(deadline)
                    deadline.end()
                self._wakes_at = min((item.at for item in self._live), default=float("inf"))
                self.changed.wait(min(self._wakes_at - now, 3600.0))


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
        with self._reaper.changed:
            self.at = time.monotonic() + seconds
            self.seconds = seconds
            self._reaper.due(self.at)

    def watch(self, fileno: int) -> None:
        """From now on this connection is the one to shut; TimeoutError when it is too late already."""
        handle = socket.socket(fileno=os.dup(fileno))
        with self._reaper.changed:
            self.let_go()
            if self.over or time.monotonic() >= self.at:
                self.over = True
                handle.close()
                raise TimeoutError("the deadline is over")
            self._handle = handle

    def unwatch(self) -> None:
        """The connection goes back to its pool: it must not be shut any more."""
        with self._reaper.changed:
            self.let_go()

    def end(self) -> None:
        """Shut what is under way (reaper's lock held)."""
        self.over = True
        if self._handle is not None:
            with contextlib.suppress(OSError):  # it was not connected any more
                self._handle.shutdown(socket.SHUT_RDWR)
            self.let_go()

    def let_go(self) -> None:
        """Close the handle, not the connection (reaper's lock held)."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
