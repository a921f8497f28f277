"""What happened to mirrors and what they sent, and what was set offline by hand: kept over restarts."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from localpi.store.database import Database

Kind = Literal["state", "offline-view", "refused", "changed", "collision", "gone", "network", "cache"]

KEPT = 5_000
PRUNE_EVERY = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: when (µs UTC), of which kind, to which index and project, in one sentence."""

    at_us: int
    kind: Kind
    index: str | None
    project: str | None
    text: str


class Events:
    """The last KEPT events, give or take PRUNE_EVERY."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_later(self, event: Event) -> None:
        """Keep an event, without waiting."""

        def add(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO events (at_us, kind, index_name, project, text) VALUES (?, ?, ?, ?, ?)", astuple(event)
            )
            (row,) = connection.execute("SELECT max(id) FROM events").fetchall()
            if row[0] % PRUNE_EVERY == 0:
                connection.execute("DELETE FROM events WHERE id <= ?", (row[0] - KEPT,))

        self._database.write_later(add)

    def recent(self, limit: int, *, kind: Kind | None = None) -> tuple[Event, ...]:
        """Give the last events, or those of a kind, newest first; at most KEPT."""
        sql = """SELECT at_us, kind, index_name, project, text FROM events
            WHERE ? IS NULL OR kind = ? ORDER BY id DESC LIMIT ?"""
        return tuple(Event(*row) for row in self._database.read(sql, (kind, kind, min(limit, KEPT))))


class Offline:
    """Modes set by hand: index name ("" for all) to mode and since when (µs UTC)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, tuple[str, int]]:
        """Give all modes."""
        rows = self._database.read("SELECT index_name, mode, since_us FROM offline")
        return {cast("str", row["index_name"]): (row["mode"], row["since_us"]) for row in rows}

    def replace(self, modes: Mapping[str, tuple[str, int]]) -> None:
        """Keep these instead of all that were."""
        rows = [(index, mode, since_us) for index, (mode, since_us) in modes.items()]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM offline")
            connection.executemany("INSERT INTO offline (index_name, mode, since_us) VALUES (?, ?, ?)", rows)

        self._database.write(write)
