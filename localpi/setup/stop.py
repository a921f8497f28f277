"""`down`: asks the daemon to end, as a service or in the background, and waits until it has."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING

import psutil

from localpi.errors import LocalpiError
from localpi.service.outcomes import What
from localpi.settings.running import read_running
from localpi.setup.service import ServiceRefusedError, find_service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.settings.paths import Paths

WAIT_S = 20.0
"""The daemon drains for at most 10 s."""


class Stop(enum.Enum):
    """How it came that no daemon runs."""

    STOPPED = "stopped"
    NOT_RUNNING = "not running"


class StillRunningError(LocalpiError):
    """SIGTERM did not end it in time."""

    code = "still-running"
    title = "The daemon is still running"

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.hint = f"localpi logs, and if nothing moves: kill -9 {pid} (what is committed stays)"
        super().__init__(f"process {pid} has not ended within {WAIT_S:.0f} s of SIGTERM")


def stop(paths: Paths, environ: Mapping[str, str]) -> Stop:
    """Stop the daemon of these folders and wait for its end; raises StillRunningError, ServiceRefusedError.

    A service is stopped as one: a process that is only ended would be started again, by its socket or by launchd.
    """
    service = find_service(paths, environ)
    stopped = False
    if service is not None:
        outcome = service.manager.stop()
        if not outcome.good and outcome.what is not What.UNAVAILABLE:
            raise ServiceRefusedError(outcome)
        stopped = outcome.what is What.STOPPED
    ended = end_process(paths)
    return Stop.STOPPED if stopped else ended


def end_process(paths: Paths) -> Stop:
    """Send SIGTERM to the daemon of these folders and wait for its end; raises StillRunningError."""
    process = find_process(paths)
    if process is None:
        return Stop.NOT_RUNNING
    try:
        process.terminate()
        process.wait(WAIT_S)
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired:
        raise StillRunningError(process.pid) from None
    return Stop.STOPPED


def find_process(paths: Paths) -> psutil.Process | None:
    """Return the process that `daemon.json` names, if it is still that one.

    A pid is given again after a crash: the process must be a localpi that was there when the file was written.
    """
    running = read_running(paths)
    if running is None:
        return None
    try:
        process = psutil.Process(running.pid)
        written = paths.running_file.stat().st_mtime
        known = any("localpi" in word for word in process.cmdline()) and process.create_time() <= written + 1
    except (psutil.Error, OSError):
        return None
    return process if known and process.status() != psutil.STATUS_ZOMBIE else None


def uptime_s(process: psutil.Process) -> int:
    """Return how long a process has run."""
    return max(0, int(time.time() - process.create_time()))
