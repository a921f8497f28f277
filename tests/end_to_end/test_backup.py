"""`localpi backup` and `restore` with real daemons: the same pages, users and files, or nothing changed at all."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localpi.daemon.restore import restore
from localpi.settings.paths import Paths
from made.daemon import Daemon, basic
from made.forms import upload
from made.upstream import MadeUpstream
from made.wheels import make_wheel

ROUNDS = int(os.environ.get("LOCALPI_TEST_ROUNDS", "10"))
FIRST, LAST = "backup.json", "manifest.json"
Members = dict[str, bytes]


def localpi(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "localpi", *arguments],
        env={**os.environ, "LOCALPI_HOME": str(home)}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def tree(home: Path) -> dict[str, str]:
    """Every file that is somebody's data -> its digest."""
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file() and path.parts[len(home.parts)] not in ("logs", "runtime", "output.txt")
    }


def shown(daemon: Daemon) -> Any:
    """All that an index shows of itself and its projects."""
    front = daemon.request("GET", "/", headers=daemon.owner).json()["result"]
    pages = {}
    for index in ("root/local", "ann/dev"):
        for project in daemon.get(f"/{index}").json()["result"]["projects"]:
            page = daemon.page(project, index).json()
            for file in page["files"]:
                assert hashlib.sha256(daemon.get(file["url"]).body).hexdigest() == file["hashes"]["sha256"]
            view = daemon.get(f"/{index}/{project}").json()["result"]
            pages[index, project] = page, json.dumps(view).replace(str(daemon.port), "")
    return front, pages


def fill(daemon: Daemon) -> None:
    """Make a user, an index, releases, documentation and a test result."""
    assert daemon.request("PUT", "/ann", headers=daemon.owner, json_body={"password": "old one"}).status == 201
    daemon.index("ann/dev", acl_upload=["ann"], volatile=False)
    for number in range(5):
        name, data = make_wheel(f"acme{number}", "1.0", filler=20_000)
        assert upload(daemon, name, data, index="ann/dev", headers=basic("ann", "old one")).status == 200
    digest = hashlib.sha256(data).hexdigest()
    path = f"/ann/dev/+f/{digest[:3]}/{digest[3:16]}/{name}"
    result = daemon.request("POST", path, headers=daemon.owner, json_body={"testenvs": {}})
    assert result.status == 200


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A backup of a filled daemon, and what that showed."""
    folder = tmp_path_factory.mktemp("backup")
    with Daemon(folder / "home") as daemon:
        fill(daemon)
        assert localpi(daemon.home, "config", "set", "log_level", "debug").returncode == 0
        done = localpi(daemon.home, "backup", str(folder / "b.tar"), "--json")
        assert done.returncode == 0, done.stderr
        assert (folder / "b.tar").stat().st_mode & 0o777 == 0o600
        assert list((daemon.home / "data" / "backups").iterdir()) == []
        assert [path.name for path in folder.iterdir() if path.name != "home"] == ["b.tar"]
        told = json.loads(done.stdout)
        assert (told["schema"], told["missing"]) == (1, [])
        return folder / "b.tar", shown(daemon)


def test_a_backup_comes_back_as_it_was(tmp_path: Path, backup: tuple[Path, Any]) -> None:
    """Into an empty folder: the same pages, views, users and settings; the old password logs in."""
    file, before = backup
    home = tmp_path / "home"
    done = localpi(home, "restore", str(file), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["aside"] == []
    assert "debug" in (home / "config" / "config.toml").read_text()
    with Daemon(home) as daemon:
        assert shown(daemon) == before
        assert daemon.request("POST", "/+login", json_body={"user": "ann", "password": "old one"}).status == 200
        checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
        assert checked["problems"] == []


def test_what_is_there_is_not_touched_without_force(tmp_path: Path, backup: tuple[Path, Any]) -> None:
    """A daemon that runs, data that is there: exit 4, and how to go on; with --force the old data is kept aside."""
    file, before = backup
    home = tmp_path / "home"
    with Daemon(home) as daemon:
        upload(daemon, *make_wheel("mine", "1.0"))
        running = localpi(home, "restore", str(file), "--force")
        assert (running.returncode, "localpi down" in running.stderr) == (4, True)
    kept = tree(home)
    refused = localpi(home, "restore", str(file))
    assert (refused.returncode, "--force" in refused.stderr) == (4, True)
    assert tree(home) == kept
    done = localpi(home, "restore", str(file), "--force")
    assert done.returncode == 0, done.stderr
    (aside,) = (home / "data").glob("before-restore-*")
    assert str(aside) in done.stderr
    name = next(path for path in kept if path.startswith("data/files/"))
    assert tree(home)[f"data/{aside.name}/{name.removeprefix('data/')}"] == kept[name]
    with Daemon(home) as daemon:
        assert shown(daemon) == before


def test_restores_in_a_row_keep_all_that_was_there(tmp_path: Path, backup: tuple[Path, Any]) -> None:
    """Within one second too: each sets aside what it found, and nothing that an earlier one did."""
    paths = Paths.under(tmp_path / "home")
    restore(paths, backup[0], force=False, tell=lambda _done, _total: None)
    kept = [restore(paths, backup[0], force=True, tell=lambda _done, _total: None).aside for _ in range(4)]
    data = [Path(folder) for folders in kept for folder in folders if Path(folder).parent == paths.data]
    assert len(set(data)) == 4
    assert all((folder / "localpi.sqlite").exists() and any((folder / "files").iterdir()) for folder in data)


def test_pins_and_cache_come_along(tmp_path: Path, upstream: MadeUpstream) -> None:
    """What was pinned installs from a restored backup without the upstream, and with --cache all that was cached."""
    for name in ("pinned", "cached"):
        upstream.add(*make_wheel(name, "1.0"))
    with Daemon(tmp_path / "home") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        urls = {name: daemon.page(name).json()["files"][0]["url"] for name in ("pinned", "cached")}
        bodies = {name: daemon.get(url).body for name, url in urls.items()}
        pinned = localpi(daemon.home, "cache", "pin", "pinned")
        assert pinned.returncode == 0, pinned.stderr
        for target, options in (("some.tar", ()), ("all.tar", ("--cache",))):
            done = localpi(daemon.home, "backup", str(tmp_path / target), *options)
            assert done.returncode == 0, done.stderr
    upstream.refuse()
    for target, expected in (("some.tar", {"pinned"}), ("all.tar", {"pinned", "cached"})):
        home = tmp_path / f"from-{target}"
        assert localpi(home, "restore", str(tmp_path / target)).returncode == 0
        with Daemon(home) as daemon:
            found = {name for name, url in urls.items() if daemon.get(url).body == bodies[name]}
            assert found == expected


def test_only_a_backup_is_replaced(tmp_path: Path, backup: tuple[Path, Any]) -> None:
    """A file that is something else stays; without a daemon there is no backup: exit 3."""
    (tmp_path / "letter.txt").write_text("Dear all")
    home = tmp_path / "home"
    assert localpi(home, "backup", str(tmp_path / "b.tar")).returncode == 3
    with Daemon(home):
        homeless = localpi(home, "backup", str(tmp_path / "no" / "b.tar"))
        assert (homeless.returncode, f"there is no folder {tmp_path / 'no'}" in homeless.stderr) == (2, True)
        refused = localpi(home, "backup", str(tmp_path / "letter.txt"))
        assert (refused.returncode, (tmp_path / "letter.txt").read_text()) == (4, "Dear all")
        (tmp_path / "b.tar").write_bytes(backup[0].read_bytes())
        assert localpi(home, "backup", str(tmp_path / "b.tar")).returncode == 0
        assert (tmp_path / "b.tar").read_bytes() != backup[0].read_bytes()


# -- damaged ones ---------------------------------------------------------------------------------------------------


def read(file: Path) -> Members:
    with tarfile.open(file) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def write(file: Path, members: Members, *, kind: bytes = tarfile.REGTYPE, special: str = "") -> None:
    with tarfile.open(file, "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if name == special:
                member.type, member.linkname = kind, "/etc/passwd"
                member.size = 0
            archive.addfile(member, io.BytesIO(data))


def ended(members: Members, **changes: bytes | None) -> Members:
    """Put members in front of the manifest, or with None leave them out, and announce that there is room for them."""
    manifest, head = members[LAST], json.loads(members[FIRST])
    head["bytes"] += 10_000_000
    head["files"] += 10
    kept = {name: data for name, data in members.items() if name not in changes and name not in (FIRST, LAST)}
    added = {name: data for name, data in changes.items() if data is not None}
    return {FIRST: json.dumps(head).encode(), **kept, **added, LAST: manifest}


def first_file(members: Members) -> str:
    return next(name for name in members if name.startswith("files/"))


def newer_database(members: Members) -> Members:
    """The same backup with a database from the future, and honest digests."""
    database = bytearray(members["localpi.sqlite"])
    database[60:64] = (999).to_bytes(4, "big")  # user_version, https://www.sqlite.org/fileformat2.html
    manifest = json.loads(members[LAST])
    manifest["digests"]["localpi.sqlite"] = hashlib.sha256(database).hexdigest()
    return {**members, "localpi.sqlite": bytes(database), LAST: json.dumps(manifest).encode()}


def broken_database(members: Members) -> Members:
    """The same backup with a database that is none, and honest digests."""
    data = bytes(len(members["localpi.sqlite"]))
    manifest = json.loads(members[LAST])
    manifest["digests"]["localpi.sqlite"] = hashlib.sha256(data).hexdigest()
    return {**members, "localpi.sqlite": data, LAST: json.dumps(manifest).encode()}


def changed_database(members: Members, sql: str) -> Members:
    """The same backup after some SQL, and everything that it says of itself is true."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "database")
        path.write_bytes(members["localpi.sqlite"])
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql)
        data = path.read_bytes()
    head, manifest = json.loads(members[FIRST]), json.loads(members[LAST])
    for facts in (head, manifest):
        facts["bytes"] += len(data) - len(members["localpi.sqlite"])
    manifest["digests"]["localpi.sqlite"] = hashlib.sha256(data).hexdigest()
    changed = {FIRST: json.dumps(head).encode(), "localpi.sqlite": data, LAST: json.dumps(manifest).encode()}
    return {name: changed.get(name, data) for name, data in members.items()}


ENDLESS = """
    DROP TABLE pins;
    CREATE VIEW pins AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS sha256 FROM n;
"""
TRIGGER = "CREATE TRIGGER more AFTER UPDATE ON users BEGIN DELETE FROM tokens; END"

DAMAGE: dict[str, tuple[Callable[[Members], Members], int]] = {
    "another byte in a file": (lambda m: {**m, first_file(m): m[first_file(m)][:-1] + b"?"}, 4),
    "another byte in the database": (lambda m: {**m, "localpi.sqlite": m["localpi.sqlite"][:-1] + b"?"}, 4),
    "a file lacks": (lambda m: ended(m, **{first_file(m): None}), 4),
    "no database": (lambda m: ended(m, **{"localpi.sqlite": None}), 4),
    "no end": (lambda m: {name: data for name, data in m.items() if name != LAST}, 4),
    "no beginning": (lambda m: {name: data for name, data in m.items() if name != FIRST}, 4),
    "a way out": (lambda m: ended(m, **{"files/../../../evil": b"x"}), 4),
    "an absolute path": (lambda m: ended(m, **{"/tmp/evil": b"x"}), 4),  # noqa: S108 -- what is refused
    "a stranger": (lambda m: ended(m, lock=b"x"), 4),
    "more than announced": (lambda m: {**m, FIRST: json.dumps({**json.loads(m[FIRST]), "bytes": 10}).encode()}, 4),
    "no room": (lambda m: {**m, FIRST: json.dumps({**json.loads(m[FIRST]), "bytes": 1 << 60}).encode()}, 4),
    "a later format": (lambda m: {**m, FIRST: json.dumps({**json.loads(m[FIRST]), "format": 2}).encode()}, 4),
    "a newer database": (newer_database, 78),
    "no database at all": (broken_database, 4),
    "a view that never ends": (lambda m: changed_database(m, ENDLESS), 4),
    "a trigger of somebody else's": (lambda m: changed_database(m, TRIGGER), 4),
    "a table lacks": (lambda m: changed_database(m, "DROP TABLE pins"), 4),
    "a column lacks": (lambda m: changed_database(m, "DROP TABLE pins; CREATE TABLE pins (x)"), 4),
    "a beginning without a bottom": (lambda m: {**m, FIRST: b"[" * 100_000}, 4),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_changes_nothing(tmp_path: Path, backup: tuple[Path, Any], damage: str) -> None:
    """Exit 4 (78: a newer database), a reason, and not a byte is different."""
    change, code = DAMAGE[damage]
    write(tmp_path / "b.tar", change(read(backup[0])))
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "data" / "localpi.sqlite").write_bytes(b"precious")
    assert localpi(home, "restore", str(tmp_path / "b.tar"), "--force").returncode == code
    assert {path: digest for path, digest in tree(home).items() if not path.endswith("lock")} == {
        "data/localpi.sqlite": hashlib.sha256(b"precious").hexdigest()
    }


@pytest.mark.parametrize("headers", [{"GNU.sparse.map": "x"}, {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}])
def test_headers_that_make_no_sense_are_damage(
    tmp_path: Path, backup: tuple[Path, Any], headers: dict[str, str]
) -> None:
    """They are refused in words, whatever tarfile raises there."""
    with tarfile.open(tmp_path / "b.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in read(backup[0]).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.pax_headers = headers if name == "localpi.sqlite" else {}
            archive.addfile(member, io.BytesIO(data))
    refused = localpi(tmp_path / "home", "restore", str(tmp_path / "b.tar"))
    assert (refused.returncode, "no backup that can be used" in refused.stderr) == (4, True), refused.stderr


@pytest.mark.parametrize("cut", [0, 100, 600, -1024, -30_000])
def test_a_cut_or_other_file_changes_nothing(tmp_path: Path, backup: tuple[Path, Any], cut: int) -> None:
    """Cut at any place; a link in the place of a file; no tar at all."""
    whole = backup[0].read_bytes()
    (tmp_path / "b.tar").write_bytes(whole[:cut] if cut > 0 else whole[: -12_000 + cut])
    write(tmp_path / "link.tar", read(backup[0]), kind=tarfile.SYMTYPE, special="config.toml")
    (tmp_path / "letter.txt").write_text("Dear all")
    home = tmp_path / "home"
    for name in ("b.tar", "link.tar", "letter.txt"):
        refused = localpi(home, "restore", str(tmp_path / name))
        assert (refused.returncode, "no backup that can be used" in refused.stderr) == (4, True), refused.stderr
        assert [path for path in tree(home) if not path.endswith("lock")] == []


# -- beside others, and killed --------------------------------------------------------------------------------------


def test_a_backup_beside_uploads_and_removals_is_consistent(tmp_path: Path) -> None:
    """Restored, nothing contradicts itself, and all that was answered before it began is there."""
    answered: list[str] = []
    stop = threading.Event()
    with Daemon(tmp_path / "home") as daemon:

        def work(number: int) -> None:
            for count in range(1000):
                name, data = make_wheel(f"own{number}x{count}", "1.0", filler=5_000)
                assert upload(daemon, name, data).status == 200
                gone, other = make_wheel(f"gone{number}", "1.0", extra={"gone/x.py": str(count).encode()})
                assert upload(daemon, gone, other).status == 200
                assert daemon.request("DELETE", f"/root/local/gone{number}/1.0", headers=daemon.owner).status == 200
                answered.append(f"own{number}x{count}")
                if stop.is_set():
                    return

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        backups = []
        for number in range(4):
            before = list(answered)
            target = tmp_path / f"{number}.tar"
            done = localpi(daemon.home, "backup", str(target))
            assert done.returncode == 0, done.stderr
            backups.append((target, before))
        stop.set()
        for thread in threads:
            thread.join(60)
        checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
        assert checked["problems"] == []
    target, before = backups[-1]
    assert before
    assert localpi(tmp_path / "other", "restore", str(target)).returncode == 0
    with Daemon(tmp_path / "other") as daemon:
        checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
        assert checked["problems"] == []
        projects = daemon.get("/root/local").json()["result"]["projects"]
        assert set(before) <= set(projects)
        for project in projects:
            for file in daemon.page(project).json()["files"]:
                assert hashlib.sha256(daemon.get(file["url"]).body).hexdigest() == file["hashes"]["sha256"]


def killed_after(home: Path, seconds: float, *arguments: str) -> int:
    """Run a command and kill it; its exit code, -9 when it was not faster."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localpi", *arguments],
        env={**os.environ, "LOCALPI_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return process.wait(20)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_restore_that_is_killed_happened_or_did_not(tmp_path: Path, backup: tuple[Path, Any]) -> None:
    """At random moments: the daemon starts with what was there before or with what was restored, never a mixture."""
    chance = random.Random(ROUNDS)
    found = []
    for number in range(ROUNDS):
        home = tmp_path / f"home{number}"
        with Daemon(home) as daemon:
            upload(daemon, *make_wheel("mine", "1.0"))
            old = shown_locally(daemon)
        code = killed_after(home, chance.uniform(0.15, 1.2), "restore", str(backup[0]), "--force")
        with Daemon(home) as daemon:
            now = shown_locally(daemon)
            checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
            assert checked["problems"] == []
            if code == 0 or "ann" in now[0]:
                assert shown(daemon) == backup[1]
                found.append("new")
            else:
                assert now == old
                found.append("old")
            assert not list(home.glob("*/restoring"))
            assert not (home / "data" / "restore.json").exists()
    print(f"{found.count('old')} did not happen, {found.count('new')} did")


def shown_locally(daemon: Daemon) -> tuple[list[str], list[str]]:
    users = sorted(daemon.request("GET", "/", headers=daemon.owner).json()["result"])
    return users, daemon.get("/root/local").json()["result"]["projects"]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_backup_that_is_killed_leaves_the_older_one(tmp_path: Path) -> None:
    """The program, or the daemon, at random moments: the file is the older backup or the newer, and works."""
    chance = random.Random(ROUNDS)
    target = tmp_path / "b.tar"
    with Daemon(tmp_path / "home") as daemon:
        fill(daemon)
        assert localpi(daemon.home, "backup", str(target)).returncode == 0
        for number in range(ROUNDS):
            if number % 2:
                killed_after(daemon.home, chance.uniform(0.1, 0.8), "backup", str(target))
            else:
                timer = threading.Timer(chance.uniform(0.1, 0.8), os.kill, (daemon.process.pid, signal.SIGKILL))  # type: ignore[union-attr]
                timer.start()
                localpi(daemon.home, "backup", str(target))
                timer.join()
                daemon.kill()
                daemon.start()
                assert not (daemon.home / "data" / "backups").exists()
            home = tmp_path / f"restored{number}"
            done = localpi(home, "restore", str(target))
            assert done.returncode == 0, done.stderr
