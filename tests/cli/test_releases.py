"""`push`, `remove`, `list -v`, `export` and `import` against a real daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from made.daemon import Daemon
from made.wheels import make_wheel

Run = Callable[..., Any]


@pytest.fixture
def nightly(tmp_path: Path, home: Path, run: Run) -> Iterator[Daemon]:
    """Hold three releases on root/nightly, and have root/stable beside it."""
    with Daemon(home) as daemon:
        daemon.index("root/nightly")
        daemon.index("root/stable", volatile=False)
        files = []
        for version in ("1.0", "1.1", "1.2"):
            name, data = make_wheel("demo", version)
            (tmp_path / name).write_bytes(data)
            files.append(str(tmp_path / name))
        ran = run("upload", *files, "--index", "root/nightly")
        assert ran.code == 0, ran.err
        yield daemon


@pytest.mark.usefixtures("nightly")
def test_a_release_is_pushed_once(run: Run) -> None:
    """What was done on stdout; a second time is refused with the command that would work."""
    pushed = run("push", "demo==1.0", "root/stable", "--index", "root/nightly")
    assert (pushed.code, pushed.out.splitlines()[0]) == (0, "200 register demo 1.0 -> root/stable")
    again = run("push", "demo==1.0", "root/stable", "--index", "root/nightly")
    assert again.code == 4
    assert "demo-1.0-py3-none-any.whl already exists in non-volatile index" in again.err
    assert "localpi index set root/stable volatile=true" in again.err
    assert run("push", "demo==9", "root/stable", "--index", "root/nightly").code == 4
    assert run("push", "demo", "root/stable").code == 2
    shown = run("push", "demo==1.1", "root/stable", "--index", "root/nightly", "--json").json
    assert (shown["schema"], len(shown["actions"])) == (1, 2)
    assert run("list", "-v", "--index", "root/stable").out == "demo  1.1\n"


def test_a_release_is_pushed_to_a_repository_of_a_pypirc(nightly: Daemon, run: Run, tmp_path: Path) -> None:
    """Here to the daemon itself; a password that is wrong is told by the other side."""
    pypirc = tmp_path / "pypirc"
    text = f"[other]\nrepository = {nightly.url}/root/stable/\nusername = __token__\npassword = "
    pypirc.write_text(text + nightly.token())
    asked = ("push", "demo==1.0", "pypi:other", "--index", "root/nightly", "--pypirc", str(pypirc))
    assert run(*asked).code == 0
    assert nightly.page("demo", "root/stable").json()["versions"] == ["1.0"]
    wrong = run(*asked, TWINE_PASSWORD="wrong")
    assert (wrong.code, wrong.out[:10]) == (4, "401 upload")
    assert run("push", "demo==1.0", "pypi:nosuch", "--pypirc", str(pypirc)).code == 2


def test_old_releases_are_removed(nightly: Daemon, run: Run) -> None:
    """A dry run names them and takes none; then all but the newest go."""
    asked = ("remove", "demo", "--keep", "1", "--index", "root/nightly")
    dry = run(*asked, "--dry-run")
    assert (dry.code, dry.out) == (0, "demo==1.0\ndemo==1.1\n")
    assert run(*asked, "--older-than", "30d", "--dry-run", "--json").json["would_remove"] == []
    assert run(*asked).code == 0
    assert nightly.page("demo", "root/nightly").json()["versions"] == ["1.2"]
    assert run("remove", "demo==1.2", "--keep", "1").code == 2
    assert run("remove", "demo==1.2", "--index", "root/nightly", "--dry-run").out == "demo==1.2\n"
    assert run("remove", "demo", "--index", "root/nightly").code == 0
    assert run("remove", "demo", "--index", "root/nightly").code == 4


def test_what_an_index_inherits_is_removed_where_it_is(nightly: Daemon, run: Run) -> None:
    """The refusal says which index holds it, also where the index that was asked is not volatile."""
    nightly.index("root/stable", volatile=False, bases=["root/nightly"])
    for release in ("demo", "demo==1.0"):
        refused = run("remove", release, "--index", "root/stable")
        assert refused.code == 4
        assert "localpi remove demo --index root/nightly" in refused.err
    assert run("remove", "demo==9", "--index", "root/nightly").code == 4
    assert run("yank", "demo==9", "--index", "root/nightly").code == 4
    assert nightly.page("demo", "root/nightly").json()["versions"] == ["1.0", "1.1", "1.2"]


@pytest.mark.usefixtures("nightly")
def test_import_says_that_an_index_merges_where_it_does(run: Run, tmp_path: Path) -> None:
    """An index that was here already, and answers from the first, is not said to be as devpi's."""
    for name in ("root/one", "root/two"):
        assert run("index", "create", name, "type=mirror", "mirror_url=http://127.0.0.1:9/simple/").code == 0
    assert run("index", "create", "root/both", "bases=root/one,root/two").code == 0
    assert run("export", str(tmp_path / "dump")).code == 0
    assert "resolution=merge" not in run("import", str(tmp_path / "dump")).err
    with Daemon(tmp_path / "other") as other:
        for _ in range(2):
            ran = run("import", str(tmp_path / "dump"), LOCALPI_HOME=str(other.home))
            assert "root/both keeps resolution=merge" in ran.err


@pytest.mark.usefixtures("nightly")
def test_what_was_exported_comes_in_elsewhere(run: Run, tmp_path: Path) -> None:
    """Users with their passwords, indexes and files; not into a folder that has something in it."""
    assert run("user", "create", "ann", stdin="secret\n").code == 0
    assert run("yank", "demo==1.0", "--index", "root/nightly").code == 0
    dump = tmp_path / "dump"
    assert run("export", str(dump)).code == 0
    assert dump.stat().st_mode & 0o777 == 0o700
    refused = run("export", str(dump))
    assert (refused.code, "new or empty" in refused.err) == (2, True)
    with Daemon(tmp_path / "other") as other:
        ran = run("import", str(dump), LOCALPI_HOME=str(other.home))
        assert ran.code == 0, ran.err
        assert "imported 1 user, 2 indexes, 3 files" in ran.err
        assert other.request("POST", "/+login", json_body={"user": "ann", "password": "secret"}).status == 200
        page = other.page("demo", "root/nightly").json()
        assert page["versions"] == ["1.0", "1.1", "1.2"]
        assert [file.get("yanked") for file in page["files"]] == [True, None, None]
    nothing = run("import", str(tmp_path))
    assert nothing.code == 2
    assert "devpi-export DUMP" in nothing.err
