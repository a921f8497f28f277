"""Whether the daemon answers, and waiting until it does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from localpi.errors import CannotStart, DaemonNotRunning
from localpi.remote.daemon import Daemon, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from localpi.settings.paths import Paths

WAIT_S = 20.0
POLL_S = 0.02


class StartFailed(CannotStart):
    """The daemon ended, or did not answer in time; `said` is what it wrote, `status` its exit code (None: it runs)."""

    def __init__(self, said: str, status: int | None, log: Path, *, reason: str = "") -> None:
        self.said, self.status, self.log = said, status, log
        self.hint = f"localpi logs   ({log})"
        ended = f"it ended with exit code {status}" if status is not None else f"no answer within {WAIT_S:.0f} s"
        super().__init__(reason or ended)


def find_answering(paths: Paths) -> Daemon | None:
    """Return the daemon if it answers `/+health` within two seconds."""
    try:
        daemon = Daemon.find(paths)
        daemon.health(timeout_s=2.0)
    except (DaemonNotRunning, RemoteError):
        return None
    return daemon


def wait_for_answer(
    paths: Paths, pid: int | None, check: Callable[[], object] = lambda: None, *, poll_s: float = POLL_S
) -> Daemon | None:
    """Return the daemon once it answers, None when it does not within WAIT_S.

    With `pid` that very process is waited for. `check` is called each time round, and may raise.
    """
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        check()
        found = find_answering(paths)
        if found is not None and (pid is None or (found.running is not None and found.running.pid == pid)):
            return found
        time.sleep(poll_s)
    return None
