"""Times as people and programs read them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc(at_us: int) -> str:
    """Write a time (µs UTC) as RFC 3339, to the second."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def clock(at_us: int) -> str:
    """Write a time as people read it off a clock here: "09:12", with the date where that is another day."""
    then, now = time.localtime(at_us / 1e6), time.localtime()
    return time.strftime("%H:%M" if then[:3] == now[:3] else "%Y-%m-%d %H:%M", then)
