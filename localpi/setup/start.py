"""`up`: makes what is missing, starts the daemon as a service or in the background, waits until it answers."""

from __future__ import annotations

import enum
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.settings.private import FILE_MODE
from localpi.setup.answering import StartFailed, find_answering, wait_for_answer
from localpi.setup.service import find_service, installed_pid
from localpi.setup.serving import install_first, start_service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from localpi.remote.daemon import Daemon
    from localpi.service.shell import ShellSetting
    from localpi.settings.paths import Paths


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
    service: str = ""
    """The unit or agent that runs it; "" for a daemon in the background."""
    installed: bool = False
    """Whether this start made the service."""
    hindrance: str = ""
    """Why the service that there is was not used: a session without its manager, under su or cron."""
    kept: tuple[ShellSetting, ...] = ()
    """What was set in this shell alone and is in config.toml now, for the service."""


def start(paths: Paths, environ: Mapping[str, str], *, may_install: bool = True) -> Started:
    """Return the running daemon, started if there is none; raises CannotStart (StartFailed …), LocalpiError, OSError.

    Started as a service where there is one for these folders. The first start of all makes one, where there is a
    service manager for it, the folders are the platform's own, and `may_install`.
    """
    running = find_answering(paths)
    service = find_service(paths, environ)
    if running is not None:
        ours = service is not None and running.running is not None and installed_pid(service) == running.running.pid
        name = service.state.name if service is not None and ours else ""
        return Started(Start.ALREADY_RUNNING, running, first_run=False, service=name)
    paths.make()
    first_run = not (paths.data / "localpi.sqlite").exists()
    hindrance = service.manager.unavailable() if service is not None else ""
    if service is not None and not hindrance:
        daemon = start_service(service, paths, environ, first_run=first_run)
        return Started(Start.STARTED, daemon, first_run=first_run, service=service.state.name)
    if first_run and may_install and paths.home is None:
        made = install_first(paths, environ)
        if made is not None:
            return Started(
                Start.STARTED, made.daemon, first_run=True, service=made.name, installed=True, kept=made.kept
            )
    daemon = _start_in_background(paths, environ)
    return Started(Start.STARTED, daemon, first_run=first_run, hindrance=hindrance)


def _start_in_background(paths: Paths, environ: Mapping[str, str]) -> Daemon:
    output = paths.logs / "start.log"
    child = _spawn(paths, environ, output)

    def check() -> None:
        status = child.poll()
        if status is not None:
            raise StartFailed(_tail(output), status, paths.log_file)

    found = wait_for_answer(paths, child.pid, check)
    if found is None:
        raise StartFailed(_tail(output), None, paths.log_file)
    return found


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
