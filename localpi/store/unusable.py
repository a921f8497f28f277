"""Wheels whose core metadata cannot be had: looked at once, and not again after a restart either."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from localpi.store.database import Database

MOST = 4096


class Unusable:
    """Wheels by source, key and file name, the newest MOST of them; in memory too, since each page asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        rows = database.read("SELECT source, key, filename FROM unusable ORDER BY id DESC LIMIT ?", (MOST,))
        found = [(row["source"], row["key"], row["filename"]) for row in reversed(rows)]
        self._wheels: OrderedDict[tuple[str, str, str], None] = OrderedDict.fromkeys(found)

    def __bool__(self) -> bool:
        return bool(self._wheels)

    def has(self, source: str, key: str, filename: str) -> bool:
        """Say whether there is no core metadata in this wheel that can be read."""
        return (source, key, filename) in self._wheels

    def add_later(self, source: str, key: str, filename: str) -> None:
        """Note one; it is known from now on."""
        wheel = (source, key, filename)
        with self._lock:
            self._wheels[wheel] = None
            while len(self._wheels) > MOST:
                self._wheels.popitem(last=False)

        def add(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR IGNORE INTO unusable (source, key, filename) VALUES (?, ?, ?)", wheel)
            connection.execute("DELETE FROM unusable WHERE id <= (SELECT max(id) FROM unusable) - ?", (MOST,))

        self._database.write_later(add)

    def forget_others(self, sources: tuple[str, ...]) -> None:
        """Forget the wheels of all sources but these."""
        marks = ", ".join("?" * len(sources))
        sql = f"DELETE FROM unusable WHERE source NOT IN ({marks})"  # noqa: S608 - marks alone
        self._database.write(lambda c: c.execute(sql, sources))
        with self._lock:
            for wheel in [wheel for wheel in self._wheels if wheel[0] not in sources]:
                del self._wheels[wheel]
