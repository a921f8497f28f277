"""What can be asked of a service manager, and what comes of it: values, the same for systemd and launchd."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from localpi.service.spec import ServiceSpec

Activity = Literal["running", "starting", "stopping", "stopped", "failed", "unknown"]


class What(enum.Enum):
    """What came of it."""

    INSTALLED = "installed"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    NOT_INSTALLED = "not installed"
    STARTED = "started"
    ALREADY_RUNNING = "already running"
    RESTARTED = "restarted"
    STOPPED = "stopped"
    NOT_RUNNING = "not running"
    UNAVAILABLE = "unavailable"
    """No service manager answers here."""
    DISABLED = "disabled"
    """The person, or the system, has switched it off."""
    PORT_TAKEN = "port taken"
    FAILED = "failed"


BAD = frozenset({What.UNAVAILABLE, What.DISABLED, What.PORT_TAKEN, What.FAILED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, and why where it did not go well."""

    what: What
    reason: str = ""
    hint: str = ""
    status: int | None = None
    """The exit code that the daemon ended with, where that is why."""

    @property
    def good(self) -> bool:
        """Whether what was asked is so now."""
        return self.what not in BAD


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How the service is. Finding it out changes nothing."""

    name: str
    """`localpi.service`, `io.localpi.daemon`."""
    installed: bool
    enabled: bool = False
    """Whether it starts at login."""
    activity: Activity = "unknown"
    pid: int | None = None
    program: tuple[str, ...] = ()
    """What it runs, as it is written in its file."""
    data: Path | None = None
    """The data folder that it works on: several instances, one service."""
    variables: Mapping[str, str] = field(default_factory=dict)
    listen: tuple[str, ...] = ()
    """Where it is listened for the daemon, `127.0.0.1:3141`; () where the daemon does so itself."""
    restarts: int | None = None
    ended: str = ""
    """How it ended last when that was not as asked: `exit code 78`, `watchdog`."""
    ended_status: int | None = None
    files: tuple[Path, ...] = ()


class ServiceManager(Protocol):
    """The face of systemd's user instance and of launchd. Nothing here raises for what they answer."""

    @property
    def name(self) -> str:
        """What the service is called there."""

    def unavailable(self) -> str:
        """Return why it cannot be used here, "" when it can."""

    def render(self, spec: ServiceSpec) -> tuple[tuple[Path, bytes], ...]:
        """Return the files that it would have, and what would be in them."""

    def state(self) -> ServiceState:
        """Return how it is; what is in files is told without a manager too."""

    def service_environ(self) -> Mapping[str, str]:
        """Return the variables that a service sees; {} when that cannot be known."""

    def install(self, spec: ServiceSpec) -> Outcome:
        """Write its files and have it start at login: INSTALLED, CHANGED, UNCHANGED, or bad. Does not start it."""

    def uninstall(self) -> Outcome:
        """Stop it, and leave nothing: REMOVED, NOT_INSTALLED, or bad."""

    def start(self) -> Outcome:
        """Start it and wait until it says that it serves, where it can: STARTED, ALREADY_RUNNING, or bad."""

    def stop(self) -> Outcome:
        """Stop it until the next login: STOPPED, NOT_RUNNING, or bad."""

    def restart(self) -> Outcome:
        """Let it drain and start again: RESTARTED, STARTED, or bad."""
