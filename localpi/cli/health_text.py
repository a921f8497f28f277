"""How a base is doing, as a person reads it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localpi.reports import BaseHealth


def local_time(text: str, now: datetime | None = None, *, seconds: bool = False) -> str:
    """Write an RFC 3339 time as a clock here shows it, "09:12", with the date where that is not today's.

    What is no time stays as it came; `now` is aware of its zone.
    """
    now = now or datetime.now().astimezone()
    try:
        local = datetime.fromisoformat(text).astimezone(now.tzinfo)
    except ValueError:
        return text
    return f"{local:{'' if local.date() == now.date() else '%Y-%m-%d '}{'%H:%M:%S' if seconds else '%H:%M'}}"


def describe(base: BaseHealth, now: datetime | None = None) -> str:
    """Say state, since when, what comes next and why: `down since 09:12, tried again at 09:14:05: the reason`."""
    if base.state == "ok":
        return "ok" + (", contacted whatever happens (offline off)" if base.offline == "off" else "")
    parts = [base.state + (f" since {local_time(base.since, now)}" if base.since else "")]
    if base.next_probe:
        parts.append(f"tried again at {local_time(base.next_probe, now, seconds=True)}")
    if base.offline == "off":
        parts.append("contacted all the same (offline off)")
    return ", ".join(parts) + (f": {base.reason}" if base.reason else "")  # last: it may end in a command
