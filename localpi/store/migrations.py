"""Bringing a database file to the schema that this version knows: all of it in one transaction, or nothing."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from localpi.errors import NewerDatabase
from localpi.store.connecting import connect, translated
from localpi.store.durable import sync_file, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

Migration = tuple[str, ...]
"""The statements of one step; `executescript` would commit what came before it."""


def migrate(path: Path, migrations: tuple[Migration, ...], *, keep_copy: bool = True) -> int:
    """Bring the file from the version that `PRAGMA user_version` says to the last one, and return what it was.

    The number and the tables change in one transaction. With `keep_copy` a file that holds data is copied
    first, to `NAME.before-VERSION`. NewerDatabase when it is beyond what is known, StoreBroken when it is damaged,
    DiskFull.
    """
    with translated(), contextlib.closing(connect(path)) as connection:
        found = _version(connection)
        if found > len(migrations):
            raise _refuse(path, found, len(migrations))
        if found == len(migrations):
            return found
        if found and keep_copy:
            copy_database(connection, copy_of(path, len(migrations)))
        _apply(connection, migrations)
        return found


def copy_of(path: Path, version: int) -> Path:
    """Return where the copy is that was made before a file was brought to `version`."""
    return path.with_name(f"{path.name}.before-{version}")


def _refuse(path: Path, found: int, known: int) -> NewerDatabase:
    """Return the error for a file that is beyond us; where the copy from before that upgrade is, that is a way back."""
    refused = NewerDatabase(str(path), found, known)
    copy = copy_of(path, found)
    if copy.exists():
        refused.hint += f"; what was there before that upgrade is {copy}"
    return refused


def _apply(connection: sqlite3.Connection, migrations: tuple[Migration, ...]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in migrations[_version(connection) :]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def copy_database(connection: sqlite3.Connection, target: Path) -> None:
    """Write a whole and consistent copy, 0600, in the place of an earlier one; readers and the writer go on."""
    half = target.with_name(target.name + ".half")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        connection.execute("VACUUM INTO ?", (str(half),)).fetchall()  # an empty file may be its target
        sync_file(descriptor)
        half.replace(target)
        sync_folder(target.parent)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchall()[0][0])


def is_unclean(path: Path) -> bool:
    """Whether the last process that had the file open ended without closing it: its write-ahead log is still there."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def find_damage(path: Path, *, thorough: bool) -> str:
    """Say what is wrong with the file, "" when nothing is; `thorough` checks the indexes as well (slow)."""
    try:
        with contextlib.closing(connect(path)) as connection:
            check = "integrity_check" if thorough else "quick_check"
            said = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(5)").fetchall()]
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if said == ["ok"] else "; ".join(said)
