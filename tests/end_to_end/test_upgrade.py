"""From one version to the next: an older database is brought on, a newer one is left alone."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from localpi.errors import NewerDatabase
from localpi.store.migrations import migrate
from localpi.store.schema import CACHE, OWN
from made.clients import pip_install
from made.daemon import Daemon
from made.loops import wait_for
from made.wheels import make_wheel

NEWEST = len(OWN)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a package in it, as the version that is tested leaves it."""
    home = tmp_path_factory.mktemp("template") / "localpi"
    with Daemon(home) as daemon:
        name, content = make_wheel("own", "1.0")
        (home / name).write_bytes(content)
        words = [sys.executable, "-P", "-m", "localpi", "upload", str(home / name)]
        subprocess.run(words, env=daemon.environ, check=True, timeout=60, capture_output=True)
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    shutil.copytree(template, tmp_path / "localpi")
    return tmp_path / "localpi"


def database(home: Path) -> Path:
    return home / "data" / "localpi.sqlite"


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def make_older(path: Path, wanted: int) -> None:
    """Put the rows of a database into tables as an older version made them."""
    older = path.with_name("older.sqlite")
    migrate(older, OWN[:wanted])
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("ATTACH ? AS newer", (str(path),))
        tables = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT OR REPLACE INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")  # noqa: S608 -- names from our own schema
        connection.commit()
    older.replace(path)


@pytest.mark.parametrize("old", [1, *(pytest.param(old, marks=pytest.mark.long) for old in range(2, NEWEST))])
def test_older_database_is_brought_on_after_a_copy(home: Path, tmp_path: Path, old: int) -> None:
    """All of it is there afterwards; the one from before lies beside it, and the log says where."""
    make_older(database(home), old)
    with Daemon(home) as daemon:
        installed = pip_install(daemon.index_url, tmp_path / "target", "own")
        assert installed.returncode == 0, installed.stdout + installed.stderr
        log = daemon.log
    copy = database(home).with_name(f"localpi.sqlite.before-{NEWEST}")
    assert (version(database(home)), version(copy)) == (NEWEST, old)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert f"the database is brought from version {old} to {NEWEST}; the one from before is {copy}" in log

    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT filename FROM files").fetchall() == [("own-1.0-py3-none-any.whl",)]
    made = copy.stat().st_mtime_ns
    with Daemon(home) as daemon:
        assert daemon.page("own").status == 200
    assert copy.stat().st_mtime_ns == made


def test_newer_database_is_refused_and_untouched(home: Path) -> None:
    """Exit 78, in the foreground and by `up`, with what to do."""
    with closing(sqlite3.connect(database(home))) as connection:
        connection.execute(f"PRAGMA user_version={NEWEST + 1}")
    before = database(home).read_bytes()
    environ = Daemon(home).environ
    for command in ("serve", "up"):
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "localpi", command],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 78, ran.stderr
        assert f"has schema {NEWEST + 1}; this version knows {NEWEST}" in ran.stderr
        assert "install the newer localpi again, or restore a backup" in ran.stderr
    assert database(home).read_bytes() == before
    assert list(database(home).parent.glob("*.before-*")) == []


def test_way_back_is_named_where_there_is_one(home: Path) -> None:
    """An older localpi after a newer one: the copy that the newer one made."""
    make_older(database(home), NEWEST - 1)
    migrate(database(home), OWN)
    with pytest.raises(NewerDatabase) as caught:
        migrate(database(home), OWN[:-1])
    assert caught.value.hint.endswith(f"what was there before that upgrade is {database(home)}.before-{NEWEST}")


def test_newer_cache_is_begun_anew(home: Path) -> None:
    """What can be had again is no reason not to start."""
    with closing(sqlite3.connect(home / "cache" / "cache.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version={len(CACHE) + 1}")
    with Daemon(home) as daemon:
        assert daemon.page("own").status == 200
    assert version(home / "cache" / "cache.sqlite") == len(CACHE)


MIGRATE = """
import sys
from pathlib import Path
from localpi.store.migrations import migrate
from localpi.store.schema import OWN
count = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
endless = ("CREATE TABLE much (n)", f"INSERT INTO much {count} SELECT n FROM c")
migrate(Path(sys.argv[1]), (*OWN, endless))
"""


def test_killed_in_the_middle_it_is_as_it_was(home: Path) -> None:
    """Statements and version are one transaction: the next start finds the old database, whole."""
    path = database(home)
    process = subprocess.Popen([sys.executable, "-c", MIGRATE, str(path)])
    try:
        # Its log grows once the cache of changed pages is full: it is in the middle.
        wait_for(lambda: (log := path.with_name(path.name + "-wal")).exists() and log.stat().st_size > 1_000_000)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert version(path) == NEWEST
    with Daemon(home) as daemon:
        assert daemon.page("own").status == 200
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'much'").fetchone() == (0,)
