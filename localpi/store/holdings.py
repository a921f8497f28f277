"""What the cache holds, seen as a whole: the longest unused first, with their links, and out of it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from localpi.store.cached import SELECT, CachedFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from localpi.simple.names import Sha256
    from localpi.store.database import Database

AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that a row of the cache speaks of: `size` in bytes, `used_us` µs UTC."""

    sha256: Sha256
    size: int
    used_us: int


class Holdings:
    """Rows of the cache by their bytes; what is still on its way to the disk is not among them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def oldest(self) -> Iterator[Held]:
        """Give all, the longest unused first, read piece by piece: who has enough stops."""
        used_us, sha256 = -1, ""
        while True:
            sql = """SELECT sha256, size, used_us FROM blobs WHERE (used_us, sha256) > (?, ?)
                ORDER BY used_us, sha256 LIMIT ?"""
            rows = self._database.read(sql, (used_us, sha256, AT_ONCE))
            for row in rows:
                used_us, sha256 = row["used_us"], row["sha256"]
                yield Held(cast("Sha256", sha256), row["size"], used_us)
            if len(rows) < AT_ONCE:
                return

    def links(self, sha256: Sha256) -> tuple[CachedFile, ...]:
        """Give all links to some bytes; none for those that were adopted and not asked for since."""
        return tuple(_file(row) for row in self._database.read(f"{SELECT} WHERE sha256 = ?", (sha256,)))

    def files(self) -> tuple[CachedFile, ...]:
        """Give all links, by project and file name."""
        return tuple(_file(row) for row in self._database.read(f"{SELECT} ORDER BY project, filename, source"))

    def unlinked(self) -> tuple[Held, ...]:
        """Give the bytes that no link leads to."""
        sql = """SELECT sha256, size, used_us FROM blobs
            WHERE NOT EXISTS (SELECT 1 FROM cached WHERE cached.sha256 = blobs.sha256)"""
        return tuple(Held(row["sha256"], row["size"], row["used_us"]) for row in self._database.read(sql))

    def forget(self, hashes: Iterable[Sha256]) -> None:
        """Delete what speaks of these bytes, before they go."""
        gone = [(sha256,) for sha256 in hashes]

        def forget(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM blobs WHERE sha256 = ?", gone)

        self._database.write(forget)


def _file(row: sqlite3.Row) -> CachedFile:
    return CachedFile(**cast("dict[str, Any]", dict(row)))
