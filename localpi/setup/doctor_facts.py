"""What `doctor` looks at, gathered beforehand as frozen values. Pure.

A fact that could not be had is None, "" or (): the check that needs it says nothing then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from localpi.reports import BaseHealth, ServiceReport


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """`config.toml` and the environment."""

    file: str
    error: str = ""
    """Why they are refused; what follows are the defaults then."""
    hint: str = ""
    host: str = "127.0.0.1"
    port: int = 3141
    listen: tuple[str, ...] = ()
    keep_free: int = 0
    """Bytes that the cache leaves free."""


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """What the store says of itself, or what its files show."""

    kind: str
    """`database`, `gone` (it is), `unclaimed` (uploads that no index has), `missing`, `size`, `digest`."""
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A host that the daemon refused within the last hour."""

    host: str
    count: int
    ago_s: int


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """The process."""

    state: Literal["serving", "silent", "absent"]
    """`silent`: it is there, and does not answer."""
    url: str
    """Where it listens, or would."""
    host: str = ""
    """The address that it is bound to."""
    port: int = 0
    waiting: bool = False
    """Absent, and systemd holds its socket: the next request starts it."""
    pid: int | None = None
    version: str = ""
    own_version: str = ""
    """Of the command that asks."""
    stale_file: str = ""
    """A `daemon.json` that outlived its daemon."""
    last_words: str = ""
    """The error that its log ends with."""
    owned: bool = True
    """Whether it took the owner's secret."""
    program_gone: str = ""
    """The interpreter that it runs on, when that is no longer on the disk."""
    store: tuple[StoreProblem, ...] | None = ()
    """None: there was no answer in time."""
    refused: tuple[Refused, ...] = ()
    names: tuple[tuple[str, int], ...] = ()
    """Names that containers have for this machine, and the status that a request by each of them got."""


@dataclass(frozen=True, slots=True)
class PortFacts:
    """The port that is set, when the daemon of these folders does not have it."""

    owner: str = ""
    """`nginx (pid 12)`; "another program" when the system does not say."""
    devpi: bool = False


@dataclass(frozen=True, slots=True)
class PathFacts:
    """A file or folder of ours that is not as it should be."""

    path: str
    mode: int
    wanted: int
    folder: bool
    mine: bool = True
    writable: bool = True


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """The disk under some of our folders."""

    folders: tuple[str, ...]
    free: int
    """Bytes that this user may have."""
    files_free: int | None = None
    """Files that may be made; None where the file system does not count them."""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The clock, and the newest of our files by it."""

    year: int
    newest: str = ""
    ahead_s: int = 0
    """How far that file is in the future."""


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """A mirror."""

    health: BaseHealth
    url: str = ""
    """Without user and password."""
    reached: str = ""
    """Host and port that were connected to: the mirror's, or its proxy's."""
    latency_ms: int | None = None
    """Until a connection stood, the name's lookup included; None when none did."""
    said: str = ""
    """Why none did."""


@dataclass(frozen=True, slots=True)
class ShadowFacts:
    """What keeps a tool from the index that its file names, or makes it ask others too."""

    tools: tuple[str, ...]
    where: str
    """A variable's name or a file's path."""
    what: str
    beats: bool


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """One file of one tool."""

    tool: str
    path: str
    state: str
    """`wired`, `drifted`, `by-hand`, `unwired` or `broken`."""
    url: str = ""
    """What it names, without user and password."""
    used: bool = True
    reason: str = ""
    """Why it is broken."""
    scope: str = "user"
    ours: bool = False
    """Whether the URL is that of this daemon."""
    index: str = ""
    """`user/name` in the URL."""
    index_there: bool | None = None
    """None when nobody could be asked."""


@dataclass(frozen=True, slots=True)
class Stray:
    """An index beside ours, in the configuration of a tool that installs from here."""

    tool: str
    where: str
    key: str
    url: str
    """Without user and password."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge of a container engine, and its address here."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it."""

    settings: SettingsFacts
    daemon: DaemonFacts
    service: ServiceReport | None = None
    port: PortFacts | None = None
    paths: tuple[PathFacts, ...] = ()
    disks: tuple[DiskFacts, ...] = ()
    sqlite: tuple[int, ...] = ()
    """`(3, 40, 1)`, of the interpreter that runs the daemon."""
    clock: ClockFacts | None = None
    bases: tuple[BaseFacts, ...] = ()
    default_index: str = "root/local"
    tools: tuple[ToolFacts, ...] = ()
    shadows: tuple[ShadowFacts, ...] = ()
    strays: tuple[Stray, ...] = ()
    bridges: tuple[Bridge, ...] = ()
