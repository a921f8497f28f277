"""A TCP connection to whichever address of a host answers first (RFC 8305, without its preferences)."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.upstream.lookup import Address

HEAD_START_S: Final = 0.25
"""How long an address may take before the next one is tried beside it (RFC 8305 section 5)."""

_MOST: Final = 8


def connect_any(addresses: Sequence[Address], within_s: float) -> socket.socket:
    """A connected, blocking socket with Nagle's delay off.

    TimeoutError when nobody answered in time, else the OSError of the address that failed last.
    """
    attempts = _Attempts(_alternating(addresses)[:_MOST])
    try:
        winner = attempts.first(time.monotonic() + within_s)
        winner.settimeout(None)
        winner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    finally:
        attempts.close()
    return winner


class _Attempts:
    def __init__(self, addresses: Sequence[Address]) -> None:
        self._waiting = list(addresses)
        self._selector = selectors.DefaultSelector()
        self._open: set[socket.socket] = set()
        self._error: OSError = TimeoutError("no address answered")

    def first(self, end: float) -> socket.socket:
        next_at = 0.0
        while True:
            now = time.monotonic()
            if self._waiting and (now >= next_at or not self._open):
                if (begun := self._begin(self._waiting.pop(0))) is not None:
                    return begun
                next_at = now + HEAD_START_S
                continue
            if not self._open and not self._waiting:
                raise self._error
            if now >= end:
                raise TimeoutError("no address answered")
            for key, _ in self._selector.select((min(end, next_at) if self._waiting else end) - now):
                sock: socket.socket = key.data
                self._selector.unregister(sock)
                self._open.discard(sock)
                if self._answered(sock, sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                    return sock

    def close(self) -> None:
        for sock in self._open:
            sock.close()
        self._selector.close()

    def _begin(self, address: Address) -> socket.socket | None:
        family, kind, protocol, _, target = address
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # a kernel without IPv6
            self._error = error
            return None
        sock.settimeout(0)
        code = sock.connect_ex(target)
        if code == errno.EINPROGRESS:
            self._open.add(sock)
            self._selector.register(sock, selectors.EVENT_WRITE, data=sock)
            return None
        return sock if self._answered(sock, code) else None

    def _answered(self, sock: socket.socket, code: int) -> bool:
        if code == 0:
            return True
        sock.close()
        self._error = OSError(code, os.strerror(code))
        return False


def _alternating(addresses: Sequence[Address]) -> list[Address]:
    """The resolver's order with the families taken in turns, so that a dead IPv6 costs one head start."""
    if not addresses:
        return []
    first = [item for item in addresses if item[0] == addresses[0][0]]
    other = [item for item in addresses if item[0] != addresses[0][0]]
    return [item for item in chain.from_iterable(zip_longest(first, other)) if item is not None]
