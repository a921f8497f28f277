"""Opening, checking and closing the whole."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from localpi.errors import NewerDatabase, StoreBroken
from localpi.settings.paths import Paths
from localpi.simple.names import Sha256, check_sha256
from localpi.store import Store, open_store
from localpi.store.check import Problem
from localpi.store.connecting import connect
from localpi.store.releases import FileRow
from localpi.store.schema import OWN

WHEEL = "idna-1.0-py3-none-any.whl"
Upload = Callable[..., FileRow]


def test_a_new_store_is_the_owners_alone(folders: Paths) -> None:
    """Folders 0700, files 0600, and nothing is wrong with it."""
    with closing(open_store(folders)) as store:
        assert store.check(deep=True) == ()
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (folders.data, folders.cache, *folders.data.iterdir(), *folders.cache.iterdir())
        }
    assert {name: mode for name, mode in modes.items() if mode not in (0o700, 0o600)} == {}
    assert {"localpi.sqlite", "cache.sqlite", "files", "incoming"} <= set(modes)


def test_everything_is_there_again(folders: Paths, store: Store, upload: Upload) -> None:
    """What was committed survives closing and opening."""
    row = upload(WHEEL, b"wheel")
    store.releases.add_file(row, {}, volatile=True)
    store.close()
    with closing(open_store(folders)) as again:
        assert again.releases.files("ann/dev", row.project) == (row,)
        assert (again.uploads.has(row.sha256), again.check(deep=True)) == (5, ())


def test_half_files_are_cleared_away(folders: Paths, store: Store) -> None:
    """What a crash left in `incoming/` is gone at the next start."""
    store.close()
    for folder in (folders.data, folders.cache):
        (folder / "incoming" / "half").write_bytes(b"half")
    with closing(open_store(folders)) as again:
        assert again.check() == ()
    assert [list((folder / "incoming").iterdir()) for folder in (folders.data, folders.cache)] == [[], []]


def test_an_upload_without_a_row_is_set_aside_and_comes_back_with_it(
    folders: Paths, store: Store, upload: Upload
) -> None:
    """No upload's bytes are deleted because a database is older than they are."""
    row = upload(WHEEL, b"wheel")
    store.releases.add_file(row, {}, volatile=True)
    store.close()
    newer = folders.data.parent / "newer.sqlite"
    database = folders.data / "localpi.sqlite"
    database.rename(newer)
    with closing(open_store(folders)) as empty:
        assert (empty.uploads.has(row.sha256), empty.check()) == (None, ())
    shutil.copy(newer, database)
    with closing(open_store(folders)) as again:
        assert (again.uploads.has(row.sha256), again.check(deep=True)) == (5, ())


def test_orphans_of_the_cache_are_adopted(store: Store) -> None:
    """A file without a row gets one, a row without a file goes."""
    with store.files.receive() as receiving:
        receiving.write(b"wheel")
        sha256 = receiving.finish()
    assert [problem.kind for problem in store.check()] == ["orphan"]
    assert (store.adopt_orphans(), store.cached.size_of(sha256), store.check()) == ((1, 0), 5, ())
    store.files.remove(sha256)
    assert (store.adopt_orphans(), store.cached.totals(), store.check()) == ((0, 1), (0, 0), ())


def test_check_says_what_is_wrong(store: Store, upload: Upload) -> None:
    """A file that is gone, short, or other bytes; a half file; each with its place."""
    rows = [upload(f"idna-{number}.0-py3-none-any.whl", b"wheel %d" % number) for number in range(4)]
    for row in rows:
        store.releases.add_file(row, {}, volatile=True)
    paths = [store.uploads.path(row.sha256) for row in rows]
    paths[0].unlink()
    paths[1].write_bytes(b"")
    paths[2].write_bytes(b"WHEEL 2")
    (store.uploads.incoming / "half").touch()
    orphan = check_sha256("0" * 64)
    store.uploads.path(orphan).parent.mkdir(exist_ok=True)
    store.uploads.path(orphan).touch()
    problems = sorted(store.check(deep=True), key=lambda problem: problem.kind)
    assert [(problem.kind, problem.where) for problem in problems] == [
        ("digest", rows[2].sha256),
        ("leftover", "half"),
        ("missing", rows[0].sha256),
        ("orphan", orphan),
        ("size", rows[1].sha256),
    ]
    assert Problem("size", rows[1].sha256, "has 0 bytes, its row says 7") in problems
    assert "digest" not in {problem.kind for problem in store.check()}


def test_files_on_their_way_are_no_problem(store: Store) -> None:
    """The check may run beside transfers."""
    with store.uploads.receive() as receiving:
        receiving.write(b"half")
        assert store.check() == ()


@pytest.mark.parametrize("content", [b"no database " * 1000, b""], ids=["noise", "empty"])
def test_a_damaged_cache_is_begun_anew(folders: Paths, store: Store, content: bytes) -> None:
    """It may be deleted at any time, so it may be replaced; its files are adopted."""
    with store.files.receive() as receiving:
        receiving.write(b"wheel")
        sha256 = receiving.finish()
    store.close()
    (folders.cache / "cache.sqlite").write_bytes(content)
    with closing(open_store(folders)) as again:
        assert (again.adopt_orphans(), again.cached.size_of(sha256), again.check()) == ((1, 0), 5, ())


def test_a_newer_cache_is_begun_anew_but_newer_data_is_refused(folders: Paths, store: Store) -> None:
    """Going back to an older localpi costs the cache's pages, never own data."""
    store.close()
    for path in (folders.cache / "cache.sqlite", folders.data / "localpi.sqlite"):
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA user_version=99")
    with pytest.raises(NewerDatabase):
        open_store(folders)
    with closing(connect(folders.data / "localpi.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version={len(OWN)}")
    open_store(folders).close()


def test_damaged_own_data_is_not_touched(folders: Paths, store: Store) -> None:
    """StoreBroken, and the file as it was."""
    store.close()
    path = folders.data / "localpi.sqlite"
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(StoreBroken):
        open_store(folders)
    assert path.read_bytes() == b"no database " * 1000


def test_the_cache_may_be_deleted(folders: Paths, store: Store, upload: Upload) -> None:
    """All of it; own data does not mind."""
    row = upload(WHEEL, b"wheel")
    store.releases.add_file(row, {}, volatile=True)
    store.close()
    shutil.rmtree(folders.cache)
    with closing(open_store(folders)) as again:
        assert (again.releases.files("ann/dev", row.project), again.check(deep=True)) == ((row,), ())


def test_the_cache_may_be_deleted_while_it_is_used(folders: Paths, store: Store) -> None:
    """Until the next start all goes on: what was in memory of the system, and what comes in new."""

    def cache(body: bytes) -> Sha256:
        with store.files.receive() as receiving:
            receiving.write(body)
            store.cached.adopt([(receiving.finish(), len(body))], 1)
        assert receiving.sha256 is not None
        return receiving.sha256

    old = cache(b"wheel")
    shutil.rmtree(folders.cache)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(store.cached.size_of, [old] * 20)) == [5] * 20
    new = cache(b"another")
    assert (store.files.has(old), store.files.has(new), store.cached.size_of(new)) == (None, 7, 7)
    assert (store.adopt_orphans(), store.cached.totals()) == ((0, 1), (1, 7))
    store.close()
    with closing(open_store(folders)) as again:
        assert (again.adopt_orphans(), again.cached.totals(), again.check()) == ((1, 0), (1, 7), ())
