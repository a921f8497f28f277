"""What a person gets to see, as frozen values: the daemon makes them, CLI and TUI draw them, `--json` prints them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

SCHEMA = 1
"""The version of every `--json` object; it grows when a key changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class BaseHealth:
    """How a mirror is doing."""

    index: str
    state: str
    """`ok`, `slow`, `down`, `captive`, `auth` or `off`."""
    reason: str = ""
    """Why, in one sentence; empty when `ok`."""
    since: str | None = None
    """RFC 3339, UTC."""
    next_probe: str | None = None
    """RFC 3339, UTC."""
    offline: str = "auto"
    """What was set by hand: `on` (never contact it), `off` (always) or `auto`."""


@dataclass(frozen=True, slots=True)
class CacheUse:
    """What the cache takes."""

    bytes: int = 0
    files: int = 0
    budget: int | None = None
    """Bytes that it may take; None is "as much as there is"."""


@dataclass(frozen=True, slots=True)
class CacheGain:
    """What the cache was good for since its database was begun."""

    hits: int = 0
    """Files that were sent from here."""
    misses: int = 0
    """Files that came from an upstream while the client waited."""
    bytes_saved: int = 0
    seconds_saved: float = 0.0
    """An estimate: what was saved, at the pace at which downloads came."""
    downloads: int = 0
    bytes_fetched: int = 0
    evicted: int = 0
    bytes_evicted: int = 0
    unkept: int = 0
    """Downloads that were handed on without being kept, for lack of room."""


@dataclass(frozen=True, slots=True)
class CacheRow:
    """Some of the cached files together: a file, a release, a project, an index's or a user's."""

    name: str
    indexes: tuple[str, ...]
    """The mirrors whose files these are; empty for one that was deleted."""
    files: int
    bytes: int
    last_used: str
    """RFC 3339, UTC."""
    pinned: int = 0
    """How many of the files are pinned."""
    last_copies: int = 0
    """How many of them are gone upstream."""


@dataclass(frozen=True, slots=True)
class CacheReport:
    """What the cache holds and what it is good for."""

    bytes: int
    """Of all cached files, those that are pinned too."""
    files: int
    pinned_bytes: int
    pinned_files: int
    max_size: int
    """0: as much as there is. Pinned files do not count."""
    keep_free: int
    disk_free: int
    gain: CacheGain
    rows: tuple[CacheRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """How far `cache verify` is, and what it found."""

    running: bool = False
    files: int = 0
    """How many are to be read."""
    read: int = 0
    bytes: int = 0
    """How many bytes were read."""
    damaged: tuple[str, ...] = ()
    """Names of files whose bytes had changed; they are set aside."""
    refetched: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    """Those of the damaged that could not be fetched again."""


@dataclass(frozen=True, slots=True)
class Status:
    """One screen of truth."""

    running: bool
    pid: int | None
    url: str
    """`http://127.0.0.1:3141`, without a slash at the end; where it would listen, when it does not run."""
    index_url: str
    """What pip's `index-url` has to be, with a slash at the end."""
    service: str | None = None
    """The unit or agent that starts it at login; None when there is none."""
    wired: tuple[str, ...] = ()
    """The tools whose own configuration names this daemon."""
    bases: tuple[BaseHealth, ...] = ()
    cache: CacheUse = CacheUse()
    version: str = ""
    uptime_s: int | None = None
    notes: tuple[str, ...] = ()
    """What a person should know of, a sentence each."""


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """How the service is."""

    name: str
    """`localpi.service`, `io.localpi.daemon`; "" where there is no service manager."""
    installed: bool
    enabled: bool = False
    """Whether it starts at login."""
    activity: str = "unknown"
    """`running`, `starting`, `stopping`, `stopped`, `failed` or `unknown`."""
    pid: int | None = None
    program: tuple[str, ...] = ()
    fault: str = ""
    """Why the program cannot be run: it is gone, or its interpreter is."""
    current: bool = True
    """Whether the service's files say what is set now."""
    listen: tuple[str, ...] = ()
    restarts: int | None = None
    ended: str = ""
    """How it ended last, when that was not as asked."""
    lingers: bool | None = None
    """Whether it runs without anybody logged in; None where that is no question."""
    data: str = ""
    files: tuple[str, ...] = ()
    unavailable: str = ""
    """Why there is no service manager to use."""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A release of a project, as an index has it."""

    project: str
    version: str
    files: tuple[str, ...] = ()
    yanked: str | None = None
    """The reason; None when it is not yanked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `localpi doctor` looked at."""

    check: str
    """What was looked at, in kebab-case: `daemon`, `port`, `wiring`."""
    severity: str
    """`ok`; `note` (worth knowing); `warning` (works, but not as it seems or not for long); `problem`."""
    what: str
    """How it is, one sentence."""
    meaning: str = ""
    """What that does to the person, one sentence."""
    remedy: str = ""
    """The command that mends it, or what to do by hand; empty when there is nothing to do."""
    mend: str = ""
    """What `localpi doctor --fix` does about it by itself; empty when it is the person's to decide."""


def plural(count: int, one: str, many: str = "") -> str:
    """Write a count with its word: 1 file, 1,234 files."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def to_json(report: object) -> dict[str, object]:
    """Return `report` (a dataclass of this module, or a mapping) as the object that `--json` prints."""
    inner = dict(report) if isinstance(report, Mapping) else asdict(report)  # type: ignore[call-overload]  # told above
    return {"schema": SCHEMA, **inner}


def bases_from_json(found: object) -> tuple[BaseHealth, ...]:
    """Read the `bases` of `/+health`; keys that a newer daemon adds are passed over."""
    known = {field.name for field in fields(BaseHealth)}
    rows: Iterable[object] = found if isinstance(found, list) else ()
    return tuple(
        BaseHealth(**{key: value for key, value in row.items() if key in known})
        for row in rows
        if isinstance(row, dict) and "index" in row and "state" in row
    )
