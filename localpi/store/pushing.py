"""Copying a release from index to index: rows alone, since both have the same bytes, and all of them or none."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from localpi.errors import FileExists, ReleaseNotFound
from localpi.store.attachments import SELECT as SELECT_ATTACHMENTS
from localpi.store.attachments import AttachmentRow, documentation, drop_documentation, insert
from localpi.store.attachments import read as read_attachment
from localpi.store.changes import record
from localpi.store.file_log import dump_log, overwrite_entries, push_entry, read_log, without_overwrites
from localpi.store.releases import (
    FileRow,
    delete_file,
    find_file,
    insert_file,
    merge_metadata,
    read_metadata,
    release_files,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from localpi.simple.names import ProjectName, Sha256
    from localpi.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What to copy: files with their test results, documentation, or both; `by` whom, `at_us` when."""

    source: str
    target: str
    project: ProjectName
    version: str
    by: str
    at_us: int
    files: bool = True
    docs: bool = True
    target_volatile: bool = True


@dataclass(frozen=True, slots=True)
class Pushed:
    """What is on the target now because of it; `replaced`: hashes that may have lost their last row."""

    files: tuple[FileRow, ...]
    toxresults: tuple[AttachmentRow, ...]
    docs: AttachmentRow | None
    replaced: tuple[Sha256, ...]


def push_release(database: Database, push: Push) -> Pushed:
    """Copy a release from stage to stage in one transaction.

    ReleaseNotFound when the source itself has no such release, FileExists (also for the same bytes, as devpi) when the
    target is not volatile and has one of its files; then nothing is changed.
    """
    return database.write(lambda connection: _copy(connection, push))


def push_files(database: Database, push: Push, files: tuple[FileRow, ...], metadata: Mapping[str, Any]) -> Pushed:
    """Put files whose bytes are stored already on a stage in one transaction; errors as above."""

    def write(connection: sqlite3.Connection) -> Pushed:
        merge_metadata(connection, (push.target, push.project, push.version), metadata)
        placed = [_place(connection, push, file, []) for file in files]
        _record(connection, push, len(files))
        return Pushed(tuple(row for row, _ in placed), (), None, tuple(old for _, old in placed if old))

    return database.write(write)


def _copy(connection: sqlite3.Connection, push: Push) -> Pushed:
    release = (push.source, push.project, push.version)
    metadata = read_metadata(connection, release)
    if metadata is None:
        raise ReleaseNotFound(push.project, push.version)
    files = release_files(connection, *release) if push.files else ()
    docs = documentation(connection, *release) if push.docs else None
    if not files and docs is None:
        return Pushed((), (), None, ())
    merge_metadata(connection, (push.target, push.project, push.version), metadata)
    told = [result for file in files for result in _results(connection, file)]  # first: it may be the same index
    placed = [_place(connection, push, file, without_overwrites(read_log(file))) for file in files]
    results = [_attach(connection, push, result) for result in told]
    _record(connection, push, len(files))
    return Pushed(
        tuple(row for row, _ in placed),
        tuple(results),
        _document(connection, push, docs) if docs is not None else None,
        tuple(old for _, old in placed if old),
    )


def _place(
    connection: sqlite3.Connection, push: Push, file: FileRow, log: list[dict[str, Any]]
) -> tuple[FileRow, Sha256 | None]:
    """Put one file on the target; with the row the hash that it replaced there."""
    before = find_file(connection, push.target, file.filename)
    if before is not None:
        if not push.target_volatile:
            raise FileExists(push.target, file.filename)
        log = overwrite_entries(push.at_us, read_log(before)) + log
        delete_file(connection, push.target, file.filename)
    log = [*log, push_entry(push.at_us, push.by, push.source, push.target)]
    row = replace(
        file, index=push.target, version=push.version, uploaded_us=push.at_us, uploaded_by=push.by, log=dump_log(log)
    )
    insert_file(connection, row)
    if before is not None and before.sha256 != file.sha256:
        record(connection, "replace", push.at_us, index=push.target, project=push.project, filename=file.filename)
    return row, before.sha256 if before is not None else None


def _results(connection: sqlite3.Connection, file: FileRow) -> tuple[AttachmentRow, ...]:
    sql = f"""{SELECT_ATTACHMENTS} WHERE files.index_name = ? AND files.filename = ? AND attachments.rel = 'toxresult'
        ORDER BY attachments.id"""
    return tuple(read_attachment(row) for row in connection.execute(sql, (file.index, file.filename)).fetchall())


def _attach(connection: sqlite3.Connection, push: Push, attachment: AttachmentRow) -> AttachmentRow:
    log = [*json.loads(attachment.log), push_entry(push.at_us, push.by, push.source, push.target)]
    row = replace(attachment, index=push.target, version=push.version, stored_us=push.at_us, log=dump_log(log))
    insert(connection, row)
    return row


def _document(connection: sqlite3.Connection, push: Push, docs: AttachmentRow) -> AttachmentRow:
    target = (push.target, push.project, push.version)
    before = documentation(connection, *target)
    if before is not None:
        if not push.target_volatile:
            raise FileExists(push.target, docs.filename)
        drop_documentation(connection, *target)
    return _attach(connection, push, docs)


def _record(connection: sqlite3.Connection, push: Push, count: int) -> None:
    record(
        connection, "push", push.at_us, index=push.target, project=push.project, version=push.version,
        source=push.source, files=count, by=push.by,
    )  # fmt: skip
