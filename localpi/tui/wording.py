"""Sizes, times and states in words. Pure: the time is an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

Tone = Literal["", "good", "warn", "bad", "dim", "strong"]

STATES: dict[str, tuple[str, Tone]] = {
    "ok": ("● ok", "good"),
    "slow": ("◐ slow", "warn"),
    "down": ("○ down", "bad"),
    "captive": ("○ captive", "bad"),
    "auth": ("○ auth", "bad"),
    "off": ("- off", "dim"),
    "wired": ("● wired", "good"),
    "drifted": ("◐ drifted", "warn"),
    "by-hand": ("◐ by hand", "warn"),
    "unwired": ("- not wired", "dim"),
    "broken": ("○ broken", "bad"),
}
"""State to a mark that can be told apart without colour, and its tone."""


def state(word: str) -> tuple[str, Tone]:
    """Return how a state is shown."""
    return STATES.get(word, (f"? {word}", "warn"))


def size(count: float) -> str:
    """Write bytes: 12 B, 3.4 MB (decimal, as file managers do)."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 999.95 or (unit == "B" and abs(count) < 1000):
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def span(seconds: float) -> str:
    """Write a span in its largest unit, two of them where the first says too little: 45 s, 3 min, 2 h 10 min, 5 d."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{whole // 86400} d"


def parse_time(text: str | None) -> datetime | None:
    """Read RFC 3339; None for what is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def clock(text: str | None, now: datetime) -> str:
    """Write a time as a person looks at a clock, in the zone of `now`: 09:12 today, else the day.

    What is no time stays as it came.
    """
    return _written(text, now, near="%d %b %H:%M", far="%Y-%m-%d")


def day(text: str | None, now: datetime) -> str:
    """Write a time in six cells: 09:12 today, else 13 Mar, else Mar 25."""
    return _written(text, now, near="%d %b", far="%b %y")


def _written(text: str | None, now: datetime, *, near: str, far: str) -> str:
    found = parse_time(text)
    if found is None:
        return text or ""
    local = found.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return local.strftime(near if abs(now - local) < timedelta(days=300) else far)


def ago(text: str | None, now: datetime) -> str:
    """Write how long ago: 3 min ago; "never" for what is no time."""
    found = parse_time(text)
    if found is None:
        return "never"
    seconds = (now - found).total_seconds()
    return f"{span(seconds if seconds < 3600 else seconds // 3600 * 3600)} ago"


def within(text: str | None, now: datetime) -> str:
    """Write when something comes: in 14 s, or now."""
    found = parse_time(text)
    if found is None:
        return ""
    seconds = (found - now).total_seconds()
    return f"in {span(seconds)}" if seconds >= 1 else "now"


def plain(text: str) -> str:
    """Return a text for one line of a terminal: no control signs, no line ends."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
