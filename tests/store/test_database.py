"""One writing thread, group commit, short reads."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localpi.errors import Conflict, DiskFull, StoreBroken
from localpi.store import database as database_module
from localpi.store import queue
from localpi.store.database import Database
from localpi.store.migrations import migrate

SCHEMA = (("CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB)",),)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "t.sqlite"
    migrate(path, SCHEMA)
    database = Database(path, "FULL")
    yield database
    database.close()


def add(number: int, size: int = 0) -> Callable[[sqlite3.Connection], int]:
    def operation(connection: sqlite3.Connection) -> int:
        return connection.execute("INSERT INTO t VALUES (?, zeroblob(?))", (number, size)).rowcount

    return operation


def numbers(database: Database) -> list[int]:
    return [row["n"] for row in database.read("SELECT n FROM t ORDER BY n")]


@contextlib.contextmanager
def writer_held(database: Database) -> Iterator[None]:
    """Keep the writing thread busy, so that what is written meanwhile lands in one group."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        reached.set()
        go_on.wait(30)

    database.write_later(hold)
    assert reached.wait(30)
    yield
    go_on.set()


def in_threads(*calls: Callable[[], object]) -> list[object]:
    """Run the calls side by side; what they return or raise, in their order."""
    results: list[object] = [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        try:
            results[number] = call()
        except Exception as error:  # noqa: BLE001 - it is the result
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_a_write_is_there_for_all_readers_when_it_returns(database: Database) -> None:
    """The result comes after the commit."""
    assert database.write(add(1)) == 1
    assert numbers(database) == [1]
    assert in_threads(lambda: numbers(database), lambda: numbers(database)) == [[1], [1]]


def test_what_one_raises_leaves_the_others_of_its_group_alone(database: Database) -> None:
    """Each operation has a savepoint; its exception is its own."""

    def refuse(connection: sqlite3.Connection) -> None:
        add(7)(connection)
        raise Conflict("no")

    with writer_held(database):
        for number in (1, 2):
            database.write_later(add(number))
        refused = threading.Thread(target=lambda: results.append(in_threads(lambda: database.write(refuse))))
        results: list[list[object]] = []
        refused.start()
        database.write_later(add(3))
    refused.join(30)
    database.flush()
    assert (numbers(database), [type(error) for error in results[0]]) == ([1, 2, 3], [Conflict])


def test_an_sql_error_is_raised_in_the_caller(database: Database) -> None:
    """Errors that are not about the disk come through as they are."""
    database.write(add(1))
    with pytest.raises(sqlite3.IntegrityError):
        database.write(add(1))
    with pytest.raises(sqlite3.OperationalError):
        database.read("SELECT nothing FROM nowhere")


def test_a_full_disk_costs_only_the_one_that_filled_it(database: Database) -> None:
    """SQLITE_FULL rolls the whole transaction back; the others are run again, each by itself."""
    database.write(lambda c: c.execute("PRAGMA max_page_count=60").fetchall())
    with writer_held(database):
        threads_results: list[list[object]] = []
        asking = threading.Thread(
            target=lambda: threads_results.append(
                in_threads(
                    lambda: database.write(add(1, 10_000)),
                    lambda: database.write(add(2, 1_000_000)),
                    lambda: database.write(add(3, 10_000)),
                )
            )
        )
        asking.start()
    asking.join(60)
    kinds = [result if isinstance(result, int) else type(result) for result in threads_results[0]]
    assert (kinds, numbers(database)) == ([1, DiskFull, 1], [1, 3])
    assert database.write(add(4)) == 1


def test_a_damaged_file_is_store_broken(database: Database) -> None:
    """SQLite's corruption errors become ours."""

    def damaged(_: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    with pytest.raises(StoreBroken):
        database.write(damaged)


def test_the_writer_outlives_operations_that_misbehave(database: Database) -> None:
    """One that commits, rolls back or leaves by SystemExit harms nobody else."""

    def leave(_: sqlite3.Connection) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        database.write(leave)
    for statement in ("COMMIT", "ROLLBACK"):
        with pytest.raises(sqlite3.OperationalError):
            database.write(lambda c, statement=statement: c.execute(statement) and None)  # type: ignore[misc]
    assert database.write(add(1)) == 1
    assert numbers(database) == [1]


def test_writes_of_one_moment_share_a_transaction(database: Database) -> None:
    """Two hundred writes that wait together cost a few commits, not two hundred."""
    transactions: list[str] = []
    database.write(lambda c: c.set_trace_callback(lambda sql: transactions.append(sql) if sql == "COMMIT" else None))
    with writer_held(database):
        for number in range(200):
            database.write_later(add(number))
    database.flush()
    assert (len(numbers(database)), len(transactions) <= 4) == (200, True)


def test_what_is_written_later_is_told_when_it_is_done(database: Database) -> None:
    """`after` comes once it is committed, and also when it failed."""
    told: list[list[int]] = []
    database.write_later(add(1), after=lambda: told.append(numbers(database)))
    database.write_later(add(1), after=lambda: told.append(numbers(database)))
    database.flush()
    assert told == [[1], [1]]


def test_the_queue_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that cannot keep up makes later writes wait, then drops them; it is told, and `write` still goes."""
    monkeypatch.setattr(database_module, "ROOM_TIMEOUT_S", 0.02)
    monkeypatch.setattr(queue, "MOST_LATER", 2)
    told: list[int] = []
    with writer_held(database):
        for number in range(4):
            database.write_later(add(number), after=lambda number=number: told.append(number))  # type: ignore[misc]
        assert told == [2, 3]
    database.flush()
    assert numbers(database) == [0, 1]


def test_the_queue_is_bounded_by_weight(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is heavier than the bound goes alone."""
    monkeypatch.setattr(database_module, "ROOM_TIMEOUT_S", 0.02)
    monkeypatch.setattr(queue, "MOST_WEIGHT", 10)
    with writer_held(database):
        database.write_later(add(1), weight=1000)
        database.write_later(add(2), weight=1)
        database.write_later(add(3))
    database.flush()
    assert numbers(database) == [1]


def test_a_writer_that_hangs_is_not_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The asker gives up after a bound, and what it asked for is not done behind its back."""
    monkeypatch.setattr(database_module, "WRITE_TIMEOUT_S", 0.02)
    with writer_held(database), pytest.raises(StoreBroken):
        database.write(add(1))
    monkeypatch.undo()
    database.flush()
    assert numbers(database) == []


def test_closing_writes_what_is_left(database: Database, tmp_path: Path) -> None:
    """The queue is emptied, the log folded into the file, and later calls are refused."""
    for number in range(50):
        database.write_later(add(number))
    database.close()
    assert [path.name for path in tmp_path.glob("t.sqlite*")] == ["t.sqlite"]
    for call in (lambda: numbers(database), lambda: database.write(add(99)), database.flush):
        with pytest.raises(StoreBroken):
            call()
    again = Database(tmp_path / "t.sqlite", "FULL")
    assert numbers(again) == list(range(50))
    again.close()


def test_reads_go_on_while_a_write_is_under_way(database: Database) -> None:
    """Readers see the last commit and do not wait for the writer."""
    database.write(add(1))
    reached, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        add(2)(connection)
        reached.set()
        go_on.wait(30)

    database.write_later(slow)
    assert reached.wait(30)
    assert numbers(database) == [1]
    go_on.set()
    database.flush()
    assert numbers(database) == [1, 2]


def test_readers_cannot_write(database: Database) -> None:
    """There is one way to write."""
    with pytest.raises(sqlite3.OperationalError):
        database.read("DELETE FROM t")


def test_the_log_does_not_grow_for_ever(database: Database, tmp_path: Path) -> None:
    """Under steady writing checkpoints let it start again at its beginning."""
    for number in range(60):
        database.write(add(number, 1_000_000))
        numbers(database)
    assert (tmp_path / "t.sqlite-wal").stat().st_size < 40_000_000


def test_a_file_that_is_locked_from_outside_costs_the_asker_only(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program's transaction makes a write fail; the next one goes through."""
    monkeypatch.setattr(database_module, "WRITE_TIMEOUT_S", 30)
    database.write(lambda c: c.execute("PRAGMA busy_timeout=20").fetchall())
    with contextlib.closing(sqlite3.connect(tmp_path / "t.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            database.write(add(1))
    assert database.write(add(2)) == 1
    assert numbers(database) == [2]
