"""The history of own data: one row for each change, written in the transaction that makes it.

It is devpi's serial, the event log, and how a deleted file is told from one that never was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from localpi.store.database import Database

Kind = Literal[
    "user-create",
    "user-modify",
    "user-delete",
    "index-create",
    "index-modify",
    "index-delete",
    "upload",
    "replace",
    "remove",
    "yank",
    "unyank",
    "register",
    "docs",
    "toxresult",
    "push",
]

MOST = 10_000
_LAST = "SELECT max(serial) FROM changes"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """What happened. Serials go up and are never used again."""

    serial: int
    at_us: int
    index: str | None
    project: str | None
    kind: Kind
    filename: str | None
    detail: Mapping[str, Any]


def record(
    connection: sqlite3.Connection,
    kind: Kind,
    at_us: int,
    *,
    index: str | None = None,
    project: str | None = None,
    filename: str | None = None,
    **detail: object,
) -> None:
    """Note a change inside the transaction that makes it; `detail` is JSON, without secrets."""
    connection.execute(
        """INSERT INTO changes (at_us, index_name, project, kind, filename, detail) VALUES (?, ?, ?, ?, ?, ?)""",
        (at_us, index, project, kind, filename, json.dumps(detail)),
    )


class Changes:
    """Reading the history."""

    def __init__(self, database: Database) -> None:
        self._database = database
        (row,) = database.read(_LAST)
        self._serial = int(row[0] or 0)
        database.tell_commits(self._note)

    def serial(self) -> int:
        """Give the serial of the last change, 0 before the first; from memory, every answer carries it."""
        return self._serial

    def _note(self, connection: sqlite3.Connection) -> None:
        self._serial = int(connection.execute(_LAST).fetchall()[0][0] or 0)

    def recent(self, limit: int) -> tuple[ChangeRow, ...]:
        """Give the last changes, newest first; at most MOST."""
        rows = self._database.read("SELECT * FROM changes ORDER BY serial DESC LIMIT ?", (min(limit, MOST),))
        return tuple(
            ChangeRow(
                serial=row["serial"],
                at_us=row["at_us"],
                index=row["index_name"],
                project=row["project"],
                kind=row["kind"],
                filename=row["filename"],
                detail=json.loads(row["detail"]),
            )
            for row in rows
        )
