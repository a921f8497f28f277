"""What an answer may be instead of an answer: "ask me again"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to say yet. Ask again, with the same `asked_at`, when `ready()` or at `until` (monotonic seconds).

    `ready` is cheap, never blocks and may be called from any thread: the serving loop calls it every 10 ms.
    """

    ready: Callable[[], bool]
    until: float
