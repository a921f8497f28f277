"""An upload to another index: what is sent, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Publication:
    """A form to send to `url`: `fields` (tuples for several values) and, unless it has none, a file of `size` bytes.

    `username` and `password` go to that host alone, and into no log or message.
    """

    url: str
    username: str
    password: str = field(repr=False)
    fields: Mapping[str, str | tuple[str, ...]]
    filename: str = ""
    file: BinaryIO | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """What the other index answered: `status`, and for a refusal its reason phrase or the beginning of its body."""

    status: int
    said: str

    @property
    def is_done(self) -> bool:
        """Say whether it was taken."""
        return self.status in (200, 201)
