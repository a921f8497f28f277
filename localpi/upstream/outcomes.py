"""What asking an upstream can come to. Pure: values alone.

Expected outcomes are values: `Fetched | NotModified | Missing | Unreachable` for a page, `OpenedFile | Missing |
Unreachable` for a file. `Broken` is raised in the middle of a file alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "dns", "connect", "timeout", "tls", "certificate", "auth", "captive", "page", "proxy", "server", "broken"
]  # fmt: skip
"""`certificate`: one that is not trusted, as portals have; `captive`: a login page, or a redirect to another host;
`page`: some other thing than a project page, whole; `broken`: something that is not whole, or not to be used."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body that came whole from the configured host, with a content type that a simple page may have.

    `body` is as it came: gzip when `encoding` says "gzip", else identity; decoded it is within the limit. Whether it
    is a page of the project is for `simple.parse` to say. `max_age_s` is from Cache-Control, `serial` PyPI's.
    """

    body: bytes
    encoding: Literal["", "gzip"]
    content_type: str
    url: str
    etag: str | None = None
    last_modified: str | None = None
    max_age_s: int | None = None
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class NotModified:
    """304 to the validators that were sent."""

    etag: str | None = None
    last_modified: str | None = None
    max_age_s: int | None = None
    serial: int | None = None


@dataclass(slots=True)
class Progress:
    """How much of a page has come, in bytes as they came; whoever waits for it looks here."""

    received: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """404 or 410 from the configured host (for a file: from wherever it is said to be)."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """A probe got a page of the mirror, or its honest 404."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing can be known: nothing of it may be stored, and it never means that something is absent.

    `reason` is one sentence without full stop and secrets: "pypi.example does not answer". `retry_after_s` is what
    the server asked for, at most a day.
    """

    kind: Kind
    reason: str
    retry_after_s: int | None = None


class Broken(Exception):  # noqa: N818 - a word of the domain, as are the outcomes above
    """A file's transfer ended before its end; what came is good as far as it goes, and may be resumed."""

    def __init__(self, kind: Kind, reason: str) -> None:
        self.kind, self.reason = kind, reason
        super().__init__(reason)
