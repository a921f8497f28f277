"""What a made upstream can do wrong.

A fault is a value, given to `MadeUpstream.fail(fault, at=path)`. Those marked (answer) spoil the answer that the
server would have given; the others give one of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Event


@dataclass(frozen=True, slots=True)
class Fault:
    """Any of the below."""


@dataclass(frozen=True, slots=True)
class Swallow(Fault):
    """Take the request and never answer."""


@dataclass(frozen=True, slots=True)
class Hold(Fault):
    """(answer) Say nothing until `release` is set, then answer as always."""

    release: Event


@dataclass(frozen=True, slots=True)
class Drip(Fault):
    """(answer) One piece of `size` bytes each `every_s`; `headers=True` drips the headers too."""

    every_s: float = 0.2
    size: int = 1
    headers: bool = False


@dataclass(frozen=True, slots=True)
class Stall(Fault):
    """(answer) Send `after` bytes of the body, then nothing more, and keep the connection."""

    after: int = 100


@dataclass(frozen=True, slots=True)
class HoldBody(Fault):
    """(answer) Send `after` bytes of the body, the rest when `release` is set."""

    release: Event
    after: int = 100


@dataclass(frozen=True, slots=True)
class CloseEarly(Fault):
    """(answer) Send `after` bytes of the body, then close; -1 closes before the status line."""

    after: int = 100


@dataclass(frozen=True, slots=True)
class WrongLength(Fault):
    """(answer) Content-Length is off by `by`; the connection closes after the body."""

    by: int = 10


@dataclass(frozen=True, slots=True)
class NoLength(Fault):
    """(answer) No Content-Length: the end of the connection is the end of the body."""


@dataclass(frozen=True, slots=True)
class Chunked(Fault):
    """(answer) Transfer-Encoding: chunked; `cut=True` leaves out the last chunk."""

    cut: bool = False


@dataclass(frozen=True, slots=True)
class OtherBytes(Fault):
    """(answer) The right length and the wrong bytes: what the page says about the hash is a lie."""


@dataclass(frozen=True, slots=True)
class Truncated(Fault):
    """(answer) Half of the body with a Content-Length that fits: JSON that does not parse."""


@dataclass(frozen=True, slots=True)
class Encoded(Fault):
    """(answer) Content-Encoding `encoding`, whether asked for or not."""

    encoding: str = "gzip"


@dataclass(frozen=True, slots=True)
class GzipBomb(Fault):
    """A gzip body that decodes to `size` bytes."""

    size: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """A status with no use."""

    status: int
    headers: Mapping[str, str] | None = None
    body: bytes = b"no"


@dataclass(frozen=True, slots=True)
class RedirectTo(Fault):
    """A redirect to `location`."""

    location: str
    status: int = 302


@dataclass(frozen=True, slots=True)
class LoginPage(Fault):
    """A portal: a login form as text/html with status 200."""


@dataclass(frozen=True, slots=True)
class PageOf(Fault):
    """The page of another project."""

    project: str


@dataclass(frozen=True, slots=True)
class Garbage(Fault):
    """Not HTTP at all."""

    data: bytes = b"SSH-2.0-OpenSSH_9.6\r\n"
