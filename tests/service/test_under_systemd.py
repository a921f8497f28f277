"""The service under a real systemd user instance, from its first start until nothing is left of it."""

from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import pytest

from made.loops import wait_for
from made.user_instance import UserInstance

UNITS = ".config/systemd/user"


def get(port: int, path: str = "/+health") -> int:
    """Ask on a connection of its own; the status."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def answers(port: int) -> bool:
    """Say whether somebody answers there."""
    with suppress(OSError, http.client.HTTPException):
        return get(port) == 200
    return False


def tree(home: Path) -> dict[str, tuple[int, int]]:
    """Everything below a home, but what the daemon writes: inode and time of change."""
    found = {}
    for path in home.rglob("*"):
        name = str(path.relative_to(home))
        if not name.startswith((".local", ".cache")):
            state = path.lstat()
            found[name] = (state.st_ino, state.st_mtime_ns if not path.is_dir() else 0)
    return found


def test_install_use_and_uninstall(instance: UserInstance, port: int) -> None:
    """Installed, it answers and starts at login; again changes nothing; asking writes nothing; then nothing is left."""
    before = set(tree(instance.home))
    first = instance.localpi("service", "install", LOCALPI_PORT=str(port))
    assert (first.code, "localpi.service: installed" in first.err) == (0, True), first.err
    assert get(port) == 200
    enabled = [instance.systemctl("is-enabled", unit).out for unit in ("localpi.service", "localpi.socket")]
    assert enabled == ["enabled\n", "enabled\n"]
    verified = instance.run("systemd-analyze", "--user", "verify", str(instance.home / UNITS / "localpi.service"))
    assert (verified.code, verified.out, verified.err) == (0, "", "")

    seen = tree(instance.home)
    pid = instance.shown("localpi.service", "MainPID")
    again = instance.localpi("service", "install")
    status = instance.localpi("service", "status", "--json")
    text = instance.localpi("service", "status")
    assert (again.code, "unchanged" in again.err, status.code, text.code) == (0, True, 0, 0)
    assert (tree(instance.home), instance.shown("localpi.service", "MainPID")) == (seen, pid)
    facts = status.json
    assert {key: facts[key] for key in ("schema", "name", "installed", "enabled", "activity", "current", "fault")} == {
        "schema": 1, "name": "localpi.service", "installed": True, "enabled": True, "activity": "running",
        "current": True, "fault": "",
    }  # fmt: skip
    assert facts["listen"] == [f"127.0.0.1:{port}"]
    assert instance.localpi("status", "--json").json["service"] == "localpi.service"

    gone = instance.localpi("service", "uninstall")
    assert (gone.code, answers(port)) == (0, False), gone.err
    left = set(tree(instance.home)) - before
    assert left == {".config", ".config/localpi", ".config/localpi/config.toml"}  # the port that was kept
    assert instance.systemctl("cat", "localpi.service").code == 1
    assert instance.localpi("service", "uninstall").err == "there was no service\n"


def test_killed_daemon_is_started_again(instance: UserInstance, port: int) -> None:
    """`kill -9` ends it, systemd starts another; requests meanwhile wait in the socket."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    instance.systemctl("kill", "--signal=KILL", "localpi.service")
    wait_for(lambda: instance.shown("localpi.service", "NRestarts") == {"NRestarts": "1"})
    assert get(port) == 200


@pytest.mark.long
def test_stopped_means_stopped_and_a_request_starts_nothing(instance: UserInstance, port: int) -> None:
    """`down` takes the socket away as well; `up` brings both back."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    down = instance.localpi("down")
    assert (down.code, "until the next login" in down.err, answers(port)) == (0, True, False)
    assert instance.localpi("service", "status").code == 3
    assert instance.localpi("service", "start").code == 0
    assert answers(port)
    assert instance.localpi("service", "stop").code == 0
    assert not answers(port)
    up = instance.localpi("up")
    assert (up.code, answers(port)) == (0, True), up.err
    assert instance.shown("localpi.service", "ActiveState") == {"ActiveState": "active"}


def test_first_up_makes_a_service_and_keeps_what_the_shell_said(instance: UserInstance, port: int) -> None:
    """Settings, proxies and CAs of the shell go to config.toml and are said; the root password works at once."""
    ca = instance.home / "ca.pem"
    shell = {
        "LOCALPI_PORT": str(port),
        "LOCALPI_ROOT_PASSWORD": "first",
        "https_proxy": "http://me:secret@proxy.example:3128",
        "NO_PROXY": "intranet.example 10.0.0.0/8",
        "CURL_CA_BUNDLE": str(ca),
        "REQUESTS_CA_BUNDLE": "",
    }
    up = instance.localpi("up", **shell)
    assert up.code == 0, up.err
    assert "it starts at login from now on: localpi.service" in up.err
    assert "kept in config.toml: upstream.proxy = http://***@proxy.example:3128 (from https_proxy)" in up.err
    assert "secret" not in up.err
    text = (instance.home / ".config/localpi/config.toml").read_text()
    for line in (f"port = {port}", 'proxy = "http://me:secret@proxy.example:3128"',
                 'no_proxy = ["intranet.example", "10.0.0.0/8"]', f'ca_bundle = "{ca}"'):  # fmt: skip
        assert line in text
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        body = b'{"user": "root", "password": "first"}'
        connection.request("POST", "/+login", body=body, headers={"Content-Type": "application/json"})
        assert connection.getresponse().status == 200

    assert instance.localpi("service", "uninstall").code == 0
    background = instance.localpi("up")
    assert (background.code, answers(port)) == (0, True), background.err
    assert instance.systemctl("cat", "localpi.service").code == 1, "who uninstalled the service does not get it back"
    service = instance.localpi("service", "install")
    assert (service.code, answers(port)) == (0, True), service.err
    assert instance.shown("localpi.service", "ActiveState") == {"ActiveState": "active"}, "it took the place of both"


@pytest.mark.long
def test_a_changed_port_is_taken_up_at_the_next_restart(instance: UserInstance, port: int) -> None:
    """The socket belongs to systemd: its unit is written again."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    other = port + 1 if port < 65000 else port - 1
    assert instance.localpi("config", "set", "port", str(other)).code == 0
    assert instance.localpi("service", "status", "--json").json["current"] is False
    restarted = instance.localpi("service", "restart")
    assert (restarted.code, answers(other), answers(port)) == (0, True, False), restarted.err


def test_taken_port_is_said_and_not_tried_for_ever(instance: UserInstance, port: int) -> None:
    """Exit 78, and who has it."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    assert instance.localpi("down").code == 0
    with socket.create_server(("127.0.0.1", port)):
        up = instance.localpi("up")
        assert (up.code, f"127.0.0.1:{port} is in use" in up.err) == (78, True), up.err
        assert instance.shown("localpi.service", "ActiveState") != {"ActiveState": "activating"}
    assert instance.localpi("up").code == 0
    assert answers(port)


def test_newer_database_ends_it_for_good(instance: UserInstance, port: int) -> None:
    """Exit 78 is not restarted, and the reason is told."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    assert instance.localpi("service", "stop").code == 0
    with closing(sqlite3.connect(instance.home / ".local/share/localpi/localpi.sqlite")) as connection:
        connection.execute("PRAGMA user_version=999")
    up = instance.localpi("up")
    assert (up.code, "has schema 999" in up.err) == (78, True), up.err
    shown = instance.shown("localpi.service", "ActiveState", "ExecMainStatus", "NRestarts")
    assert shown == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0"}
    status = instance.localpi("service", "status", "--json").json
    assert (status["activity"], status["ended"]) == ("failed", "it ended with exit code 78")


@pytest.mark.long
def test_other_folders_and_other_homes_are_left_alone(instance: UserInstance, port: int, tmp_path: Path) -> None:
    """There is one service; another instance runs in the background, and cannot take its place by mistake."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    other = {"LOCALPI_HOME": str(tmp_path / "other"), "LOCALPI_PORT": "0"}
    refused = instance.localpi("service", "install", **other)
    assert (refused.code, "works on" in refused.err, "localpi service uninstall" in refused.err) == (4, True, True)
    up = instance.localpi("up", **other)
    assert (up.code, answers(port)) == (0, True), up.err
    assert instance.localpi("down", **other).code == 0
    assert answers(port)
    stranger = {"HOME": str(tmp_path / "stranger"), "LOCALPI_PORT": "0"}
    refused = instance.localpi("service", "install", **stranger)
    assert (refused.code, "belongs to another HOME" in refused.err) == (4, True), refused.err
    up = instance.localpi("up", **stranger)
    assert (up.code, instance.localpi("down", **stranger).code) == (0, 0), up.err


@pytest.mark.long
def test_instance_under_localpi_home_can_be_the_service(instance: UserInstance, port: int, tmp_path: Path) -> None:
    """Its folder goes into the unit; blanks and signs in it are no trouble."""
    home = {"LOCALPI_HOME": str(tmp_path / 'my 100% "home" $x'), "LOCALPI_PORT": str(port)}
    made = instance.localpi("service", "install", **home)
    assert (made.code, answers(port)) == (0, True), made.err
    assert (tmp_path / 'my 100% "home" $x' / "data" / "localpi.sqlite").exists()
    status = instance.localpi("service", "status", "--json", **home).json
    assert (status["installed"], status["current"], status["data"]) == (True, True, home["LOCALPI_HOME"] + "/data")


class Asking:
    """Threads that ask until the end of the block, one connection for each request; what was not answered."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self) -> None:
        while not self._stop.is_set() and len(self.failed) < 10:
            try:
                status = get(self._port)
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
            else:
                self.answered += 1
                if status != 200:
                    self.failed.append(str(status))


def test_a_thousand_requests_across_restarts_are_all_answered(instance: UserInstance, port: int) -> None:
    """Who connects while nobody serves waits in systemd's socket."""
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    restarts = 0
    with Asking(port) as asking:
        until = time.monotonic() + 90
        while (restarts < 4 or asking.answered < 1000) and not asking.failed and time.monotonic() < until:
            before = asking.answered
            assert instance.localpi("service", "restart").code == 0
            restarts += 1
            wait_for(lambda: asking.answered >= before + 100 or asking.failed)  # noqa: B023 -- called at once
    assert (asking.failed, restarts >= 4, asking.answered >= 1000) == ([], True, True)


HANG = """
import signal, time
def hang(*_):
    while True:
        time.sleep(1)
signal.signal(signal.SIGUSR1, hang)
"""


def test_a_hanging_loop_is_found_by_the_watchdog(instance: UserInstance, port: int, tmp_path: Path) -> None:
    """The loop's thread stands still while all others go on; systemd ends it and starts another."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(HANG)
    assert instance.localpi("service", "install", LOCALPI_PORT=str(port)).code == 0
    changes = instance.home / UNITS / "localpi.service.d"
    changes.mkdir()
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    (changes / "hang.conf").write_text(f'[Service]\nWatchdogSec=2\nEnvironment="PYTHONPATH={path}"\n')
    instance.systemctl("daemon-reload")
    assert instance.localpi("service", "restart").code == 0
    time_of_life = instance.shown("localpi.service", "WatchdogTimestampMonotonic")
    wait_for(lambda: instance.shown("localpi.service", "WatchdogTimestampMonotonic") != time_of_life)
    assert instance.shown("localpi.service", "NRestarts") == {"NRestarts": "0"}, "a loop that turns feeds it"
    instance.systemctl("kill", "--kill-who=main", "--signal=USR1", "localpi.service")
    wait_for(lambda: instance.shown("localpi.service", "NRestarts") == {"NRestarts": "1"}, within=30)
    wait_for(lambda: answers(port), within=30)


@pytest.mark.long
def test_bridge_that_is_not_there_yet_is_listened_on(instance: UserInstance, port: int) -> None:
    """Docker's bridge comes up after login; the index is there before it. RFC 5737 keeps 192.0.2.0/24 for examples."""
    made = instance.localpi("service", "install", LOCALPI_PORT=str(port), LOCALPI_LISTEN="192.0.2.1")
    assert (made.code, answers(port)) == (0, True), made.err
    listening = instance.localpi("service", "status", "--json").json["listen"]
    assert listening == [f"127.0.0.1:{port}", f"192.0.2.1:{port}"]
