from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from localpi.settings.pypi import PYPI_SIMPLE
from made.upstream import MadeUpstream
from made.wheels import make_sdist, make_wheel

REPOSITORY = Path(__file__).parent.parent.parent

Run = Callable[..., Any]


@pytest.fixture
def up(run: Run, home: Path, upstream: MadeUpstream) -> Iterator[str]:
    """Start the daemon with `localpi up` and point root/pypi at a made upstream; its URL."""
    ran = run("up", LOCALPI_PORT="0")
    assert ran.code == 0, ran.err
    try:
        assert run("index", "set", "root/pypi", f"mirror_url={upstream.url}").code == 0
        yield str(json.loads((home / "runtime" / "daemon.json").read_text())["url"])
    finally:
        assert run("down").code == 0


def test_up_status_down(run: Run, home: Path) -> None:
    """From nothing to a daemon that answers, to none; each step says what comes next."""
    started = run("up", LOCALPI_PORT="0")
    try:
        assert started.code == 0, started.err
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/root/local/\+simple/\n", started.out)
        assert "pip install --index-url" in started.err
        running = json.loads((home / "runtime" / "daemon.json").read_text())
        again = run("up")
        assert (0, started.out) == (again.code, again.out)
        assert "already runs" in again.err
        status = run("status", "--json")
        assert status.code == 0
        found = status.json
        assert [base["index"] for base in found.pop("bases")] == ["root/pypi"]
        assert 0 <= found.pop("uptime_s") < 60
        assert found.pop("version")
        assert found.pop("notes") == []
        assert found == {
            "schema": 1,
            "running": True,
            "pid": running["pid"],
            "url": running["url"],
            "index_url": started.out.strip(),
            "service": None,
            "wired": [],
            "cache": {"bytes": 0, "files": 0, "budget": None},
        }
        assert "running" in run("status").out
        assert run("logs").out
    finally:
        ended = run("down")
    assert ended.code == 0
    assert PYPI_SIMPLE in ended.err
    assert not psutil.pid_exists(running["pid"])
    assert run("status").code == 3
    assert run("down").code == 0


def test_the_daemon_outlives_the_terminal(run: Run, up: str, home: Path) -> None:
    """It has a session of its own, no terminal, and its folders are its owner's."""
    pid = json.loads((home / "runtime" / "daemon.json").read_text())["pid"]
    assert os.getsid(pid) == pid
    assert [folder for folder in home.iterdir() if folder.is_dir() and folder.stat().st_mode & 0o077] == []
    with urllib.request.urlopen(f"{up}/+health", timeout=10) as answer:
        assert answer.status == 200
    assert run("status").code == 0


def test_a_busy_port_ends_with_78_and_says_who_has_it(run: Run) -> None:
    """`up` passes on what the daemon said: the process, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments in (("up",), ("serve",)):
            ran = run(*arguments, LOCALPI_PORT=str(port))
            assert ran.code == 78
            assert str(port) in ran.err
            assert "localpi config set port" in ran.err
            assert str(os.getpid()) in ran.err
    assert run("status").code == 3


def test_a_second_daemon_on_the_same_data_is_refused(run: Run, up: str) -> None:
    """A held lock, whatever the port."""
    ran = run("serve", "--port", "0")
    assert ran.code == 78
    assert "Already running" in ran.err
    assert run("status", "--json").json["url"] == up


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_with_0_on_a_signal(home: Path, run: Run, sent: signal.Signals) -> None:
    """Both drain and stop it."""
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "LOCALPI_HOME": str(home), "LOCALPI_PORT": "0"}
    command = [sys.executable, "-m", "localpi", "serve"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            for _ in range(200):
                if run("status").code == 0:
                    break
            process.send_signal(sent)
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert not (home / "runtime" / "daemon.json").exists()


def test_indexes_are_made_shown_changed_deleted(run: Run, up: str) -> None:
    """The commands speak devpi's settings."""
    assert run("index", "create", "root/dev", "bases=root/pypi", "volatile=false").code == 0
    assert run("index", "set", "root/dev", "title=Dev", "mirror_whitelist+=flask").code == 0
    shown = run("index", "show", "root/dev", "--json").json
    assert {
        "schema": 1,
        "index": "root/dev",
        "type": "stage",
        "volatile": False,
        "title": "Dev",
    }.items() <= shown.items()
    assert (shown["bases"], shown["mirror_whitelist"]) == (["root/pypi"], ["flask"])
    listed = {row["index"]: row for row in run("index", "list", "--json").json["indexes"]}
    assert {"root/dev", "root/local", "root/pypi"} == set(listed)
    assert "root/dev" in run("index", "list").out
    assert run("index", "create", "root/dev").code == 4
    unknown = run("index", "create", "root/y", "nonsense=1")
    assert (unknown.code, "→ a stage has volatile, " in unknown.err) == (2, True)
    assert run("index", "set", "root/dev", "bases=no/such").code == 2
    assert run("index", "show", "root/nosuch").code == 4
    kept = run("index", "delete", "root/dev")  # non-volatile
    assert (kept.code, "localpi index set root/dev volatile=true" in kept.err) == (4, True)
    assert run("index", "set", "root/dev", "volatile=true").code == 0
    assert run("index", "delete", "root/dev").code == 0
    assert run("index", "show", "root/dev").code == 4
    assert up


def test_users_and_passwords(run: Run, up: str) -> None:
    """Passwords come by stdin; a wrong line is no password."""
    assert run("user", "create", "alice", "--email", "a@x.example", stdin="secret\n").code == 0
    assert run("user", "create", "alice", stdin="secret\n").code == 4
    assert run("user", "create", "bob").code == 2
    assert run("user", "set", "alice", "title=Al").code == 0
    assert run("user", "set", "alice", "pwhash=x").code == 2
    users = {user["username"]: user for user in run("user", "list", "--json").json["users"]}
    assert {"alice", "root"} == set(users)
    assert (users["alice"]["email"], users["alice"]["title"]) == ("a@x.example", "Al")
    assert run("user", "passwd", stdin="new\n").code == 0
    assert run("user", "passwd", "nobody", stdin="new\n").code == 4
    body = json.dumps({"user": "root", "password": "new"}).encode()
    request = urllib.request.Request(f"{up}/+login", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    assert run("user", "delete", "alice").code == 0
    assert run("user", "delete", "alice").code == 4


def test_tokens(run: Run, up: str) -> None:
    """A new token alone on stdout; listed without it; revoked by id or whole."""
    assert up
    made = run("token", "create", "--index", "root/local", "--expires", "30d", "--description", "ci")
    assert re.fullmatch(r"lp1_[^_\s]+_\S+\n", made.out)
    second = run("token", "create", "--scope", "read", "--json").json
    assert second["token"].startswith("lp1_")
    tokens = run("token", "list", "--json").json["tokens"]
    assert [(token["scope"], token["index"], token["description"]) for token in tokens] == [
        ("upload", "root/local", "ci"),
        ("read", None, ""),
    ]
    assert made.out.strip() not in run("token", "list").out
    assert "until 2" in run("token", "list").out
    assert run("token", "revoke", made.out.strip()).code == 0
    assert run("token", "revoke", second["id"]).code == 0
    assert run("token", "list", "--json").json["tokens"] == []
    assert "localpi token create" in run("token", "list").err
    assert run("token", "revoke", "nosuch").code == 4


def test_packages_are_uploaded_listed_yanked_removed(run: Run, up: str, tmp_path: Path) -> None:
    """The life of a release, from the command line alone."""
    assert up
    nothing = run("list")
    assert (nothing.code, nothing.out, "root/local itself holds nothing yet" in nothing.err) == (0, "", True)
    files = []
    for name, content in (make_wheel("my-lib", "1.0"), make_sdist("my-lib", "1.0"), make_wheel("my-lib", "1.1")):
        (tmp_path / name).write_bytes(content)
        files.append(str(tmp_path / name))
    ran = run("upload", *files)
    assert ran.code == 0, ran.err
    assert run("list", "--json").json == {"schema": 1, "index": "root/local", "projects": ["my-lib"]}
    assert run("yank", "My_Lib==1.0", "--reason", "broken").code == 0
    releases = {row["version"]: row for row in run("list", "my.lib", "--json").json["releases"]}
    assert (releases["1.0"]["yanked"], releases["1.1"]["yanked"]) == ("broken", None)
    assert len(releases["1.0"]["files"]) == 2
    assert "yanked broken" in run("list", "my-lib").out
    assert run("unyank", "my-lib==1.0").code == 0
    assert "yanked" not in run("list", "my-lib").out
    assert run("yank", "my-lib==9.9").code == 4
    assert "would delete" in run("remove", "my-lib==1.0", "--dry-run").err
    assert run("remove", "my-lib==1.0").code == 0
    assert [row["version"] for row in run("list", "my-lib", "--json").json["releases"]] == ["1.1"]
    assert run("remove", "my-lib").code == 0
    assert run("list").out == ""
    assert run("remove", "my-lib").code == 4
    assert run("list", "my-lib").code == 4


def test_other_bytes_on_a_non_volatile_index_are_refused_with_what_would_work(
    run: Run, up: str, tmp_path: Path
) -> None:
    """409 becomes exit 4, with the remedy; the same bytes are fine."""
    assert up
    assert run("index", "create", "root/stable", "volatile=false").code == 0
    name, content = make_wheel("my-lib", "1.0")
    (tmp_path / name).write_bytes(content)
    for _ in range(2):
        assert run("upload", str(tmp_path / name), "--index", "root/stable").code == 0
    name, content = make_wheel("my-lib", "1.0", filler=10)
    (tmp_path / name).write_bytes(content)
    ran = run("upload", str(tmp_path / name), "--index", "root/stable")
    assert ran.code == 4
    assert "already exists" in ran.err
    assert "volatile=true" in ran.err
    assert run("remove", "my-lib", "--index", "root/stable").code == 4
    assert run("remove", "my-lib", "--index", "root/stable", "--force").code == 0


def test_what_is_no_distribution_is_refused_before_it_is_sent(run: Run, up: str, tmp_path: Path) -> None:
    """The command line looks into the file itself."""
    assert up
    good = make_wheel("my-lib", "1.0")
    (tmp_path / good[0]).write_bytes(good[1])
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "bad-1.0-py3-none-any.whl").write_text("no zip")
    for bad in ("notes.txt", "bad-1.0-py3-none-any.whl"):
        ran = run("upload", str(tmp_path / good[0]), str(tmp_path / bad))
        assert ran.code in (2, 4)
        assert "Traceback" not in ran.err
    assert run("list").out == ""


def test_an_index_of_pips_configuration_is_said(run: Run, upstream: MadeUpstream) -> None:
    """`up` shows the command, and it works; without a terminal it asks nothing."""
    environ = {"PIP_INDEX_URL": upstream.url.replace("http://", "http://me:secret@"), "LOCALPI_PORT": "0"}
    ran = run("up", **environ)
    try:
        assert ran.code == 0
        assert "secret" not in ran.err
        (command,) = re.findall(r"ask it too: localpi (.*)$", ran.err, re.MULTILINE)
        assert run(*command.split(" "), stdin="me:secret\n").code == 0
        assert run("index", "show", "root/local", "--json").json["bases"] == ["root/upstream", "root/pypi"]
        assert "localpi base add" not in run("up", **environ).err
    finally:
        run("down")
