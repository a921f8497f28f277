"""The daemon as a process: starts once, answers, ends as it is told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import made.daemon
from localpi.settings.paths import Paths
from localpi.settings.running import RunningDaemon, read_running
from made.forms import upload
from made.loops import Client, wait_for
from made.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from made.upstream import MadeUpstream

SERVE = [sys.executable, "-P", "-m", "localpi", "serve"]
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Daemon:
    """A daemon that was started."""

    process: subprocess.Popen[bytes]
    paths: Paths

    @property
    def running(self) -> RunningDaemon:
        """Where it listens, once it says so."""
        wait_for(lambda: read_running(self.paths) or self.process.poll() is not None, within=30)
        found = read_running(self.paths)
        assert found is not None, self.log
        return found

    @property
    def log(self) -> str:
        """What it has told."""
        return self.paths.log_file.read_text("utf-8") if self.paths.log_file.exists() else "(no log)"

    def get(self, path: str) -> tuple[int, Any]:
        """Ask it for JSON."""
        connection = http.client.HTTPConnection(self.running.host, self.running.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


class Starter:
    """Starts daemons under one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.started: list[Daemon] = []

    def __call__(self, *flags: str, command: list[str] | None = None, port: str = "0", **environ: str) -> Daemon:
        """Start one, on a free port unless told otherwise."""
        given = {name: value for name, value in os.environ.items() if not name.startswith(("LOCALPI_", "DEVPI_"))}
        given |= {"LOCALPI_HOME": str(self.home), "LOCALPI_PORT": port, **environ}
        process = subprocess.Popen(
            [*(command or SERVE), *flags], env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.started.append(Daemon(process, Paths.under(self.home)))
        return self.started[-1]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Start daemons; all are ended with the test."""
    starter = Starter(tmp_path / "home")
    yield starter
    for daemon in starter.started:
        with contextlib.suppress(ProcessLookupError):
            daemon.process.kill()
        daemon.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_daemon_serves_until_it_is_told_to_end(start: Starter, number: int) -> None:
    """Exit 0, the signpost is taken down, and what it kept is its owner's only."""
    daemon = start()
    status, health = daemon.get("/+health")
    modes = {path.name: path.stat().st_mode & 0o777 for path in start.home.rglob("*")}
    assert daemon.end(number) == 0

    assert (status, health["status"]) == (200, "ok")
    assert not daemon.paths.running_file.exists()
    assert {modes[name] for name in ("config", "data", "cache", "logs", "runtime", "files")} == {0o700}
    assert {modes[name] for name in ("lock", "owner.secret", "localpi.sqlite", "cache.sqlite", "daemon.log")} == {0o600}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_signal_before_it_serves_ends_it_as_well(start: Starter) -> None:
    """A start that is broken off is no failure."""
    daemon = start()
    wait_for(lambda: daemon.paths.log_file.exists() or daemon.process.poll() is not None, within=30)
    wait_for(lambda: _handles_sigterm(daemon.process.pid), within=30)

    assert daemon.end() == 0


def _handles_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1 << signal.SIGTERM - 1)


def test_second_daemon_on_the_same_data_is_refused(start: Starter) -> None:
    """Exit 78, and the first goes on."""
    first = start()
    first.get("/+health")
    second = start()
    _, said = second.process.communicate(timeout=30)

    assert second.process.returncode == 78
    assert b"Already running" in said
    assert first.get("/+health")[0] == 200


def test_taken_port_is_told_with_who_has_it(start: Starter) -> None:
    """Exit 78: trying again would not help."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        daemon = start(port=str(taken.getsockname()[1]))
        _, said = daemon.process.communicate(timeout=30)

    assert daemon.process.returncode == 78
    assert f"(pid {os.getpid()})".encode() in said
    assert b"localpi config set port" in said
    assert said.count(b"The port is taken") == 1
    assert "ERROR daemon.process: The port is taken: 127.0.0.1:" in daemon.log


def test_killed_daemon_leaves_nothing_that_hinders_the_next(start: Starter) -> None:
    """Neither lock nor signpost nor database."""
    first = start()
    first.get("/+health")
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    first.paths.running_file.unlink()
    second = start()

    assert second.get("/+health")[1]["status"] == "ok"
    assert second.end() == 0


def test_running_request_is_answered_after_sigterm(start: Starter) -> None:
    """The rest of an upload is waited for."""
    daemon = start()
    with Client((daemon.running.host, daemon.running.port)) as client:
        body = b"x" * 1000
        client.socket.sendall(
            b"POST /root/local/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" + body[:10]
        )
        with Client((daemon.running.host, daemon.running.port)) as idle:
            idle.get("/+health")
            daemon.process.send_signal(signal.SIGTERM)
            assert idle.rest() == b""
        client.socket.sendall(body[10:])
        status, headers = client.head()
        client.read(int(headers["content-length"]))
        assert client.rest() == b""

    assert status.startswith("HTTP/1.1 4")
    assert daemon.process.wait(20) == 0


def test_manager_learns_of_the_start_and_the_end(start: Starter, tmp_path: Path) -> None:
    """READY=1 only when it answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "s"))
        manager.settimeout(30)
        daemon = start(NOTIFY_SOCKET=str(tmp_path / "s"))
        ready = manager.recv(1000)
        status = daemon.get("/+health")[0]
        daemon.end()
        stopping = manager.recv(1000)

    assert ready.startswith(b"READY=1\nSTATUS=serving at http://127.0.0.1:")
    assert status == 200
    assert stopping == b"STOPPING=1"


def test_socket_that_was_handed_over_is_served(start: Starter) -> None:
    """Connections wait in it while the daemon starts, and belong to systemd when it ends."""
    with socket.create_server(("127.0.0.1", 0)) as handed:
        with Client(handed.getsockname()[:2]) as early:
            early.send("/+health", "Connection: close")
            given = os.environ | {"LOCALPI_HOME": str(start.home)}
            process = subprocess.Popen(
                [sys.executable, "-c", HAND_OVER, str(handed.fileno()), *SERVE],
                env=given,
                pass_fds=[handed.fileno()],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            daemon = Daemon(process, Paths.under(start.home))
            start.started.append(daemon)
            status, _ = early.answer()
        port = daemon.running.port
        assert daemon.end() == 0

        assert status == "HTTP/1.1 200 OK"
        assert port == handed.getsockname()[1]


def test_debug_logs_hits_and_stderr_too(start: Starter) -> None:
    """And no query strings."""
    daemon = start("--debug")
    daemon.get("/+health?secret=1")
    daemon.end()
    _, said = daemon.process.communicate()

    assert b"GET /+health 200" in said
    assert "GET /+health 200" in daemon.log
    assert "secret=1" not in daemon.log


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_body_on_its_way_lies_on_the_disk_of_the_data(start: Starter) -> None:
    """Neither in memory nor in /tmp, which is memory on many machines."""
    daemon = start()
    with Client((daemon.running.host, daemon.running.port)) as client:
        client.socket.sendall(b"POST /root/local/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n")
        client.socket.sendall(bytes(2_000_000))
        wait_for(lambda: _open_files(daemon.process.pid, below=daemon.paths.data, size=1_000_000))


def _open_files(pid: int, *, below: Path, size: int) -> list[str]:
    """Return the nameless files of at least a size that a process has open below a folder."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(link.readlink())
            if target.startswith(str(below)) and target.endswith("(deleted)") and link.stat().st_size >= size:
                found.append(target)
    return found


def test_hot_file_that_was_deleted_is_a_workers_business(tmp_path: Path, upstream: MadeUpstream) -> None:
    """Hit on the loop thread, gone from the disk: fetched again, and no trace of trouble in the log."""
    data = os.urandom(100_000)
    upstream.add("demo-1.0.tar.gz", data)
    with made.daemon.Daemon(tmp_path / "localpi", LOCALPI_LOG_LEVEL="debug") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        url = daemon.page("demo", "root/pypi").json()["files"][0]["url"]
        before = [daemon.get(url).body for _ in range(4)]
        for blob in (tmp_path / "localpi" / "cache" / "files").glob("*/*"):
            blob.unlink()
        after = [daemon.get(url).body for _ in range(3)]
        log = daemon.log

    assert before + after == [data] * 7
    assert "ERROR" not in log


def test_second_listener_wants_a_credential_and_the_first_none(start: Starter) -> None:
    """Containers come in at the bridge's address, and so may others; hot answers are closed there as well."""
    address = _address_of_this_machine()
    daemon = start(LOCALPI_LISTEN=address)
    path, port = "/root/local", daemon.running.port
    assert [daemon.get(path)[0] for _ in range(3)] == [200, 200, 200]
    with Client((address, port)) as client:
        seen = [client.get(path)[0].split()[1] for _ in range(2)]
    assert seen == ["401", "401"]


def _address_of_this_machine() -> str:
    """Return an IPv4 address that is not loopback."""
    found = [
        each.address
        for several in psutil.net_if_addrs().values()
        for each in several
        if each.family == socket.AF_INET and not each.address.startswith("127.")
    ]
    if not found:
        pytest.skip("this machine has no address but loopback")
    return found[0]


def test_listener_off_loopback_is_closed_unless_it_is_opened(start: Starter) -> None:
    """On every address of the machine, with a wildcard; and the setting that opens it."""
    closed = start(LOCALPI_HOST="0.0.0.0")
    assert (closed.get("/root/local")[0], closed.get("/+health")[0]) == (401, 200)
    assert closed.end() == 0
    opened = start(LOCALPI_HOST="0.0.0.0", LOCALPI_OPEN_READING="1")
    assert opened.get("/root/local")[0] == 200


def test_ready_answers_have_the_serial_of_now(daemon: made.daemon.Daemon) -> None:
    """What the loop sends from memory says the last change of all, not that of the day it was made."""
    assert upload(daemon, *make_wheel("demo", "1.0")).status == 200
    asked = [daemon.page("demo") for _ in range(3)]
    assert upload(daemon, *make_wheel("other", "1.0")).status == 200
    later = daemon.page("demo")
    assert later.headers["etag"] == asked[-1].headers["etag"]
    assert int(later.headers["x-devpi-serial"]) == int(asked[-1].headers["x-devpi-serial"]) + 1
