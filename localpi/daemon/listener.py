"""One listening socket of the loop."""

from __future__ import annotations

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
"""Idle connections that are closed when there are too many."""


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
        """Say whether to accept; at the limit the longest idle connections go first."""
        if self.accepting and len(self._map) >= self.adj.connection_limit:
            idle = sorted((each for each in self.loop.channels() if each.is_idle()), key=_last_activity)
            for channel in idle[:ROOM]:
                channel.will_close = True
        return bool(super().readable())

    def maintenance(self, now: float) -> None:
        """Close who has been silent for long: idle, or not taking what is there for it."""
        cutoff = now - self.adj.channel_timeout
        for channel in self.active_channels.values():
            if channel.last_activity < cutoff and (channel.total_outbufs_len or not channel.requests):
                channel.will_close = True

    def finish(self) -> None:
        """Take who is in the queue already, and no one after that; workers can still wake the loop."""
        if self.accepting:
            self._accept(self.adj.backlog)
            wasyncore.dispatcher.close(self)


def _last_activity(channel: Channel) -> float:
    return float(channel.last_activity)
