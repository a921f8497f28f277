"""What mirrors were seen to have: a name once seen on one stays its own, and so does a file's first hash.

In the own database, since it cannot be had again: it decides who may answer for a name while that mirror is away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import sqlite3

    from localpi.simple.names import ProjectName, Sha256
    from localpi.store.database import Database


class Seen:
    """Names and first hashes by source (a normalised upstream URL with its credential's name)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._on_the_way: set[tuple[str, str]] = set()

    def has(self, source: str, project: ProjectName) -> bool:
        """Whether the project was ever seen there."""
        if (source, project) in self._on_the_way:
            return True
        return bool(self._database.read("SELECT 1 FROM seen WHERE source = ? AND project = ?", (source, project)))

    def add_later(self, source: str, project: ProjectName, at_us: int) -> None:
        """Note that the project is there; only the first time counts."""
        if self.has(source, project):
            return
        key = (source, project)
        self._on_the_way.add(key)
        sql = "INSERT OR IGNORE INTO seen (source, project, first_us) VALUES (?, ?, ?)"
        self._database.write_later(
            lambda connection: connection.execute(sql, (source, project, at_us)),
            after=lambda: self._on_the_way.discard(key),
        )

    def first_hash(self, source: str, project: ProjectName, filename: str) -> Sha256 | None:
        """Give the sha256 that a file without a hash upstream had when it was first fetched."""
        sql = "SELECT sha256 FROM first_hashes WHERE source = ? AND project = ? AND filename = ?"
        for row in self._database.read(sql, (source, project, filename)):
            return cast("Sha256", row["sha256"])
        return None

    def keep_first_hash(self, source: str, project: ProjectName, filename: str, sha256: Sha256, at_us: int) -> Sha256:
        """Note the sha256 unless there is one, and return the one that counts."""
        kept = self.first_hash(source, project, filename)
        if kept is not None:
            return kept

        def keep(connection: sqlite3.Connection) -> Sha256:
            key = (source, project, filename)
            connection.execute(
                """INSERT OR IGNORE INTO first_hashes (source, project, filename, sha256, first_us)
                    VALUES (?, ?, ?, ?, ?)""",
                (*key, sha256, at_us),
            )
            sql = "SELECT sha256 FROM first_hashes WHERE source = ? AND project = ? AND filename = ?"
            return cast("Sha256", connection.execute(sql, key).fetchall()[0]["sha256"])

        return self._database.write(keep)
