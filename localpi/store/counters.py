"""Numbers that only go up and outlive restarts: how often the cache answered, what that saved."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from localpi.store.database import Database


class Counters:
    """Counts in memory and writes what was added when it is flushed. They begin anew with the cache's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._added: Counter[str] = Counter()
        for row in database.read("SELECT name, value FROM counters"):
            self._totals[row["name"]] = row["value"]

    def add(self, **amounts: int) -> None:
        """Add to some of them."""
        with self._lock:
            self._added.update(amounts)

    def totals(self) -> Mapping[str, int]:
        """Give all that were ever added to; 0 for any other name."""
        with self._lock:
            return self._totals + self._added

    def flush_later(self) -> None:
        """Write what was added since the last time."""
        with self._lock:
            added, self._added = self._added, Counter()
            self._totals.update(added)
        if not added:
            return
        sql = """INSERT INTO counters (name, value) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(sql, tuple(added.items()))

        self._database.write_later(write)
