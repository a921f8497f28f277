"""What looking at a part of something comes to; beside them stand `Missing` and `Unreachable` (outcomes.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file from `first` on; `total` is the size of the whole file."""

    data: bytes
    first: int
    total: int


@dataclass(frozen=True, slots=True)
class Unranged:
    """The server gives the whole file or nothing; `total` is its size in bytes, None when it does not say."""

    total: int | None


@dataclass(frozen=True, slots=True)
class Peeked:
    """The beginning of what an address has: `whole` says that this is all of it; `url` is where it was in the end.

    `server` is the header of that name, "" without.
    """

    body: bytes
    whole: bool
    content_type: str
    url: str
    server: str = ""
