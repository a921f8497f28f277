"""Connections to a database file, and what SQLite's errors mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Literal

from localpi.errors import DiskFull, StoreBroken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT_S = 10.0
LOG_LIMIT = 64 << 20
CACHE_KIB = 256
"""What each connection keeps of the file: SQLite's own 2 MB would be kept by each of the readers."""


def connect(path: Path, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> sqlite3.Connection:
    """Open a database file, made 0600 when it is not there, with the settings that all connections share.

    `synchronous`: under FULL a commit survives a power cut; under NORMAL the last ones may not, but nothing breaks.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # -wal and -shm take its mode
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        for setting in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            f"cache_size=-{CACHE_KIB}",
            "wal_autocheckpoint=0",  # the writer makes checkpoints, nobody else
            f"journal_size_limit={LOG_LIMIT}",
            "fullfsync=1",  # macOS: fsync alone stops at the drive's cache
            "checkpoint_fullfsync=1",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise our errors for those of SQLite that are about the disk."""
    try:
        yield
    except sqlite3.Error as error:
        ours = translate(error)
        if ours is error:
            raise
        raise ours from error


def translate(error: sqlite3.Error) -> Exception:
    """Give the error that one of SQLite's stands for: DiskFull, StoreBroken, or itself."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return DiskFull("no room left for the database")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            broken = StoreBroken(f"the database is damaged: {error}")
            broken.hint = "localpi doctor says which one, and what mends it"
            return broken
    return error
