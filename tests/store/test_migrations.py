"""From one schema to the next, all or nothing."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest

from localpi.errors import NewerDatabase, StoreBroken
from localpi.store.connecting import connect
from localpi.store.migrations import find_damage, is_unclean, migrate
from localpi.store.schema import CACHE, OWN

ONE = ("CREATE TABLE one (n)", "INSERT INTO one VALUES (1)")
TWO = ("CREATE TABLE two (n)", "INSERT INTO two SELECT n FROM one")
WRONG = ("CREATE TABLE three (n)", "INSERT INTO nowhere VALUES (1)")


def tables(path: Path) -> tuple[int, list[str]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return connection.execute("PRAGMA user_version").fetchall()[0][0], [name for (name,) in names]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.mark.parametrize("migrations", [OWN, CACHE])
def test_a_new_file_gets_all_of_it(path: Path, migrations: tuple[tuple[str, ...], ...]) -> None:
    """The first run makes the tables, 0600, without a copy of nothing; the second does nothing."""
    assert [migrate(path, migrations), migrate(path, migrations)] == [0, len(migrations)]
    assert ([file.name for file in path.parent.glob("x.*")], stat.S_IMODE(path.stat().st_mode)) == ([path.name], 0o600)
    assert find_damage(path, thorough=True) == ""


def test_an_older_file_is_copied_and_brought_on(path: Path) -> None:
    """What was there is kept beside it, 0600, as it was."""
    migrate(path, (ONE,))
    assert migrate(path, (ONE, TWO)) == 1
    copy = path.with_name("x.sqlite.before-2")
    assert (tables(path), tables(copy)) == ((2, ["one", "two"]), (1, ["one"]))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_copy_is_not_made_of_what_can_be_had_again(path: Path) -> None:
    """The cache's database is brought on without one."""
    migrate(path, (ONE,))
    migrate(path, (ONE, TWO), keep_copy=False)
    assert [file.name for file in path.parent.glob("x.*")] == [path.name]


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    """Tables and number are as before, and the next start may try again."""
    migrate(path, (ONE,))
    with pytest.raises(sqlite3.OperationalError):
        migrate(path, (ONE, TWO, WRONG))
    assert tables(path) == (1, ["one"])
    assert migrate(path, (ONE, TWO)) == 1


def test_a_newer_file_is_refused(path: Path) -> None:
    """Nothing of it is touched."""
    migrate(path, (ONE, TWO))
    with pytest.raises(NewerDatabase) as caught:
        migrate(path, (ONE,))
    assert (caught.value.path, caught.value.found, caught.value.known) == (str(path), 2, 1)
    assert tables(path) == (2, ["one", "two"])


def test_a_file_that_is_no_database_is_store_broken(path: Path) -> None:
    """It is not overwritten."""
    path.write_bytes(b"not a database, but longer than the header of one: " + b"x" * 4096)
    with pytest.raises(StoreBroken):
        migrate(path, (ONE,))
    assert find_damage(path, thorough=False) != ""
    assert path.read_bytes().startswith(b"not a database")


def test_damage_is_found(path: Path) -> None:
    """A page of noise in the middle does not go unnoticed."""
    migrate(path, (ONE,))
    with contextlib.closing(connect(path)) as connection:
        connection.execute("CREATE INDEX ones ON one (n)")
        connection.execute("INSERT INTO one SELECT value FROM json_each(?)", (str(list(range(5000))),))
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)
    assert find_damage(path, thorough=True) != ""


def test_an_unclean_end_is_seen(path: Path, tmp_path: Path) -> None:
    """A log that lies there means that nobody closed the file."""
    migrate(path, (ONE,))
    assert not is_unclean(path)
    with contextlib.closing(connect(path)) as connection:
        connection.execute("INSERT INTO one VALUES (2)")
        assert is_unclean(path)
    assert not is_unclean(path)
    assert not is_unclean(tmp_path / "not.there")
