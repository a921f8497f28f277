"""Files that an upstream's page lists no more, or with another hash than before: what they were, so that they stay.

In the own database, since it cannot be had again. The rows are few (only files whose bytes are here are kept when they
are gone), so all of them are in memory: a page is rendered without asking the database.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from localpi.store.database import Database


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as its page had it before.

    `why`: `gone` (not on the page any more) or `changed` (another hash under the same name). `since_us`: when that was
    seen, µs UTC. `entry`: what the page said, PEP 691, with the upstream's absolute URL.
    """

    filename: str
    why: Literal["gone", "changed"]
    since_us: int
    entry: Mapping[str, Any]


class Kept:
    """Kept files by source and project. Thread-safe; a write is seen at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._files: dict[tuple[str, str], tuple[KeptFile, ...]] = {}
        sql = "SELECT source, project, filename, why, since_us, entry FROM kept ORDER BY source, project, filename"
        for row in database.read(sql):
            key = (row["source"], row["project"])
            file = KeptFile(row["filename"], row["why"], row["since_us"], json.loads(row["entry"]))
            self._files[key] = (*self._files.get(key, ()), file)

    def of(self, source: str, project: str) -> tuple[KeptFile, ...]:
        """Give the kept files of a project, sorted by name."""
        return self._files.get((source, project), ())

    def totals(self, source: str) -> tuple[int, int]:
        """Give how many files of a source are gone, and how many changed."""
        found = [file.why for (of, _), files in tuple(self._files.items()) if of == source for file in files]
        return found.count("gone"), found.count("changed")

    def replace_later(self, source: str, project: str, files: Sequence[KeptFile]) -> None:
        """Keep these files of a project instead of those that were."""
        kept = tuple(sorted(files, key=lambda file: file.filename))
        with self._lock:
            if kept == self.of(source, project):
                return
            if kept:
                self._files[source, project] = kept
            else:
                self._files.pop((source, project), None)
        rows = [(source, project, file.filename, file.why, file.since_us, json.dumps(file.entry)) for file in kept]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM kept WHERE source = ? AND project = ?", (source, project))
            connection.executemany(
                "INSERT INTO kept (source, project, filename, why, since_us, entry) VALUES (?, ?, ?, ?, ?, ?)", rows
            )

        self._database.write_later(write)
