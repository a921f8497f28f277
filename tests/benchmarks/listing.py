"""One file as a project page lists it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a page (PEP 503, 592, 691, 700); size in bytes where it is known."""

    filename: str
    sha256: str
    size: int | None = None
    upload_time: str | None = None
    requires_python: str | None = None
    yanked: str | None = None
