"""`up`: makes what is missing, starts the daemon in the background, waits until it answers."""

from __future__ import annotations

import enum
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import CannotStart, DaemonNotRunning
from localpi.remote.daemon import Daemon, RemoteError
from localpi.settings.private import FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from localpi.settings.paths import Paths

WAIT_S = 20.0
POLL_S = 0.02


class Start(enum.Enum):
    """How it came that the daemon runs."""

    STARTED = "started"
    ALREADY_RUNNING = "already running"


@dataclass(frozen=True, slots=True)
class Started:
    """A daemon that answers."""

    outcome: Start
    daemon: Daemon
    first_run: bool
    """Whether this start made the database."""


class StartFailed(CannotStart):
    """The daemon ended, or did not answer in time; `said` is what it wrote, `status` its exit code (None: it runs)."""

    def __init__(self, said: str, status: int | None, log: Path) -> None:
        self.said, self.status, self.log = said, status, log
        self.hint = f"localpi logs   ({log})"
        ended = f"it ended with exit code {status}" if status is not None else f"no answer within {WAIT_S:.0f} s"
        super().__init__(ended)


def start(paths: Paths, environ: Mapping[str, str]) -> Started:
    """Return the running daemon, started in the background if there is none; raises StartFailed, OSError."""
    running = find_answering(paths)
    if running is not None:
        return Started(Start.ALREADY_RUNNING, running, first_run=False)
    paths.make()
    first_run = not (paths.data / "localpi.sqlite").exists()
    output = paths.logs / "start.log"
    child = _spawn(paths, environ, output)
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        status = child.poll()
        if status is not None:
            raise StartFailed(_tail(output), status, paths.log_file)
        found = find_answering(paths)
        if found is not None and found.running is not None and found.running.pid == child.pid:
            return Started(Start.STARTED, found, first_run=first_run)
        time.sleep(POLL_S)
    raise StartFailed(_tail(output), None, paths.log_file)


def find_answering(paths: Paths) -> Daemon | None:
    """Return the daemon if it answers `/+health` within two seconds."""
    try:
        daemon = Daemon.find(paths)
        daemon.health(timeout_s=2.0)
    except (DaemonNotRunning, RemoteError):
        return None
    return daemon


def _spawn(paths: Paths, environ: Mapping[str, str], output: Path) -> subprocess.Popen[bytes]:
    """Start `localpi serve` in a session of its own, so that closing the terminal does not end it.

    -P keeps the folder that `up` was typed in out of the import path. What it prints before its log is open goes to
    `output`, new at each start.
    """
    given = dict(environ) | ({"LOCALPI_HOME": str(paths.home)} if paths.home else {})
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "localpi", "serve"],
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def _tail(output: Path) -> str:
    try:
        return output.read_text("utf-8", "replace")[-4000:].strip()
    except OSError:
        return ""
