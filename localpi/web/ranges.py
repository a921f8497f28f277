"""Range requests for files: RFC 9110, section 14, and If-Range of section 13.1.5."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGES = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes `start` to `start + length - 1` of a file of `size` bytes; never empty."""

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        """The value of the Content-Range header."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


class Unsatisfiable(Exception):  # noqa: N818 -- an answer (416) and not a fault of ours
    """No byte of the range exists; `size` is what the file has."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"bytes */{size}")


def choose_part(value: str | None, size: int, *, if_range: str | None, etag: str) -> Part | None:
    """Return the part that a Range header asks for, or None for the whole file; raise Unsatisfiable.

    Several ranges, other units and malformed values are answered with the whole file, as section 14.2 allows.
    `if_range` is the validator of what the client has; only our strong ETag, as it was sent, lets a part go out.
    """
    found = _RANGES.fullmatch(value) if value else None
    if found is None or (if_range is not None and if_range != etag):
        return None
    first, last = found.groups()
    if not first:
        if not last:
            return None
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable(size)
        return Part(size - length, length, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable(size)
    end = min(int(last), size - 1) if last else size - 1
    return Part(start, end - start + 1, size)


def etag_matches(asked: str, etag: str) -> bool:
    """Say whether an If-None-Match header names this strong ETag (weak comparison; with `-gz` as well).

    `etag` is the quoted ETag of the identity form.
    """
    if asked == etag:
        return True
    if asked.strip() == "*":
        return True
    zipped = f'{etag[:-1]}-gz"'
    return any(tag.strip().removeprefix("W/") in (etag, zipped) for tag in asked.split(","))
