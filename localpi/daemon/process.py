"""The daemon from its first line to its last: what is taken, in which order, and how it is given back."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localpi import __version__
from localpi.daemon.chores import Chores
from localpi.daemon.limits import limit_arenas, raise_open_files, share_interpreter
from localpi.daemon.listen import is_loopback, open_sockets
from localpi.daemon.lock import held
from localpi.daemon.log import FILE_ONLY, logging_to
from localpi.daemon.ready import WorkersMove, notify, watchdog
from localpi.daemon.restore import finish_restore
from localpi.errors import LocalpiError
from localpi.settings.private import UMASK
from localpi.settings.running import RunningDaemon, local_url, remove_running, write_running

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from localpi.daemon.compose import House
    from localpi.daemon.loop import Loop
    from localpi.settings.load import Settings
    from localpi.settings.paths import Paths

logger = logging.getLogger(__name__)

FORM_BYTES = 16 << 20
"""What an upload's form may have beside the file."""


def serve(settings: Settings, paths: Paths, *, quiet: bool = False) -> int:
    """Run the daemon until SIGTERM or SIGINT, drain, and return 0.

    CannotStart (AlreadyRunning, PortTaken, NewerDatabase …) when it cannot; StoreBroken, DiskFull, OSError. `quiet`
    keeps stderr empty, where it is a file that nobody rotates.
    """
    began = time.monotonic()
    os.umask(UMASK)
    raise_open_files()
    limit_arenas()
    share_interpreter()
    paths.make()
    with ExitStack() as stack:
        stack.enter_context(held(paths.lock_file))
        aloud = settings.log_level == "debug"
        stack.enter_context(logging_to(paths.log_file, settings.log_level, aloud=aloud, quiet=quiet))
        stack.enter_context(_noted())
        finish_restore(paths)
        sockets = open_sockets(settings.host, settings.port, os.environ, settings.listen)
        for each in sockets:
            stack.callback(each.close)
        _keep_temporary_files_in(paths)
        stops = stack.enter_context(_stopping_on_signals())
        house = _compose(settings, paths, sockets)
        stack.callback(house.close)
        chores = Chores(house.chores())
        stack.callback(chores.stop)
        chores.start()
        loop = _make_loop(house, sockets, settings)
        stack.enter_context(_announced(paths, sockets[0], began))
        stops.tell(loop)
        loop.run()
    return 0


@contextmanager
def _noted() -> Iterator[None]:
    """Put into the log why it cannot start: what a service prints is read by nobody. Our caller tells the terminal."""
    try:
        yield
    except LocalpiError as error:
        hint = f" ({error.hint})" if error.hint else ""
        logger.error("%s: %s%s", error.title, error.message, hint, extra=FILE_ONLY)  # noqa: TRY400 -- a refusal, no fault
        raise


def _keep_temporary_files_in(paths: Paths) -> None:
    """Put spooled bodies on the disk where they will stay; /tmp is memory on many machines."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(paths.data)


def _compose(settings: Settings, paths: Paths, sockets: list[socket.socket]) -> House:
    from localpi.daemon.compose import compose  # noqa: PLC0415 -- 200 ms; who is refused need not wait for it

    addresses = [(str(each.getsockname()[0]), int(each.getsockname()[1])) for each in sockets]
    reading_open = any(_reads_openly(each, settings) for each in sockets)
    return compose(settings, paths, dict(os.environ), addresses=addresses, reading_open=reading_open)


def _reads_openly(bound: socket.socket, settings: Settings) -> bool:
    """Say whether who comes in here may install without a credential: from this machine, or by the setting."""
    return settings.open_reading or is_loopback(bound)


def _make_loop(house: House, sockets: list[socket.socket], settings: Settings) -> Loop:
    from localpi.daemon.loop import Loop  # noqa: PLC0415 -- as above

    loop = Loop(house.application, threads=settings.threads, max_body=settings.upload_max_size + FORM_BYTES)
    for each in sockets:
        loop.listen(each, open_reading=_reads_openly(each, settings))
    loop.beat = watchdog(os.environ, WorkersMove(loop.workers.add_task))
    return loop


@contextmanager
def _announced(paths: Paths, bound: socket.socket, began: float) -> Iterator[None]:
    """Tell our programs and systemd that we serve, while the block runs: connections are taken already."""
    running = _describe(bound)
    write_running(paths, running)
    try:
        logger.info("localpi %s at %s, ready after %.2f s", __version__, running.url, time.monotonic() - began)
        notify(os.environ, f"READY=1\nSTATUS=serving at {running.url}")
        yield
    finally:
        remove_running(paths)
        notify(os.environ, "STOPPING=1")
        logger.info("localpi ends")


def _describe(bound: socket.socket) -> RunningDaemon:
    host, port = bound.getsockname()[:2]
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return RunningDaemon(os.getpid(), host, port, local_url(host, port), started, __version__)


class Stops:
    """Passes signals on to the loop, those that came before there was one too."""

    def __init__(self) -> None:
        self._came = 0
        self._loop: Loop | None = None

    def come(self, _number: int, _frame: object) -> None:
        """Handle a signal; nothing is logged here, the log may be what it interrupted."""
        self._came += 1
        if self._loop is not None:
            self._loop.stop()

    def tell(self, loop: Loop) -> None:
        """Pass on what came and what will come."""
        self._loop = loop
        for _ in range(self._came):
            loop.stop()


@contextmanager
def _stopping_on_signals() -> Iterator[Stops]:
    stops = Stops()
    if threading.current_thread() is not threading.main_thread():
        yield stops
        return
    before: dict[signal.Signals, Callable[..., object] | int | None] = {}
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            before[number] = signal.signal(number, stops.come)
    try:
        yield stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
