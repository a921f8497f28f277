"""Times as devpi writes them. Pure: no I/O, no clock. All take integer microseconds UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def format_second(at_us: int) -> str:
    """Write `2026-11-20T11:27:11Z`."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_http(at_us: int) -> str:
    """Write the date of HTTP headers (RFC 9110, 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(at_us // 1_000_000, UTC), usegmt=True)
