"""One listening socket of the loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]

from localpi.daemon.channel import Channel

if TYPE_CHECKING:
    import socket

    from localpi.daemon.loop import Loop

ACCEPTS = 32
"""Connections that one listener accepts per turn; waitress takes one."""
ROOM = 16
"""Connections that are closed when there are too many."""

GRACE_S = 5.0
DRIP_S = 30.0
"""How long a request may come slower than any network, when there are too many connections and when there are not."""


class Listener(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """One listening socket; all of a loop share its map, its workers and its application."""

    channel_class = Channel

    def __init__(self, loop: Loop, bound: socket.socket, *, open_reading: bool | None) -> None:
        self.loop = loop
        self.open_reading = open_reading
        super().__init__(
            loop.application,
            map=loop.map,
            _sock=bound,
            dispatcher=loop.workers,
            adj=loop.adjustments,
            sockinfo=(bound.family, bound.type, bound.proto, bound.getsockname()),
            bind_socket=False,
        )

    def add_task(self, task: Channel) -> None:
        """Let the loop decide who answers; called with the channel's lock held."""
        self.loop.arrive(task)

    def pull_trigger(self) -> None:
        """Wake the loop; it is awake when it is the one who asks."""
        self.loop.wake()

    def handle_accept(self) -> None:
        """Accept what has come, up to ACCEPTS: waitress takes one per turn."""
        self._accept(ACCEPTS)

    def _accept(self, most: int) -> None:
        for _ in range(most):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                return

    def readable(self) -> bool:
        """Say whether to accept; at the limit some go who keep us waiting: the idle first, then the longest silent."""
        if self.accepting and len(self._map) >= self.adj.connection_limit:
            now = time.time()
            waiting = [each for each in self.loop.channels() if _may_go(each, now)]
            for channel in sorted(waiting, key=_idle_then_silent)[:ROOM]:
                self.loop.let_go(channel)
        return bool(super().readable())

    def maintenance(self, now: float) -> None:
        """Close who has been silent for long, idle or not taking what is there for it, and who drips a request.

        waitress marks them and waits until it can write, which it never can to a client that does not read.
        """
        cutoff = now - self.adj.channel_timeout
        for channel in tuple(self.active_channels.values()):
            silent = channel.last_activity < cutoff and (channel.total_outbufs_len or not channel.requests)
            if silent or _drips(channel):
                self.loop.let_go(channel)

    def finish(self) -> None:
        """Take who is in the queue already, and no one after that; workers can still wake the loop."""
        if self.accepting:
            self._accept(self.adj.backlog)
            wasyncore.dispatcher.close(self)


def _may_go(channel: Channel, now: float) -> bool:
    """Say whether a newcomer may have its place: it is idle, drips a request, or has stopped taking its answer."""
    if channel.requests:
        return False
    if channel.total_outbufs_len:
        return channel.writable() and now - channel.last_activity > GRACE_S
    if channel.request is not None:
        return channel.request.drips(GRACE_S)
    return channel.served > 0 or now - channel.last_activity > GRACE_S  # a newcomer has not been read yet


def _drips(channel: Channel) -> bool:
    """Say whether a request has been coming for long and is nowhere near its end."""
    if channel.request is None or channel.requests or channel.total_outbufs_len:
        return False
    return channel.request.drips(DRIP_S)


def _idle_then_silent(channel: Channel) -> tuple[bool, float]:
    return not channel.is_idle(), float(channel.last_activity)
