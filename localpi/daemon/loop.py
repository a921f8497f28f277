"""The serving loop: one thread that reads, answers what is ready, writes, and looks after what waits.

waitress's dispatchers under our own turn, since only after all channels have been asked is it known how long to sleep.
No callbacks: what is parked or starving is looked at every 10 ms, by this thread.
"""

from __future__ import annotations

import contextlib
import logging
import select
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

from localpi.daemon.hits import Hits
from localpi.daemon.limits import adjust
from localpi.daemon.listener import Listener
from localpi.daemon.unread import close_unread

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping

    from localpi.daemon.channel import Channel
    from localpi.web.hot import Hot

logger = logging.getLogger(__name__)

TICK_MS = 10
IDLE_MS = 1000
DRAIN_S = 10.0
FRESH_S = 1.0
"""While draining: how long a connection that never asked anything may take to do so."""
_READ, _WRITE = select.POLLIN | select.POLLPRI, select.POLLOUT


class Application(Protocol):
    """What the loop serves: WSGI (PEP 3333), and what of it is ready."""

    def __call__(self, environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]:
        """Answer a request."""

    def wants_body(self, method: str, headers: Mapping[str, str], /) -> bool:
        """Say whether a large body is worth waiting for; runs on the loop thread and must not block."""

    def make_room(self, method: str, headers: Mapping[str, str], size: int, /) -> Callable[[], bool] | None:
        """Have room made for a body; None when there is, else what says whether that is done. Must not block."""

    def find_hot(self, method: str, path: str, query: str, headers: Mapping[str, str], /) -> Hot | None:
        """Give the ready answer to a GET or HEAD without a body, or None; on the loop thread, must not block."""

    def changing_head(self) -> bytes:
        """Give the header lines of a ready answer that are not the same each time; as above."""


class Loop:
    """Serves an application on any number of sockets until `stop`; `run` belongs to one thread."""

    def __init__(self, application: Application, *, threads: int = 8, max_body: int = 1 << 32) -> None:
        self.application = application
        self.hits = Hits(application)
        self.map: dict[int, Any] = {}
        self.adjustments = adjust(threads=threads, max_body=max_body)
        self.workers = ThreadedTaskDispatcher()
        self.workers.set_thread_count(threads)
        self.listeners: list[Listener] = []
        self.hungry = False
        """Set while the channels are asked: one of them starves."""
        self.beat: Callable[[], None] | None = None
        """Called about once a second by a loop that turns."""
        self._next_beat = 0.0
        self._leaving: list[Channel] = []
        self._arrived: deque[Channel] = deque()
        self._parking: deque[Channel] = deque()
        self._parked: list[Channel] = []
        self._stops = 0
        self._thread = 0
        self._ended = False

    # -- any thread --------------------------------------------------------------------------------------------------

    def listen(self, bound: socket.socket, *, open_reading: bool | None = None) -> Listener:
        """Serve a bound socket as well; it is the loop's from now on.

        `open_reading` says whether who comes in here may read without a credential (None: the application says it);
        where it needs one, a worker looks at each request.
        """
        listener = Listener(self, bound, open_reading=open_reading)
        self.listeners.append(listener)
        return listener

    def stop(self) -> None:
        """Drain and end; a second time: end at once. May be called by a signal handler.

        No new connections are taken, idle ones are closed, running ones have DRAIN_S.
        """
        self._stops += 1
        self._pull()  # a signal handler runs in the loop thread, and the sleep goes on after it

    def is_here(self) -> bool:
        """Say whether the caller is the loop thread."""
        return threading.get_ident() == self._thread

    def arrive(self, channel: Channel) -> None:
        """Take a channel whose next request is complete."""
        self._arrived.append(channel)
        self.wake()

    def hand_over(self, channel: Channel) -> None:
        """Let a worker answer."""
        self.workers.add_task(channel)

    def park(self, channel: Channel) -> None:
        """Take a channel whose request waits for something, and its worker back."""
        self._parking.append(channel)
        self.wake()

    def channels(self) -> list[Channel]:
        """Return the open connections."""
        return [channel for listener in self.listeners for channel in list(listener.active_channels.values())]

    def wake(self) -> None:
        """End the loop's sleep, if it may be asleep."""
        if not self.is_here():
            self._pull()

    def _pull(self) -> None:
        if self.listeners and not self._ended:
            with contextlib.suppress(OSError):  # it ended meanwhile: the trigger is closed
                self.listeners[0].trigger.pull_trigger()

    # -- the loop thread ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until `stop`, drain, and close everything."""
        self._thread = threading.get_ident()
        try:
            while not self._stops:
                self._turn(IDLE_MS)
            self._drain()
        finally:
            self._close()

    def let_go(self, channel: Channel) -> None:
        """Close a connection at the end of this sleep: before it, its number may come back as another's."""
        self._leaving.append(channel)

    def _turn(self, idle_ms: int) -> None:
        self._poll(idle_ms)
        while self._leaving:
            channel = self._leaving.pop()
            if channel.connected and (channel.total_outbufs_len or not channel.requests):
                channel.handle_close()
        self._answer_arrived()
        self._rerun_parked()
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + 1.0
            close_unread(self.channels(), time.time())
            if self.beat is not None:
                self.beat()

    def _poll(self, idle_ms: int) -> None:
        """Ask everyone what they want, sleep until the first gets it, let each do its part."""
        self.hungry = False
        pollster = select.poll()
        for descriptor, each in list(self.map.items()):
            flags = _READ if each.readable() else 0
            if each.writable() and not each.accepting:
                flags |= _WRITE
            if flags:
                pollster.register(descriptor, flags)
        waiting = self.hungry or self._parked or self._parking or self._leaving
        sleep_ms = 0 if self._has_next() else TICK_MS if waiting else idle_ms
        for descriptor, flags in pollster.poll(sleep_ms):
            found = self.map.get(descriptor)
            if found is not None:
                wasyncore.readwrite(found, flags)

    def _answer_arrived(self) -> None:
        """Answer hits here (the handoff to a worker is what costs: 4,300 req/s against 15,000), hand over the rest.

        Only when the answer before it is out: a client that pipelines and does not read would else hold up the loop.
        """
        for _ in range(len(self._arrived)):
            channel = self._arrived.popleft()
            if not channel.connected:
                channel.abandon()
            elif channel.total_outbufs_len:
                self._arrived.append(channel)
            elif not self.hits.answer(channel):
                self.hand_over(channel)

    def _has_next(self) -> bool:
        """Say whether a pipelined request can be answered: what is before it in its channel has gone out."""
        return any(not channel.total_outbufs_len for channel in tuple(self._arrived))

    def _rerun_parked(self) -> None:
        """Run again what is ready or has waited long enough; what was dropped with its client is forgotten."""
        while self._parking:
            self._parked.append(self._parking.popleft())
        if not self._parked:
            return
        now = time.monotonic()
        still: list[Channel] = []
        for channel in self._parked:
            parked = channel.parked
            if parked is None:
                continue
            if not channel.connected:
                channel.parked = None
                channel.abandon()
            elif now >= parked.until or _is_ready(parked.ready):
                channel.parked = None
                self.hand_over(channel)
            else:
                still.append(channel)
        self._parked = still

    def _drain(self) -> None:
        for listener in self.listeners:
            listener.finish()
        until = time.monotonic() + DRAIN_S
        while self._stops < 2 and time.monotonic() < until:
            fresh = time.time() - FRESH_S
            for channel in self.channels():
                if channel.is_idle() and (channel.served or channel.creation_time < fresh):
                    channel.handle_close()
            if not self.channels():
                return
            self._turn(TICK_MS * 10)
        logger.warning("%d connections were cut", len(self.channels()))

    def _close(self) -> None:
        for channel in self.channels():
            channel.handle_close()
        self.workers.shutdown(timeout=1)
        self._ended = True
        wasyncore.close_all(self.map, ignore_all=True)
        self._thread = 0


def _is_ready(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except Exception:
        logger.exception("asking whether a request can go on failed")
        return True
