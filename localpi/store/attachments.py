"""What belongs to a release besides its files: its documentation, and test results of its files (tox)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, cast

from localpi.errors import FileExists, FileNotHere
from localpi.store.changes import record

if TYPE_CHECKING:
    import sqlite3

    from localpi.simple.names import Filename, ProjectName, Sha256
    from localpi.store.changes import Kind
    from localpi.store.database import Database

Rel = Literal["doczip", "toxresult"]
"""devpi's words in `+links`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRow:
    """An attachment; `key` are the 16 hex digits below `+f`, `log` is JSON, `size` in bytes.

    `of_filename`: the file of the same release that a test result is about, None for documentation.
    """

    index: str
    project: ProjectName
    version: str
    rel: Rel
    key: str
    filename: str
    sha256: Sha256
    size: int
    stored_us: int
    log: str
    of_filename: Filename | None = None


STORED = tuple(field.name for field in fields(AttachmentRow) if field.name not in ("index", "of_filename"))
SELECT = f"""SELECT attachments.index_name, {", ".join(f"attachments.{column}" for column in STORED)},
    files.filename AS of_filename
    FROM attachments LEFT JOIN files ON files.id = attachments.of_file"""  # noqa: S608 - columns of the class above
INSERT = f"""INSERT INTO attachments (index_name, of_file, {", ".join(STORED)})
    VALUES (?, ?, {", ".join("?" * len(STORED))})"""  # noqa: S608 - the same


class Attachments:
    """Attachments of own releases; each that is added is in the history. With its release or file it goes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: AttachmentRow, *, volatile: bool, by: str = "") -> bool:
        """Add an attachment whose bytes are stored already; whether it is new.

        The documentation of a release replaces the one before on a volatile index, else FileExists; the same bytes
        again change nothing. FileNotHere when the release or the file that it is about is not there.
        """

        def write(connection: sqlite3.Connection) -> bool:
            if row.rel == "doczip":
                before = documentation(connection, row.index, row.project, row.version)
                if before is not None and before.sha256 == row.sha256:
                    return False
                if before is not None and not volatile:
                    raise FileExists(row.index, row.filename)
                drop_documentation(connection, row.index, row.project, row.version)
            insert(connection, row)
            kind: Kind = "docs" if row.rel == "doczip" else "toxresult"
            record(
                connection, kind, row.stored_us, index=row.index, project=row.project, filename=row.filename,
                version=row.version, sha256=row.sha256, by=by,
            )  # fmt: skip
            return True

        return self._database.write(write)

    def of_project(self, index: str, project: ProjectName) -> tuple[AttachmentRow, ...]:
        """Give the attachments of a project in the order in which they came."""
        sql = f"{SELECT} WHERE attachments.index_name = ? AND attachments.project = ? ORDER BY attachments.id"
        return tuple(read(row) for row in self._database.read(sql, (index, project)))

    def of_index(self, index: str) -> tuple[AttachmentRow, ...]:
        """Give all attachments of an index."""
        sql = f"{SELECT} WHERE attachments.index_name = ? ORDER BY attachments.id"
        return tuple(read(row) for row in self._database.read(sql, (index,)))

    def find(self, index: str, key: str, filename: str) -> AttachmentRow | None:
        """Give the attachment behind a URL."""
        sql = f"{SELECT} WHERE attachments.index_name = ? AND attachments.key = ? AND attachments.filename = ?"
        for row in self._database.read(sql, (index, key, filename)):
            return read(row)
        return None

    def take_released(self) -> tuple[Sha256, ...]:
        """Give the hashes whose rows went, once: their bytes can go unless another row holds them."""
        if not self._database.read("SELECT 1 FROM released LIMIT 1"):
            return ()

        def take(connection: sqlite3.Connection) -> tuple[Sha256, ...]:
            rows = connection.execute("SELECT sha256 FROM released").fetchall()
            connection.execute("DELETE FROM released")
            return tuple(cast("Sha256", row["sha256"]) for row in rows)

        return self._database.write(take)


def insert(connection: sqlite3.Connection, row: AttachmentRow) -> None:
    """Write the row; FileNotHere when its release, or the file that it is about, is gone."""
    key = (row.index, row.project, row.version)
    of_file = None
    if row.of_filename is not None:
        found = connection.execute(
            "SELECT id FROM files WHERE index_name = ? AND project = ? AND version = ? AND filename = ?",
            (*key, row.of_filename),
        ).fetchall()
        of_file = found[0]["id"] if found else None
    sql = "SELECT 1 FROM releases WHERE index_name = ? AND project = ? AND version = ?"
    if not connection.execute(sql, key).fetchall() or (row.of_filename is not None and of_file is None):
        raise FileNotHere(row.index, row.of_filename or row.filename)
    connection.execute(INSERT, (row.index, of_file, *(getattr(row, column) for column in STORED)))


def documentation(
    connection: sqlite3.Connection, index: str, project: ProjectName, version: str
) -> AttachmentRow | None:
    """Give the documentation of a release."""
    sql = f"""{SELECT} WHERE attachments.index_name = ? AND attachments.project = ? AND attachments.version = ?
        AND attachments.rel = 'doczip'"""
    rows = connection.execute(sql, (index, project, version)).fetchall()
    return read(rows[0]) if rows else None


def drop_documentation(connection: sqlite3.Connection, index: str, project: ProjectName, version: str) -> None:
    """Delete the documentation of a release."""
    connection.execute(
        "DELETE FROM attachments WHERE index_name = ? AND project = ? AND version = ? AND rel = 'doczip'",
        (index, project, version),
    )


def read(row: sqlite3.Row) -> AttachmentRow:
    """Make the row of what SELECT gave."""
    values = dict(row)
    values["index"] = values.pop("index_name")
    return AttachmentRow(**values)
