"""devpi's log of a file: who uploaded it, pushed it from where, how often it was replaced. Pure: JSON in and out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.store.releases import FileRow

Entry = dict[str, Any]
"""`what` ("upload", "overwrite", "push"), `who` (None: nobody known), `when` ([Y, M, D, h, m, s], UTC), and with them
`dst`, `src` ("user/index") or `count`."""

MOST = 100
"""Entries that are kept: a nightly build is replaced day by day."""


def read_log(file: FileRow) -> list[Entry]:
    """Give the log of a file; one that was neither replaced nor pushed has its upload alone."""
    if not file.log:
        return [upload_entry(file.uploaded_us, file.uploaded_by, file.index)]
    return list(json.loads(file.log))


def upload_entry(at_us: int, by: str, index: str) -> Entry:
    """Say that somebody uploaded it."""
    return {"what": "upload", "who": by or None, "when": when(at_us), "dst": index}


def push_entry(at_us: int, by: str, source: str, target: str) -> Entry:
    """Say that somebody pushed it from index to index."""
    return {"what": "push", "who": by or None, "when": when(at_us), "src": source, "dst": target}


def overwrite_entries(at_us: int, before: Sequence[Entry]) -> list[Entry]:
    """Say that it replaces another, and for how many times that has happened; `before` is the log of the other."""
    count = sum(entry.get("count", 0) for entry in before if entry.get("what") == "overwrite")
    return [{"what": "overwrite", "who": None, "when": when(at_us), "count": count + 1}]


def without_overwrites(entries: Sequence[Entry]) -> list[Entry]:
    """Leave out what concerns only the index that was left."""
    return [entry for entry in entries if entry.get("what") != "overwrite"]


def dump_log(entries: Sequence[Entry]) -> str:
    """Write entries as they are stored."""
    return json.dumps(list(entries)[-MOST:])


def when(at_us: int) -> list[int]:
    """Write integer microseconds UTC as devpi does: [Y, M, D, h, m, s]."""
    return list(datetime.fromtimestamp(at_us // 1_000_000, UTC).timetuple()[:6])
