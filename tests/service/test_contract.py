"""One face over systemd and launchd: what the rest of the house may rely on, whoever is behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from localpi.service.launchd import Launchd, Patience
from localpi.service.outcomes import Outcome, ServiceManager, What
from localpi.service.spec import ServiceSpec
from localpi.service.systemd import SystemdUser
from made import launchctl
from made.user_instance import UserInstance

SERVE = """\
#!{python}
import os, socket, time
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.connect(os.environ["NOTIFY_SOCKET"])
    manager.send(b"READY=1")
time.sleep(600)
"""


@dataclass
class Desk:
    """A manager, what it may be asked for, and a home that it writes to."""

    manager: ServiceManager
    spec: ServiceSpec
    home: Path

    def files(self) -> dict[str, int]:
        """What there is, and when it was written."""
        return {str(path.relative_to(self.home)): path.lstat().st_mtime_ns for path in self.home.rglob("*")}


@pytest.fixture(params=["systemd", "launchd"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, port: int) -> Iterator[Desk]:
    """A real systemd user instance, and a scripted launchctl."""
    home = tmp_path / "person"
    program = tmp_path / "localpi"
    program.write_text(SERVE.format(python=sys.executable))
    program.chmod(0o755)
    spec = ServiceSpec((str(program),), ("127.0.0.1",), port, str(tmp_path / "data"), str(tmp_path))
    if request.param == "launchd":
        home.mkdir()
        _, environ = launchctl.install(tmp_path / "bin", teardown_s=0.1)
        yield Desk(Launchd(home, environ, home, Patience(poll=0.05)), spec, home)
        return
    with UserInstance(home) as instance:
        yield Desk(SystemdUser(home, instance.reaching(tmp_path / "bin")), spec, home)


def test_from_nothing_and_back(desk: Desk) -> None:
    """Each order has its outcome, the same order again says that it is so already, and nothing is left at the end."""
    manager, spec, before = desk.manager, desk.spec, desk.files()
    assert manager.unavailable() == ""
    assert (manager.start(), manager.stop(), manager.restart()) == (Outcome(What.NOT_INSTALLED),) * 3
    assert manager.uninstall() == Outcome(What.NOT_INSTALLED)
    assert manager.state().installed is False
    assert desk.files() == before

    assert [manager.install(spec).what, manager.install(spec).what] == [What.INSTALLED, What.UNCHANGED]
    assert [path.read_bytes() for path, _ in manager.render(spec)] == [data for _, data in manager.render(spec)]
    assert [manager.start().what, manager.start().what] == [What.STARTED, What.ALREADY_RUNNING]
    written = desk.files()
    state = manager.state()
    assert (state.name, state.installed, state.enabled, state.activity) == (manager.name, True, True, "running")
    assert (state.program, state.data, state.ended) == (spec.program, Path(spec.data), "")
    assert state.pid is not None
    assert desk.files() == written

    assert manager.restart().what is What.RESTARTED
    assert manager.state().pid not in {None, state.pid}
    assert manager.install(replace(spec, variables=(("LOCALPI_HOME", "/a b"),))).what is What.CHANGED
    assert manager.state().variables == {"LOCALPI_HOME": "/a b"}
    assert manager.restart().good
    assert [manager.stop().what, manager.stop().what] == [What.STOPPED, What.NOT_RUNNING]
    assert manager.state().activity == "stopped"
    assert [manager.uninstall().what, manager.uninstall().what] == [What.REMOVED, What.NOT_INSTALLED]
    left = desk.files().keys() - before.keys()
    assert left <= {".config", "Library", "Library/LaunchAgents"}


def test_running_service_is_uninstalled_whole(desk: Desk) -> None:
    """Stopped, and forgotten."""
    desk.manager.install(desk.spec)
    assert desk.manager.start().good
    assert desk.manager.uninstall() == Outcome(What.REMOVED)
    assert (desk.manager.state().installed, desk.manager.start()) == (False, Outcome(What.NOT_INSTALLED))
