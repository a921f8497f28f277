"""Bounds on time that hold on a loaded machine."""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLACK_S = 2.5
"""What a loaded machine may add to a deadline."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is inside must end within so many seconds, give or take a loaded machine."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds + SLACK_S


NOTICED_S = 0.02
"""What a person would call at once, beyond what any request costs."""
WAITED_S = 0.1


def assert_waits_for_nothing(ask: Callable[[], object], *, beside: Callable[[], object], tries: int = 9) -> None:
    """Hold a request against a bare one made in the same moments, several times, in turns.

    The best of them may cost NOTICED_S more, and the one in the middle WAITED_S: a busy machine makes both late, and
    waiting for anything makes only one so.
    """
    bare, asked = [], []
    for _ in range(tries):
        bare.append(_seconds(beside))
        asked.append(_seconds(ask))
    best, middle = min(asked) - min(bare), statistics.median(asked) - statistics.median(bare)
    assert (best < NOTICED_S, middle < WAITED_S) == (True, True), (bare, asked)


def _seconds(deed: Callable[[], object]) -> float:
    began = time.monotonic()
    deed()
    return time.monotonic() - began
