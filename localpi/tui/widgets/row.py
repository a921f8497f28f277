"""What a table is made of: columns and rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localpi.tui.wording import Tone


@dataclass(frozen=True, slots=True)
class Column:
    """A column; with width 0 it takes what the others leave."""

    title: str
    width: int = 0
    right: bool = False
    drop_below: int = 0
    """Left out where the table is narrower than that."""
    fit: int = 0
    """As wide as its longest cell, but at most that; `width` is the least."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line; its key says which after a reload, so the cursor stays on it."""

    key: str
    cells: tuple[str | tuple[str, Tone], ...]
