"""One SQLite file: writes go through one thread, reads are short and come from any.

A read takes all its rows at once: an open cursor would keep the write-ahead log from being reset (35 MB after 3,000
inserts). Readers see the last commit, never wait for the writer, and never make it wait.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from localpi.errors import StoreBroken
from localpi.store.connecting import connect, translated
from localpi.store.migrations import copy_database
from localpi.store.queue import Task, WriteQueue
from localpi.store.writer import Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)
T = TypeVar("T")

WRITE_TIMEOUT_S = 60.0
ROOM_TIMEOUT_S = 5.0
KEPT_READERS = 8


class Database:
    """A migrated database file."""

    def __init__(self, path: Path, synchronous: Literal["FULL", "NORMAL"]) -> None:
        self.path = path
        self._synchronous: Literal["FULL", "NORMAL"] = synchronous
        self._readers: deque[sqlite3.Connection] = deque()
        self._queue = WriteQueue()
        self._writer = Writer(path, connect(path, synchronous), self._queue)
        self._identity = _identify(path)

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Run one query and give all its rows."""
        if self._queue.closed:
            raise StoreBroken("the database is closed")
        with translated():
            connection = self._take_reader()
            if connection is None:
                return self.write(lambda writing: writing.execute(sql, parameters).fetchall())
            try:
                return connection.execute(sql, parameters).fetchall()
            finally:
                self._give_back(connection)

    def write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run an operation in a transaction and return its result once that is committed.

        The operation gets the writing connection on the writing thread, and may run twice: it must do nothing but SQL
        and leave no cursor open. What it raises is raised here, its changes are undone, others' are not. DiskFull;
        StoreBroken when the database is closed, damaged, or silent for a minute.
        """
        task = Task(operation)
        if not self._queue.put(task, ROOM_TIMEOUT_S):
            raise StoreBroken("the database is closed")
        if not task.done.wait(WRITE_TIMEOUT_S):
            task.abandoned = True
            raise StoreBroken(f"the database did not take a write within {WRITE_TIMEOUT_S:.0f} s")
        if task.error is not None:
            raise task.error
        return cast("T", task.result)

    def write_later(
        self,
        operation: Callable[[sqlite3.Connection], object],
        *,
        weight: int = 0,
        after: Callable[[], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        """Run an operation as `write` does, without waiting: what goes wrong is logged.

        `weight`: memory in bytes that it keeps until then. `after` is called on the writing thread once it is committed
        or has failed, or here when the writer could not keep up for 5 s and it was dropped; `failed` instead of it when
        nothing was written.
        """
        if not self._queue.put(Task(operation, weight, after, failed, later=True), ROOM_TIMEOUT_S):
            log.warning("%s: not written: %s", self.path.name, "closed" if self._queue.closed else "too much to write")
            told = failed or after
            if told is not None:
                told()

    def tell_commits(self, told: Callable[[sqlite3.Connection], None]) -> None:
        """Have `told` called after each commit, on the writing thread, before those who wait for it go on."""
        self._writer.told = (*self._writer.told, told)

    def copy_to(self, target: Path) -> None:
        """Write a whole copy of what is committed, 0600; readers and the writer go on. DiskFull."""
        with translated(), contextlib.closing(connect(self.path, self._synchronous)) as connection:
            copy_database(connection, target)

    def flush(self) -> None:
        """Wait until everything that was to be written so far is committed; at most a minute."""
        self.write(lambda _: None)

    def close(self) -> None:
        """Write what is left, and close."""
        self._queue.close()
        if not self._writer.join(WRITE_TIMEOUT_S):
            log.error("%s: the writer does not end", self.path.name)
        self._close_readers()

    def _take_reader(self) -> sqlite3.Connection | None:
        """Take a connection that no other thread has; the one used last, as its pages are at hand.

        None when the file was deleted under us: what is open goes on, a new connection would see an empty database.
        """
        try:
            return self._readers.pop()
        except IndexError:
            if _identify(self.path) != self._identity:
                return None
            connection = connect(self.path, self._synchronous)
            connection.execute("PRAGMA query_only=ON")
            return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if len(self._readers) >= KEPT_READERS:
            connection.close()
            return
        self._readers.append(connection)
        if self._queue.closed:
            self._close_readers()

    def _close_readers(self) -> None:
        while self._readers:
            with contextlib.suppress(IndexError):
                self._readers.pop().close()


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino
