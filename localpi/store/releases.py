"""The rows of own releases and files: what a stage holds."""

from __future__ import annotations

import enum
import json
import sqlite3
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast

from localpi.errors import FileExists, IndexNotFound
from localpi.store.changes import record
from localpi.store.file_log import dump_log, overwrite_entries, read_log, upload_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.simple.names import Filename, ProjectName, Sha256
    from localpi.store.changes import Kind
    from localpi.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file of a release on a stage. `size` in bytes; `yanked` None: no, "": without a reason (PEP 592)."""

    index: str
    project: ProjectName
    version: str
    filename: Filename
    sha256: Sha256
    size: int
    filetype: str
    uploaded_us: int
    uploaded_by: str
    md5: str | None = None
    requires_python: str | None = None
    yanked: str | None = None
    core_metadata: bytes | None = None
    log: str = ""  # JSON, see `file_log`


class Outcome(enum.Enum):
    """What adding a file did."""

    NEW = "new"
    SAME = "same"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Added:
    """The outcome, the row as it is now, and with REPLACED the hash that stood there before."""

    outcome: Outcome
    file: FileRow
    replaced: Sha256 | None = None


COLUMNS = tuple("index_name" if field.name == "index" else field.name for field in fields(FileRow))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM files"  # noqa: S608 - columns of the class above
INSERT = f"INSERT INTO files ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - the same


class Releases:
    """Own releases and files; each change is in the history."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database, self._clock = database, clock

    def add_file(self, file: FileRow, metadata: Mapping[str, Any], *, volatile: bool) -> Added:
        """Add a file whose bytes are stored already, and the keys of its release's metadata.

        The same bytes again change nothing at all. Other bytes replace it on a volatile index, else FileExists, and
        nothing changes. A file of a yanked release is yanked. IndexNotFound.
        """

        def add(connection: sqlite3.Connection) -> Added:
            before = find_file(connection, file.index, file.filename)
            if before is not None and before.sha256 == file.sha256:
                return Added(Outcome.SAME, before)
            if before is not None and not volatile:
                raise FileExists(file.index, file.filename)
            yanked = _yanked(connection, file) if file.yanked is None else file.yanked
            now = replace(file, yanked=yanked, log=file.log or _log(file, before))
            if before is not None:
                connection.execute(
                    "DELETE FROM files WHERE index_name = ? AND filename = ?", (file.index, file.filename)
                )
            merge_metadata(connection, (file.index, file.project, file.version), metadata)
            insert_file(connection, now)
            if before is not None:
                _drop_if_empty(connection, (before.index, before.project, before.version))
            kind: Kind = "upload" if before is None else "replace"
            _record(connection, kind, now, now.uploaded_us, now.uploaded_by)
            if before is None:
                return Added(Outcome.NEW, now)
            return Added(Outcome.REPLACED, now, before.sha256)

        return self._database.write(add)

    def register(self, index: str, project: ProjectName, version: str, metadata: Mapping[str, Any], *, by: str) -> None:
        """Announce a release, with or without files, and add these keys to its metadata. IndexNotFound."""
        at_us = self._clock()

        def write(connection: sqlite3.Connection) -> None:
            merge_metadata(connection, (index, project, version), metadata)
            record(connection, "register", at_us, index=index, project=project, version=version, by=by)

        self._database.write(write)

    def has(self, index: str, project: ProjectName) -> bool:
        """Whether the project has a release, be it one without files."""
        sql = "SELECT 1 FROM releases WHERE index_name = ? AND project = ? LIMIT 1"
        return bool(self._database.read(sql, (index, project)))

    def files(self, index: str, project: ProjectName) -> tuple[FileRow, ...]:
        """Give the files of a project in the order of their upload."""
        sql = f"{SELECT} WHERE index_name = ? AND project = ? ORDER BY uploaded_us, filename"
        return tuple(_file(row) for row in self._database.read(sql, (index, project)))

    def file(self, index: str, key: str, filename: Filename) -> FileRow | None:
        """Give the file of that name whose sha256 begins with `key`, 16 hex digits."""
        for row in self._database.read(f"{SELECT} WHERE index_name = ? AND filename = ?", (index, filename)):
            if row["sha256"][:16] == key:
                return _file(row)
        return None

    def projects(self, index: str) -> tuple[ProjectName, ...]:
        """Give the projects that have releases, sorted."""
        sql = "SELECT DISTINCT project FROM releases WHERE index_name = ? ORDER BY project"
        return tuple(row["project"] for row in self._database.read(sql, (index,)))

    def metadata(self, index: str, project: ProjectName) -> dict[str, dict[str, Any]]:
        """Give the metadata of each version, as the upload forms had it."""
        sql = "SELECT version, metadata FROM releases WHERE index_name = ? AND project = ?"
        return {row["version"]: json.loads(row["metadata"]) for row in self._database.read(sql, (index, project))}

    def remove_files(
        self, index: str, project: ProjectName, version: str | None, filename: str | None, *, by: str = ""
    ) -> tuple[FileRow, ...]:
        """Delete a file, the files of a release, or of a project, and return what was deleted; `by` whom.

        The last file takes its release along, and that its documentation.
        """
        wanted = {"index_name": index, "project": project, "version": version, "filename": filename}
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in given)
        at_us = self._clock()

        def remove(connection: sqlite3.Connection) -> tuple[FileRow, ...]:
            rows = connection.execute(f"{SELECT} WHERE {where}", tuple(given.values())).fetchall()
            removed = tuple(_file(row) for row in rows)
            connection.execute(f"DELETE FROM files WHERE {where}", tuple(given.values()))  # noqa: S608 - columns above
            if filename is None:
                _drop_releases(connection, index, project, version)
            for of in {file.version for file in removed}:
                _drop_if_empty(connection, (index, project, of))
            for file in removed:
                _record(connection, "remove", file, at_us, by)
            if not removed:
                record(connection, "remove", at_us, index=index, project=project, version=version, by=by)
            return removed

        return self._database.write(remove)

    def was_deleted(self, index: str, filename: str) -> bool:
        """Whether a file of that name was deleted from the index, or replaced there, at some time."""
        sql = "SELECT 1 FROM changes WHERE index_name = ? AND filename = ? AND kind IN ('remove', 'replace') LIMIT 1"
        return bool(self._database.read(sql, (index, filename)))

    def set_yanked(self, index: str, project: ProjectName, version: str, reason: str | None, *, by: str = "") -> int:
        """Yank a release ("": without a reason) or, with None, take that back; how many files it has."""
        at_us = self._clock()

        def change(connection: sqlite3.Connection) -> int:
            sql = "UPDATE files SET yanked = ? WHERE index_name = ? AND project = ? AND version = ?"
            count = connection.execute(sql, (reason, index, project, version)).rowcount
            if count:
                kind: Kind = "unyank" if reason is None else "yank"
                record(connection, kind, at_us, index=index, project=project, version=version, reason=reason, by=by)
            return count

        return self._database.write(change)

    def holds(self, sha256: str) -> bool:
        """Whether a file or an attachment of any index has these bytes."""
        sql = "SELECT 1 FROM files WHERE sha256 = ? UNION ALL SELECT 1 FROM attachments WHERE sha256 = ? LIMIT 1"
        return bool(self._database.read(sql, (sha256, sha256)))

    def all_hashes(self) -> dict[Sha256, int]:
        """Give the sha256 and size in bytes of all files of all indexes, and of what is attached to them."""
        rows = self._database.read("SELECT sha256, size FROM files UNION SELECT sha256, size FROM attachments")
        return {cast("Sha256", row["sha256"]): row["size"] for row in rows}


def _file(row: sqlite3.Row) -> FileRow:
    values = dict(row)
    values["index"] = values.pop("index_name")
    return FileRow(**values)


def find_file(connection: sqlite3.Connection, index: str, filename: str) -> FileRow | None:
    """Give the file of that name."""
    rows = connection.execute(f"{SELECT} WHERE index_name = ? AND filename = ?", (index, filename)).fetchall()
    return _file(rows[0]) if rows else None


def release_files(
    connection: sqlite3.Connection, index: str, project: ProjectName, version: str
) -> tuple[FileRow, ...]:
    """Give the files of a release by their names."""
    sql = f"{SELECT} WHERE index_name = ? AND project = ? AND version = ? ORDER BY filename"
    return tuple(_file(row) for row in connection.execute(sql, (index, project, version)).fetchall())


def insert_file(connection: sqlite3.Connection, file: FileRow) -> None:
    """Write the row; its release is there already."""
    connection.execute(INSERT, tuple(getattr(file, field.name) for field in fields(FileRow)))


def delete_file(connection: sqlite3.Connection, index: str, filename: str) -> None:
    """Delete the row, and the test results with it; its release stays."""
    connection.execute("DELETE FROM files WHERE index_name = ? AND filename = ?", (index, filename))


def _log(file: FileRow, before: FileRow | None) -> str:
    """Write the log of a file that replaces another; that of a new one goes without saying."""
    if before is None:
        return ""
    upload = upload_entry(file.uploaded_us, file.uploaded_by, file.index)
    return dump_log([*overwrite_entries(file.uploaded_us, read_log(before)), upload])


def _yanked(connection: sqlite3.Connection, file: FileRow) -> str | None:
    """Give the reason for which the release was yanked as a whole."""
    sql = """SELECT yanked FROM files WHERE index_name = ? AND project = ? AND version = ? AND yanked IS NOT NULL"""
    rows = connection.execute(sql, (file.index, file.project, file.version)).fetchall()
    return str(rows[0]["yanked"]) if rows else None


def read_metadata(connection: sqlite3.Connection, release: tuple[str, ProjectName, str]) -> dict[str, Any] | None:
    """Give the metadata of a release ("user/index", project, version), None when there is no such release."""
    sql = "SELECT metadata FROM releases WHERE index_name = ? AND project = ? AND version = ?"
    for row in connection.execute(sql, release).fetchall():
        return dict(json.loads(row["metadata"]))
    return None


def merge_metadata(
    connection: sqlite3.Connection, release: tuple[str, ProjectName, str], metadata: Mapping[str, Any]
) -> None:
    """Add keys to the metadata of a release, and make it where it is missing. IndexNotFound."""
    merged = (read_metadata(connection, release) or {}) | dict(metadata)
    try:
        connection.execute(
            """INSERT INTO releases (index_name, project, version, metadata) VALUES (?, ?, ?, ?)
                ON CONFLICT (index_name, project, version) DO UPDATE SET metadata = excluded.metadata""",
            (*release, json.dumps(merged)),
        )
    except sqlite3.IntegrityError:
        raise IndexNotFound(release[0]) from None


def _drop_if_empty(connection: sqlite3.Connection, release: tuple[str, ProjectName, str]) -> None:
    """Delete a release that has lost its last file."""
    connection.execute(
        """DELETE FROM releases WHERE index_name = ? AND project = ? AND version = ? AND NOT EXISTS (SELECT 1 FROM files
            WHERE index_name = releases.index_name AND project = releases.project AND version = releases.version)""",
        release,
    )


def _drop_releases(connection: sqlite3.Connection, index: str, project: ProjectName, version: str | None) -> None:
    """Delete one release, or all of a project."""
    where, values = ("AND version = ?", (version,)) if version is not None else ("", ())
    sql = f"DELETE FROM releases WHERE index_name = ? AND project = ? {where}"  # noqa: S608 - one of the two above
    connection.execute(sql, (index, project, *values))


def _record(connection: sqlite3.Connection, kind: Kind, file: FileRow, at_us: int, by: str) -> None:
    record(
        connection,
        kind,
        at_us,
        index=file.index,
        project=file.project,
        filename=file.filename,
        version=file.version,
        sha256=file.sha256,
        by=by,
    )
