"""Bounds on time that hold on a loaded machine."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SLACK_S = 2.5
"""What a loaded machine may add to a deadline."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is inside must end within so many seconds, give or take a loaded machine."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds + SLACK_S
