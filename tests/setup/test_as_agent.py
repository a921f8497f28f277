"""`up`, `down` and `service` over launchd: a scripted launchctl that really runs the agent's program."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localpi.service.launchd import Launchd, Patience
from localpi.service.outcomes import What
from localpi.settings.file import set_in_file
from localpi.settings.paths import Paths
from localpi.setup import service as services
from localpi.setup.answering import StartFailed, find_answering
from localpi.setup.removal import remove_service, stop_all
from localpi.setup.service import find_service, report_service
from localpi.setup.serving import install_service, restart_service
from localpi.setup.start import Start, start
from localpi.setup.stop import Stop, stop
from made import launchctl

REPOSITORY = Path(__file__).parent.parent.parent


@dataclass
class Mac:
    """The folders, the environment and the state of launchd."""

    paths: Paths
    environ: dict[str, str]
    port: int
    told: Path

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self.told.read_text()))

    def answers(self) -> bool:
        return find_answering(self.paths) is not None


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mac]:
    """A home with launchd in place of the machine's own service manager."""
    home = tmp_path / "person"
    paths = Paths.under(home / "localpi")
    paths.make()
    told, found = launchctl.install(tmp_path / "bin", spawns=True, home=str(home))
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    program = tmp_path / "localpi"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" -P -m localpi "$@"\n')
    program.chmod(0o755)

    def find_manager(_platform: str, environ: Mapping[str, str]) -> Launchd:
        return Launchd(home, environ, home, Patience(poll=0.05))

    monkeypatch.setattr(services, "find_manager", find_manager)
    monkeypatch.setattr(services, "find_program", lambda *_: (str(program),))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    set_in_file(paths.config_file, "port", port)
    ours = {name: value for name, value in os.environ.items() if not name.endswith(("_CA_BUNDLE", "SSL_CERT_FILE"))}
    environ = {**ours, **found, "HOME": str(home), "LOCALPI_HOME": str(paths.home)}
    yield Mac(paths, environ, port, told)
    stop_all(paths, environ)


def test_from_installing_to_uninstalling(mac: Mac) -> None:
    """Installed it answers; up and down use it; restarted it is another process; uninstalled it is gone."""
    installed = install_service(mac.paths, mac.environ)
    assert (installed.what, installed.daemon.url) == (What.INSTALLED, f"http://127.0.0.1:{mac.port}")
    first = installed.daemon.running
    assert first is not None
    report = report_service(mac.paths, mac.environ)
    assert (report.name, report.activity, report.current, report.fault) == ("io.localpi.daemon", "running", True, "")
    assert install_service(mac.paths, mac.environ).what is What.UNCHANGED
    assert start(mac.paths, mac.environ).outcome is Start.ALREADY_RUNNING

    service = find_service(mac.paths, mac.environ)
    assert service is not None
    again = restart_service(service, mac.paths, mac.environ).running
    assert again is not None
    assert again.pid != first.pid

    assert (stop(mac.paths, mac.environ), mac.answers()) == (Stop.STOPPED, False)
    assert stop(mac.paths, mac.environ) is Stop.NOT_RUNNING
    started = start(mac.paths, mac.environ)
    assert (started.outcome, started.service, mac.answers()) == (Start.STARTED, "io.localpi.daemon", True)
    assert remove_service(mac.paths, mac.environ) == "io.localpi.daemon"
    assert (mac.answers(), mac.state["loaded"], find_service(mac.paths, mac.environ)) == (False, False, None)


def test_changed_port_is_taken_up(mac: Mac) -> None:
    """The agent has no socket of its own: the daemon listens where it is told at its next start."""
    install_service(mac.paths, mac.environ)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    set_in_file(mac.paths.config_file, "port", port)
    service = find_service(mac.paths, mac.environ)
    assert service is not None
    stop(mac.paths, mac.environ)
    assert start(mac.paths, mac.environ).daemon.url == f"http://127.0.0.1:{port}"


def test_taken_port_is_said_soon_and_not_tried_again(mac: Mac) -> None:
    """It ends with 0, which launchd takes for a success; the reason is in what it printed."""
    with socket.create_server(("127.0.0.1", mac.port)), pytest.raises(StartFailed) as caught:
        install_service(mac.paths, mac.environ)
    assert f"127.0.0.1:{mac.port} is in use by" in caught.value.message
    assert (mac.state["last_exit"], mac.state["runs"]) == (0, 1)
    assert start(mac.paths, mac.environ).outcome is Start.STARTED


def test_agent_sees_nothing_of_the_shell(mac: Mac) -> None:
    """What it needs is in its file and in config.toml."""
    environ = {**mac.environ, "LOCALPI_THREADS": "3", "https_proxy": "http://proxy.example:3128"}
    installed = install_service(mac.paths, environ)
    assert {each.key for each in installed.kept} == {"threads", "upstream.proxy"}
    report = report_service(mac.paths, mac.environ)
    assert (report.current, mac.state["agent"]["EnvironmentVariables"]) == (True, {"LOCALPI_HOME": str(mac.paths.home)})


@pytest.mark.filterwarnings("ignore:subprocess", "ignore::pytest.PytestUnraisableExceptionWarning")  # it outlives us
def test_session_without_launchd_runs_it_in_the_background(mac: Mac) -> None:
    """Over ssh on some Macs: `up` is not refused for it."""
    install_service(mac.paths, mac.environ)
    stop(mac.paths, mac.environ)
    state = mac.state
    mac.told.write_text(json.dumps({**state, "domains": []}))
    started = start(mac.paths, mac.environ)
    assert (started.service, started.hindrance.startswith("launchd does not answer"), mac.answers()) == ("", True, True)
    assert stop(mac.paths, mac.environ) is Stop.STOPPED
    mac.told.write_text(json.dumps({**mac.state, "domains": ["gui"]}))
