"""What `doctor` gathers: from real folders, sockets and files."""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localpi.settings.load import load_settings
from localpi.settings.paths import Paths
from localpi.settings.running import RunningDaemon, write_running
from localpi.setup.doctor import examine, mend
from localpi.setup.doctor_daemon import last_error
from localpi.setup.doctor_facts import PortFacts
from localpi.setup.doctor_gather import gather_facts
from localpi.setup.doctor_machine import clock, loose_paths, port_taken, program_of, sqlite_version
from localpi.setup.doctor_reach import touch_all, way_to
from localpi.setup.doctor_tools import gather_tools
from made.bounds import within

URL = "http://127.0.0.1:3141"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Folders as `up` makes them."""
    made = Paths.under(tmp_path / "localpi")
    made.make()
    return made


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Something that listens, and never accepts."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made


def home() -> Path:
    """The home folder of this test."""
    return Path(os.environ["HOME"])


def environ(**more: str) -> dict[str, str]:
    """A shell in which nothing is set; the machine's own pip and uv files are out of sight."""
    return {"HOME": str(home()), "XDG_CONFIG_DIRS": str(home() / "etc"), "PATH": "", **more}


def pip_conf(text: str) -> None:
    """Write pip's file."""
    file = home() / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_what_others_may_read_is_found_and_mended(paths: Paths) -> None:
    """Folders to 0700, secrets to 0600; nothing else is touched, and then nothing is found."""
    paths.secret_file.write_text("x")
    paths.config_file.write_text("")
    for path, mode in (
        (paths.data, 0o755),
        (paths.secret_file, 0o644),
        (paths.config_file, 0o644),
        (paths.logs, 0o500),
    ):
        path.chmod(mode)
    found = loose_paths(paths)
    expected = {
        (str(paths.data), 0o755, True),
        (str(paths.secret_file), 0o644, True),
        (str(paths.logs), 0o500, False),
    }
    assert {(one.path, one.mode, one.writable) for one in found} == expected
    facts = gather_facts(paths, environ(), sys.platform)
    done = mend(facts, paths)
    assert [one.failed for one in done] == ["", "", ""]
    assert loose_paths(paths) == ()
    assert paths.config_file.stat().st_mode & 0o777 == 0o644


def test_a_signpost_without_a_daemon_is_taken_down(paths: Paths) -> None:
    """After kill -9 the pid may be another program's: only a localpi that was there then counts."""
    write_running(paths, RunningDaemon(os.getppid(), "127.0.0.1", 1, "http://127.0.0.1:1", "", "0"))
    written = time.time() - 10 * 365 * 86400
    os.utime(paths.running_file, (written, written))
    facts = gather_facts(paths, environ(), sys.platform)
    assert (facts.daemon.state, facts.daemon.stale_file) == ("absent", str(paths.running_file))
    assert [one.what for one in mend(facts, paths)] == [f"removed {paths.running_file}"]
    assert not paths.running_file.exists()


def test_databases_that_are_none_are_found_without_a_daemon(paths: Paths) -> None:
    """The cache's is taken away, which costs nothing; the other one never."""
    own, cache = paths.data / "localpi.sqlite", paths.cache / "cache.sqlite"
    own.write_bytes(b"something else, not SQLite")
    cache.write_bytes(b"something else, not SQLite")
    Path(f"{cache}-wal").write_bytes(b"x")
    for file in (own, cache):
        file.chmod(0o600)
    facts = gather_facts(paths, environ(), sys.platform)
    assert [problem.where for problem in facts.daemon.store or ()] == [str(own), str(cache)]
    assert [one.what for one in mend(facts, paths)] == [f"removed {cache}"]
    assert own.exists()
    assert not cache.exists()
    assert not Path(f"{cache}-wal").exists()


def test_broken_settings_leave_the_variables_and_the_defaults(paths: Paths) -> None:
    """The file's fault is told, and everything else is looked at."""
    paths.config_file.write_text("port = [\n")
    facts = gather_facts(paths, environ(LOCALPI_PORT="4000"), sys.platform)
    assert "is not TOML" in facts.settings.error
    assert facts.settings.port == 4000
    paths.config_file.write_text("port = 4001\n")
    facts = gather_facts(paths, environ(LOCALPI_THREADS="many"), sys.platform)
    assert "LOCALPI_THREADS" in facts.settings.error
    assert facts.settings.port == 3141
    assert len({finding.check for finding in examine(facts)}) > 6


def test_who_has_the_port_is_told(listener: socket.socket) -> None:
    """The name and pid of the process that listens; nothing for a free port."""
    port = listener.getsockname()[1]
    found = port_taken("127.0.0.1", port)
    assert isinstance(found, PortFacts)
    assert str(os.getpid()) in found.owner
    listener.close()
    assert port_taken("127.0.0.1", port) is None
    assert port_taken("no.such.host.invalid", port) is None


def test_sqlite_is_that_of_the_interpreter() -> None:
    """Asked of a process of its own: only the store's room opens databases here."""
    assert sqlite_version() == sqlite3.sqlite_version_info
    assert sqlite_version("/no/such/python") == ()
    assert program_of(None) == sys.executable


def test_files_from_the_future_tell_of_the_clock(paths: Paths) -> None:
    """The newest counts."""
    assert clock(paths).ahead_s == 0
    paths.config_file.write_text("")
    os.utime(paths.config_file, (time.time() + 7200, time.time() + 7200))
    found = clock(paths)
    assert found.newest == str(paths.config_file)
    assert 7100 < found.ahead_s <= 7200


def test_bases_are_touched_all_at_once(listener: socket.socket) -> None:
    """What answers, what refuses, what has no name; no way is no answer."""
    port = listener.getsockname()[1]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    ways = [("127.0.0.1", port, False), ("127.0.0.1", closed, True), ("no.such.host.invalid", 443, False), None]
    with within(3.0):
        answers, refuses, unknown, none = touch_all(ways)
    assert none is None
    assert answers
    assert answers.latency_ms
    assert answers.reached == f"127.0.0.1:{port}"
    assert refuses
    assert (refuses.reached, refuses.latency_ms) == (f"the proxy 127.0.0.1:{closed}", None)
    assert "refused" in refuses.said
    assert unknown
    assert unknown.latency_ms is None
    assert unknown.said


@pytest.mark.parametrize(
    ("url", "variables", "way"),
    [
        ("https://up.example/simple/", {}, ("up.example", 443, False)),
        ("http://me:pw@up.example:8080/simple/", {}, ("up.example", 8080, False)),
        ("https://up.example/", {"HTTPS_PROXY": "http://proxy:3128"}, ("proxy", 3128, True)),
        ("https://up.example/", {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": "a, .example"}, ("up.example", 443, False)),
        ("https://up.example/", {"LOCALPI_UPSTREAM_PROXY": "http://mine"}, ("mine", 80, True)),
        ("https://[fd00::1]/", {}, ("fd00::1", 443, False)),
        ("https://up.example:99999/", {}, None),
        ("ftp://up.example/", {}, None),
        ("", {}, None),
    ],
)
def test_the_way_to_a_base_is_the_daemons(
    paths: Paths, url: str, variables: dict[str, str], way: tuple[str, int, bool] | None
) -> None:
    """Through the proxy that is set, and not to hosts that are excepted."""
    settings = load_settings(paths, environ(**variables))
    assert way_to(url, settings, environ(**variables)) == way


def test_tools_shadows_and_strays_are_told_apart(paths: Paths) -> None:
    """By hand or wired, what names this daemon counts; a password is never in it."""
    pip_conf(f"[global]\nindex-url = {URL}/root/local/+simple/\nfind-links = https://me:pw@x.example/w\n")
    (home() / "etc" / "uv").mkdir(parents=True)
    (home() / "etc" / "uv" / "uv.toml").write_text('[[index]]\nurl = "https://me:pw@corp.example/simple"\n')
    (home() / ".config" / "uv").mkdir()
    (home() / ".config" / "uv" / "uv.toml").write_text(f'[pip]\nindex-url = "{URL}/root/gone/+simple/"\n')
    variables = environ(PIP_INDEX_URL="https://me:pw@x.example/", http_proxy="http://proxy:1")
    tools, shadows, strays = gather_tools(paths, URL, {"root/local"}, variables, "linux")
    by_name = {tool.tool: tool for tool in tools}
    pip, uv = by_name["pip"], by_name["uv"]
    assert (pip.state, pip.ours, pip.index, pip.index_there) == ("by-hand", True, "root/local", True)
    assert (uv.ours, uv.index, uv.index_there) == (True, "root/gone", False)
    assert [(shadow.where, shadow.tools) for shadow in shadows] == [
        ("PIP_INDEX_URL", ("pip",)),
        ("http_proxy", ("pip", "uv")),
    ]
    assert [(stray.tool, stray.key, stray.url) for stray in strays] == [
        ("pip", "find-links", "https://x.example/w"),
        ("uv", "[[index]]", "https://corp.example/simple"),
    ]
    assert "pw" not in f"{tools}{shadows}{strays}"


def test_the_last_error_of_the_log_is_told_while_it_is_the_last(paths: Paths) -> None:
    """An error that was followed by other things is history."""
    assert last_error(paths.log_file) == ""
    line = "2026-01-01T09:00:00+01:00 ERROR daemon.process: The port is taken: 127.0.0.1:3141 is in use (stop it)\n"
    paths.log_file.write_text(line)
    assert last_error(paths.log_file) == "The port is taken: 127.0.0.1:3141 is in use (stop it)"
    paths.log_file.write_text(line + "2026-01-01T09:00:00+01:00 INFO daemon.process: fine\n" * 3)
    assert last_error(paths.log_file) == ""
