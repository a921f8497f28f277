"""Notices that the machine is somewhere else now: interfaces, the default route, sleep, credentials renewed.

Looked at each two seconds, without a packet: a change makes idle connections worthless, and what was unreachable may be
there again.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from localpi.index.watch import Watch

log = logging.getLogger(__name__)

EVERY_S = 2.0
ASLEEP_S = 15.0
"""A pause between two looks that is so much longer than it should be: the machine slept, or as good as."""

# Connecting a datagram socket sends nothing; it says by which address the default route leaves (RFC 5737, 3849).
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_PASSING = ("fe80:",)

Places = tuple[tuple[str, ...], tuple[str, ...]]


class Network:
    """Compares how things are with how they were; `files` are those that hold credentials."""

    def __init__(
        self,
        watch: Watch,
        files: tuple[Path, ...],
        *,
        places: Callable[[], Places] | None = None,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch, self._files = watch, files
        self._places, self._wall, self._monotonic = places or where_we_are, wall, monotonic
        self._was: Places | None = None
        self._times = (wall(), monotonic())
        self._stamps = self._read_stamps()

    def look(self) -> str:
        """Look once; what was noticed, "" when nothing was."""
        noticed = self._slept() or self._moved()
        if noticed:
            self._watch.network_changed(noticed)
            return noticed
        stamps = self._read_stamps()
        if stamps != self._stamps:
            self._stamps = stamps
            self._watch.probe_now("credentials changed", states=("auth",))
            return "credentials changed"
        return ""

    def _slept(self) -> str:
        """Compare the wall clock, which goes on while a machine sleeps, with the monotonic one and with our pace."""
        wall, monotonic = self._wall(), self._monotonic()
        since_wall, since_monotonic = wall - self._times[0], monotonic - self._times[1]
        self._times = (wall, monotonic)
        asleep = max(since_wall - since_monotonic, since_monotonic - EVERY_S)
        return f"the machine was asleep for {asleep:.0f} s" if asleep > ASLEEP_S else ""

    def _moved(self) -> str:
        places = self._places()
        was, self._was = self._was, places
        return "the network has changed" if was is not None and was != places else ""

    def _read_stamps(self) -> tuple[tuple[int, int], ...]:
        stamps = []
        for path in self._files:
            try:
                state = path.stat()
                stamps.append((state.st_mtime_ns, state.st_ino))
            except OSError:
                stamps.append((0, 0))
        return tuple(stamps)


def where_we_are() -> Places:
    """Return the addresses of the interfaces that are up, and those by which packets leave for elsewhere."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    own = tuple(
        sorted(
            f"{name} {each.address}"
            for name, several in psutil.net_if_addrs().items()
            for each in several
            if name in up and each.family in (socket.AF_INET, socket.AF_INET6) and not each.address.startswith(_PASSING)
        )
    )
    return own, tuple(_leaves_by(family, there) for family, there in _ELSEWHERE)


def _leaves_by(family: socket.AddressFamily, there: str) -> str:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((there, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""
