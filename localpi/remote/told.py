"""What the daemon tells its owner's programs, as frozen values: read from its JSON, never trusted further than that."""

from __future__ import annotations

from dataclasses import dataclass

from localpi.errors import LocalpiError
from localpi.reports import BaseHealth  # noqa: TC001 -- the TUI holds values against these annotations


class Unsupported(LocalpiError):  # noqa: N818 -- as in errors.py
    """The daemon at hand does not know how to do that."""

    code = "unsupported"
    title = "This daemon cannot do that"

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.hint = remedy or "update localpi and restart the daemon: localpi down && localpi up"
        super().__init__(f"{what} is not something that the running daemon offers")


@dataclass(frozen=True, slots=True)
class IndexRow:
    """An index and what is set on it."""

    name: str
    """`user/name`."""
    type: str
    """`stage` or `mirror`."""
    settings: tuple[tuple[str, str], ...] = ()
    """Key and value as they can be typed, lists with commas; what is not set is absent."""

    def setting(self, key: str) -> str:
        """Return the value of a key as text, "" when it is not set."""
        return dict(self.settings).get(key, "")

    @property
    def bases(self) -> tuple[str, ...]:
        """The bases in order."""
        return tuple(name for name in self.setting("bases").split(",") if name)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a release."""

    filename: str
    index: str
    """The index that owns it."""
    path: str
    """Of its URL, from the first slash."""
    size: int | None = None
    uploaded: str = ""
    """RFC 3339 as the upstream has it, or empty."""
    yanked: str | None = None
    """The reason; None when it is not yanked."""
    cached: bool | None = None
    """Whether its bytes are here; None is "not known"."""
    requires_python: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """A version of a project and its files."""

    version: str
    files: tuple[FileRow, ...] = ()

    @property
    def yanked(self) -> str | None:
        """The reason when all files are yanked (PEP 592 yanks files), else None."""
        reasons = [file.yanked for file in self.files]
        told = [reason for reason in reasons if reason is not None]
        return next((reason for reason in told if reason), "") if told and len(told) == len(reasons) else None


@dataclass(frozen=True, slots=True)
class Metadata:
    """Core metadata of a file."""

    fields: tuple[tuple[str, str], ...] = ()
    """Name and value in the order of the file; a name may come again."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class CheckedBase:
    """What a look at an upstream's URL has found."""

    url: str
    """Where the simple index is: below the URL that was given, perhaps."""
    good: bool
    """Whether it can be a mirror."""
    reason: str = ""
    """Why not, in one sentence."""
    facts: tuple[str, ...] = ()
    """What it speaks and has, a short sentence each."""
    claims: tuple[str, ...] = ()
    """Name patterns that look like its own."""
    needs_credentials: bool = False
    reachable: bool = True
    """Whether anything answered there."""


@dataclass(frozen=True, slots=True)
class NewBase:
    """A mirror to make, and the index that it shall be the first base of."""

    name: str
    """`user/name`."""
    url: str
    index: str
    claims: tuple[str, ...] = ()
    append: bool = False
    """Behind the other bases instead of in front of them."""


@dataclass(frozen=True, slots=True)
class Base:
    """A mirror: how it is doing, where it points, who inherits from it."""

    health: BaseHealth
    url: str
    latency_ms: int | None = None
    claims: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collision:
    """A name that several mirrors have."""

    project: str
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CachedProject:
    """What the cache holds of a project."""

    project: str
    files: int
    bytes: int
    index: str = ""
    last_used: str = ""
    """RFC 3339, UTC; empty when not known."""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """What the cache was good for, since it was made."""

    hits: int = 0
    misses: int = 0
    bytes: int = 0
    seconds: int = 0

    @property
    def rate(self) -> float | None:
        """The share of requests that needed no upstream, from 0 to 1; None when there was none."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, worth a line."""

    at: str
    """RFC 3339."""
    kind: str
    """`good`, `bad` or `plain`."""
    text: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a name is answered the way it is."""

    project: str
    answer: str
    """`found`, `absent` or `unknown`."""
    lines: tuple[str, ...] = ()
    """One per base, in order."""


@dataclass(slots=True)
class Meter:
    """How far a long call has come: the one who works counts, the one who shows reads."""

    done: int = 0
    total: int = 0
