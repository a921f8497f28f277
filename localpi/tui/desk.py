"""The desk: everything that the terminal UI can look at or ask for, in seven drawers.

Calls block, raise LocalpiError or OSError, and are made on threads of their own (`calls.py`). What comes back is
held against the annotations here before anything is drawn, so the types are imported for good, not for mypy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 -- as below
from typing import Protocol

from localpi.remote.told import (  # noqa: TC001 -- read by typing.get_type_hints, see above
    Base,
    CachedProject,
    CheckedBase,
    Collision,
    Event,
    IndexRow,
    Metadata,
    Meter,
    NewBase,
    Release,
    Saved,
    Why,
)
from localpi.reports import BaseHealth, CacheUse, Status  # noqa: TC001 -- as above


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What starts the daemon at login."""

    kind: str
    """`systemd`, `launchd`, or "" where there is neither."""
    installed: bool
    detail: str = ""
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One file of one tool and how it stands."""

    name: str
    state: str
    """`wired`, `drifted` (edited since), `by-hand` (names an index, no record of ours), `unwired` or `broken`."""
    file: str
    url: str = ""
    """What the file names, without user and password."""
    present: bool = True
    """Whether the tool is installed or has a configuration."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WiringPlan:
    """What would be written."""

    tool: str
    difference: str
    """Unified diffs of all its files; empty when nothing changes."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pasted:
    """A text to paste somewhere else."""

    text: str
    notes: tuple[str, ...] = ()
    """How it is used, one sentence each."""


@dataclass(frozen=True, slots=True)
class Found:
    """The index that pip already uses, which could be a base."""

    url: str
    """Without user and password."""
    where: str
    mirror: str
    """`root/NAME`, not taken yet."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the daemon's log."""

    at: str
    level: str
    room: str
    text: str
    project: str = ""
    """The project that a request was for, where it was for one."""
    index: str = ""


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Lines, and where the next ones begin."""

    lines: tuple[LogLine, ...]
    position: int


class Running(Protocol):
    """The process."""

    def status(self) -> Status: ...  # noqa: D102 -- one screen of truth; never raises for a daemon that is away
    def is_first_run(self) -> bool: ...  # noqa: D102 -- whether localpi has never run here
    def start_daemon(self) -> str: ...  # noqa: D102 -- the index URL
    def stop_daemon(self) -> None: ...  # noqa: D102
    def service_state(self) -> ServiceState: ...  # noqa: D102 -- never writes
    def install_service(self) -> str: ...  # noqa: D102 -- what was done, one sentence
    def remove_service(self) -> str: ...  # noqa: D102 -- as above


class Wiring(Protocol):
    """The tools that install from here."""

    def tools(self) -> tuple[Tool, ...]: ...  # noqa: D102
    def plan_wiring(self, tool: str, *, undo: bool = False) -> WiringPlan: ...  # noqa: D102 -- writes nothing
    def wire(self, tool: str) -> str: ...  # noqa: D102 -- what was done, one sentence
    def unwire(self, tool: str) -> str: ...  # noqa: D102 -- as above
    def runtimes(self) -> tuple[str, ...]: ...  # noqa: D102 -- what `container_text` knows; those that are here first
    def container_text(self, runtime: str) -> Pasted: ...  # noqa: D102
    def found_index(self) -> Found | None: ...  # noqa: D102
    def accept_found(self) -> str: ...  # noqa: D102 -- makes it a base, credentials and all; its mirror's name


class Indexes(Protocol):
    """Users and indexes."""

    def index_rows(self) -> tuple[IndexRow, ...]: ...  # noqa: D102 -- by name
    def create_index(self, name: str, settings: dict[str, str]) -> None: ...  # noqa: D102
    def change_index(self, name: str, settings: dict[str, str]) -> None: ...  # noqa: D102 -- "" unsets
    def delete_index(self, name: str) -> None: ...  # noqa: D102


class Packages(Protocol):
    """What an index holds."""

    def projects(self, index: str) -> tuple[str, ...]: ...  # noqa: D102 -- normalised names
    def releases(self, index: str, project: str) -> tuple[Release, ...]: ...  # noqa: D102 -- newest first
    def metadata(self, path: str) -> Metadata: ...  # noqa: D102 -- of the file at that path of the URL
    def upload(self, index: str, file: Path, meter: Meter) -> None: ...  # noqa: D102 -- meter counts bytes
    def push(self, index: str, project: str, version: str, target: str) -> str: ...  # noqa: D102 -- what was done
    def yank(self, index: str, project: str, version: str, reason: str | None) -> None: ...  # noqa: D102 -- None unyanks
    def remove(self, index: str, project: str, version: str | None) -> None: ...  # noqa: D102 -- None: all of it


class Bases(Protocol):
    """Mirrors."""

    def base_rows(self) -> tuple[Base, ...]: ...  # noqa: D102 -- by name
    def check_base(self, url: str, user: str, password: str) -> CheckedBase: ...  # noqa: D102 -- "" for none
    def add_base(self, wanted: NewBase, user: str, password: str) -> None: ...  # noqa: D102 -- as above
    def remove_base(self, name: str) -> None: ...  # noqa: D102 -- out of all indexes, then the mirror itself
    def test_base(self, name: str) -> BaseHealth: ...  # noqa: D102 -- a probe now
    def set_offline(self, name: str, mode: str) -> None: ...  # noqa: D102 -- on, off or auto
    def set_credentials(self, name: str, user: str, password: str) -> None: ...  # noqa: D102
    def collisions(self) -> tuple[Collision, ...]: ...  # noqa: D102


class Cache(Protocol):
    """What installs without a network."""

    def cache_use(self) -> CacheUse: ...  # noqa: D102
    def saved(self) -> Saved: ...  # noqa: D102
    def cached_projects(self) -> tuple[CachedProject, ...]: ...  # noqa: D102
    def pin(self, project: str, *, pinned: bool) -> None: ...  # noqa: D102
    def evict(self, project: str) -> int: ...  # noqa: D102 -- bytes that it freed
    def verify(self, meter: Meter) -> tuple[str, ...]: ...  # noqa: D102 -- what is wrong; meter counts files
    def set_budget(self, size: str) -> str: ...  # noqa: D102 -- what was set, and from when it counts


class Log(Protocol):
    """What has happened."""

    def events(self) -> tuple[Event, ...]: ...  # noqa: D102 -- newest first, a few
    def log_lines(self, position: int) -> LogChunk: ...  # noqa: D102 -- at most 500 a call; -1: the last ones
    def why(self, index: str, project: str) -> Why: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Desk:
    """The drawers."""

    running: Running
    wiring: Wiring
    indexes: Indexes
    packages: Packages
    bases: Bases
    cache: Cache
    log: Log


DRAWERS = (Running, Wiring, Indexes, Packages, Bases, Cache, Log)
