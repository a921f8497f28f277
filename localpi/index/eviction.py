"""Which files leave the cache when it has to become smaller. Pure: numbers and rows in, hashes out.

The least recently used go first. Never go those that are pinned, being served, or the last copy of something that is
gone upstream. Own uploads are not in the cache at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Sized(Protocol):
    """What can go: `localpi.store.holdings.Held`."""

    @property
    def size(self) -> int:
        """Bytes."""


S = TypeVar("S", bound=Sized)

SLACK = 64
"""Where something has to go, a 64th of the limit more goes, so that the next download need not look again."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the cache may take, and what it leaves free on its disk; bytes, 0 is no limit."""

    max_size: int = 0
    keep_free: int = 0

    def excess(self, *, used: int, free: int, incoming: int = 0, under_way: int = 0, unwritten: int = 0) -> int:
        """Return how many bytes have to go before `incoming` bytes may come.

        `used` by the cache and `free` on its disk now; `under_way`: bytes of files that were promised room before,
        `unwritten`: those of them that are not on the disk yet.
        """
        over = used + under_way + incoming - self.max_size if self.max_size else 0
        short = self.keep_free + unwritten + incoming - free
        return max(0, over, short)

    def holds(self, size: int) -> bool:
        """Say whether a file of that size may be kept at all."""
        return not self.max_size or size <= self.max_size

    @property
    def slack(self) -> int:
        """Return what more goes, in bytes."""
        return (self.max_size or self.keep_free) // SLACK


def choose(oldest: Iterable[S], needed: int, slack: int, protects: Callable[[S], object]) -> tuple[S, ...] | None:
    """Return what goes so that `needed` bytes come free, the longest unused first; None when that cannot be reached.

    `oldest` is read as far as needed. `protects` gives a reason for what has to stay; it is asked only about what would
    go next. Up to `slack` bytes more go where they can.
    """
    gone: list[S] = []
    freed = 0
    for one in oldest:
        if freed >= needed + slack:
            break
        if protects(one):
            continue
        if freed >= needed and freed + one.size > needed + slack:
            break
        gone.append(one)
        freed += one.size
    return tuple(gone) if freed >= needed else None
