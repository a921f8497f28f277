"""Telling others that we serve: `daemon.json` for our own programs, sd_notify(3) for systemd."""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)


def notify(environ: Mapping[str, str], message: str) -> bool:
    """Send `READY=1`, `STOPPING=1`, `WATCHDOG=1` … to who started us, and say whether there was someone."""
    address = environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(1.0)
            sender.connect("\0" + address[1:] if address[0] == "@" else address)
            sender.sendall(message.encode())
    except OSError as error:
        logger.warning("systemd was not told %s: %s", message.split("\n", maxsplit=1)[0], error)
        return False
    return True


def watchdog(
    environ: Mapping[str, str],
    moves: Callable[[], bool] = lambda: True,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[], None] | None:
    """Return what the serving loop calls as it turns, None where nobody watches.

    Called about once a second it pings every WATCHDOG_USEC / 2 (sd_watchdog_enabled(3)): from the loop itself and not
    from a thread, which would say that all is well while the loop hangs; and only while `moves` says that the rest does
    not hang either.
    """
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    pause = int(microseconds) / 2e6
    last = clock() - pause

    def ping() -> None:
        nonlocal last
        if clock() - last >= min(pause, max(pause - 1.0, 0.0)) and moves():
            last = clock()
            notify(environ, "WATCHDOG=1")

    return ping


class WorkersMove:
    """Says whether the workers still take what is given to them, by a task of its own that goes through their queue."""

    def __init__(self, add_task: Callable[[object], object]) -> None:
        self._add_task = add_task
        self._taken = True

    def __call__(self) -> bool:
        """Say whether the last task was taken, and give them another one if so; never waits."""
        if not self._taken:
            return False
        self._taken = False
        self._add_task(self)
        return True

    def service(self) -> None:
        """Be taken by a worker."""
        self._taken = True

    def cancel(self) -> None:
        """Be dropped at the end."""
