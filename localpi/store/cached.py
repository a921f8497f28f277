"""Which files of mirrors are here, under which of their links, and when each was used last."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from localpi.simple.names import ProjectName, Sha256
    from localpi.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFile:
    """A link of a source whose bytes are here.

    `key` is the folder in our URL (16 hex digits, or the cleaned origin), `filename` the last part, with `.metadata`
    for core metadata; `size` in bytes.
    """

    source: str
    key: str
    filename: str
    project: ProjectName
    sha256: Sha256
    size: int
    stored_us: int
    used_us: int


SELECT = """SELECT source, key, filename, project, sha256, size, stored_us, used_us
    FROM cached JOIN blobs USING (sha256)"""


class Cached:
    """Rows of the cache, written behind and found at once. A row is a claim: ask the files whether the bytes are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._on_the_way: dict[tuple[str, str, str], CachedFile] = {}
        self._used: dict[Sha256, int] = {}
        self._using = threading.Lock()

    def find(self, source: str, key: str, filename: str) -> CachedFile | None:
        """Give the row of a link."""
        found = self._on_the_way.get((source, key, filename))
        if found is not None:
            return found
        sql = f"{SELECT} WHERE source = ? AND key = ? AND filename = ?"
        for row in self._database.read(sql, (source, key, filename)):
            return _cached(row)
        return None

    def of_project(self, source: str, project: ProjectName) -> tuple[CachedFile, ...]:
        """Give the committed rows of a project's links, sorted by file name."""
        sql = f"{SELECT} WHERE source = ? AND project = ? ORDER BY filename"
        return tuple(_cached(row) for row in self._database.read(sql, (source, project)))

    def size_of(self, sha256: Sha256) -> int | None:
        """Give the size in bytes of a file by its content alone; None when no row speaks of it."""
        for row in self._database.read("SELECT size FROM blobs WHERE sha256 = ?", (sha256,)):
            return int(row["size"])
        return None

    def add_later(self, file: CachedFile) -> None:
        """Note a file whose bytes are stored."""
        link = (file.source, file.key, file.filename)
        self._on_the_way[link] = file

        def add(connection: sqlite3.Connection) -> None:
            _add_blob(connection, file.sha256, file.size, file.stored_us, file.used_us)
            connection.execute(
                """INSERT INTO cached (source, key, filename, project, sha256) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (source, key, filename) DO UPDATE
                    SET project = excluded.project, sha256 = excluded.sha256""",
                (*link, file.project, file.sha256),
            )

        def after() -> None:
            if self._on_the_way.get(link) is file:
                del self._on_the_way[link]

        self._database.write_later(add, after=after)

    def used(self, sha256: Sha256, at_us: int) -> None:
        """Note in memory that a file was used: a hit never writes."""
        with self._using:
            self._used[sha256] = at_us

    def flush_use(self) -> None:
        """Write down what was used since the last time; called each minute and at the end."""
        with self._using:
            used, self._used = self._used, {}
        if used:
            sql = "UPDATE blobs SET used_us = max(used_us, ?) WHERE sha256 = ?"
            rows = [(at_us, sha256) for sha256, at_us in used.items()]
            self._database.write_later(lambda connection: connection.executemany(sql, rows))

    def totals(self) -> tuple[int, int]:
        """Give how many files there are and their bytes."""
        (row,) = self._database.read("SELECT count(*), coalesce(sum(size), 0) FROM blobs")
        return int(row[0]), int(row[1])

    def forget(self, sha256: Sha256) -> bool:
        """Delete what speaks of a file, before its bytes go, and say whether anything did."""
        sql = "DELETE FROM blobs WHERE sha256 = ?"
        return self._database.write(lambda connection: connection.execute(sql, (sha256,)).rowcount) > 0

    def all_hashes(self) -> dict[Sha256, int]:
        """Give the sha256 and size in bytes of all files that rows speak of."""
        rows = self._database.read("SELECT sha256, size FROM blobs")
        return {cast("Sha256", row["sha256"]): row["size"] for row in rows}

    def adopt(self, files: Iterable[tuple[Sha256, int]], at_us: int) -> None:
        """Note files that lie here without a row: the name is the hash, a page that links it finds it."""
        found = tuple(files)

        def add(connection: sqlite3.Connection) -> None:
            for sha256, size in found:
                _add_blob(connection, sha256, size, at_us, at_us)

        self._database.write(add)


def _add_blob(connection: sqlite3.Connection, sha256: Sha256, size: int, stored_us: int, used_us: int) -> None:
    connection.execute(
        """INSERT INTO blobs (sha256, size, stored_us, used_us) VALUES (?, ?, ?, ?)
            ON CONFLICT (sha256) DO UPDATE SET used_us = max(used_us, excluded.used_us)""",
        (sha256, size, stored_us, used_us),
    )


def _cached(row: sqlite3.Row) -> CachedFile:
    return CachedFile(**dict(row))
