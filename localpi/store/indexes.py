"""The indexes' rows."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from localpi.errors import Conflict, IndexNotFound, UserNotFound
from localpi.store.changes import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.simple.names import Sha256
    from localpi.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """An index; `name` is the part after the user's, `type` "stage" or "mirror", `config` its settings as JSON."""

    user: str
    name: str
    type: str
    config: Mapping[str, Any]
    created_us: int

    @property
    def full_name(self) -> str:
        """Give "user/index", by which all other tables know it."""
        return f"{self.user}/{self.name}"


class Indexes:
    """Indexes in the own database, by "user/index"; each change is in the history."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database, self._clock = database, clock

    def add(self, index: IndexRow) -> None:
        """Add an index; UserNotFound, Conflict when there is one of that name."""
        name = index.full_name

        def add(connection: sqlite3.Connection) -> None:
            if not connection.execute("SELECT 1 FROM users WHERE name = ?", (index.user,)).fetchall():
                raise UserNotFound(index.user)
            try:
                connection.execute(
                    "INSERT INTO indexes (name, user, type, config, created_us) VALUES (?, ?, ?, ?, ?)",
                    (name, index.user, index.type, json.dumps(dict(index.config)), index.created_us),
                )
            except sqlite3.IntegrityError:
                raise Conflict(f"index {name!r} exists") from None
            record(connection, "index-create", index.created_us, index=name, config=dict(index.config))

        self._database.write(add)

    def get(self, name: str) -> IndexRow | None:
        """Give the index "user/index"."""
        for row in self._database.read("SELECT * FROM indexes WHERE name = ?", (name,)):
            return _index(row)
        return None

    def all(self) -> tuple[IndexRow, ...]:
        """Give all indexes, sorted by name."""
        return tuple(_index(row) for row in self._database.read("SELECT * FROM indexes ORDER BY name"))

    def replace_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Set all settings of an index; IndexNotFound."""
        at_us, text = self._clock(), json.dumps(dict(config))

        def replace(connection: sqlite3.Connection) -> None:
            if not connection.execute("UPDATE indexes SET config = ? WHERE name = ?", (text, name)).rowcount:
                raise IndexNotFound(name)
            record(connection, "index-modify", at_us, index=name, config=dict(config))

        self._database.write(replace)

    def delete(self, name: str) -> tuple[Sha256, ...]:
        """Delete an index with its releases and the rows of its files; IndexNotFound.

        Returned are the hashes that no row speaks of any more: their bytes can go, now that this is committed.
        """
        at_us = self._clock()

        def delete(connection: sqlite3.Connection) -> tuple[Sha256, ...]:
            unused = connection.execute(
                """SELECT DISTINCT sha256 FROM files AS ours WHERE index_name = ? AND NOT EXISTS
                    (SELECT 1 FROM files WHERE sha256 = ours.sha256 AND index_name <> ours.index_name)""",
                (name,),
            ).fetchall()
            if not connection.execute("DELETE FROM indexes WHERE name = ?", (name,)).rowcount:
                raise IndexNotFound(name)
            record(connection, "index-delete", at_us, index=name)
            return tuple(cast("Sha256", row["sha256"]) for row in unused)

        return self._database.write(delete)


def _index(row: sqlite3.Row) -> IndexRow:
    values = dict(row)
    values["name"] = values["name"].partition("/")[2]
    values["config"] = json.loads(values["config"])
    return IndexRow(**values)
