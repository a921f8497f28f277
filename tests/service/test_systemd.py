"""systemctl's answers that a healthy user instance does not give, and units that are not as they should be."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from localpi.service.outcomes import Outcome, ServiceState, What
from localpi.service.spec import ServiceSpec
from localpi.service.systemd import SystemdUser
from localpi.service.units import SERVICE, SOCKET
from made.user_instance import UserInstance


def make_spec(tmp_path: Path, port: int = 3141) -> ServiceSpec:
    return ServiceSpec(("/no/such/localpi",), ("127.0.0.1",), port, str(tmp_path / "data"), str(tmp_path))


def systemctl(folder: Path, script: str) -> dict[str, str]:
    """Put a `systemctl` into a folder; the environment that finds it."""
    folder.mkdir(exist_ok=True)
    (folder / "systemctl").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "systemctl").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "there is no systemd here"),
        ("echo 'Failed to connect to bus: No medium found' >&2; exit 1",
         "no systemd user instance answers: Failed to connect to bus: No medium found"),
        ("echo /home/other/.config/systemd/user /etc/systemd/user",
         "the systemd user instance does not read {home}/.config/systemd/user: it belongs to another HOME"),
    ],
)  # fmt: skip
def test_where_it_cannot_be_used_nothing_is_written(tmp_path: Path, script: str | None, reason: str) -> None:
    """Containers, cron and su, a HOME of somebody else."""
    home = tmp_path / "home"
    environ = systemctl(tmp_path / "bin", script) if script else {"PATH": str(tmp_path)}
    manager = SystemdUser(home, environ, tmp_path / "no runtime")
    assert manager.unavailable() == reason.format(home=home)
    outcomes = (manager.install(make_spec(tmp_path)), manager.start(), manager.stop(), manager.restart())
    assert set(outcomes) == {Outcome(What.UNAVAILABLE, manager.unavailable())}
    assert list(home.iterdir()) == []


def test_units_are_told_and_removed_without_systemd(tmp_path: Path) -> None:
    """`localpi status` and `uninstall` work with a user instance that does not answer."""
    folder = tmp_path / ".config/systemd/user"
    (folder / "default.target.wants").mkdir(parents=True)
    manager = SystemdUser(tmp_path, {"PATH": str(tmp_path)})
    for path, data in manager.render(make_spec(tmp_path)):
        path.write_bytes(data)
    (folder / "default.target.wants" / SERVICE).symlink_to(folder / SERVICE)
    assert manager.state() == ServiceState(
        SERVICE,
        installed=True,
        enabled=True,
        program=("/no/such/localpi",),
        data=tmp_path / "data",
        listen=("127.0.0.1:3141",),
        files=(folder / SERVICE, folder / SOCKET),
    )
    assert manager.uninstall() == Outcome(What.REMOVED)
    assert not (tmp_path / ".config/systemd").exists()


def test_runtime_folder_is_found_where_the_variable_is_lost(tmp_path: Path) -> None:
    """As under `su` and cron; one that is set is believed."""
    (tmp_path / "run" / str(os.getuid())).mkdir(parents=True)
    environ = systemctl(tmp_path / "bin", 'echo "$XDG_RUNTIME_DIR" >&2; exit 1')
    lost = SystemdUser(tmp_path, environ, tmp_path / "run")
    kept = SystemdUser(tmp_path, environ | {"XDG_RUNTIME_DIR": "/elsewhere"}, tmp_path / "run")
    assert lost.unavailable().endswith(str(tmp_path / "run" / str(os.getuid())))
    assert kept.unavailable().endswith(": /elsewhere")


def test_systemctl_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits unbounded."""
    monkeypatch.setattr("localpi.service.systemd.ASK_S", 0.3)
    manager = SystemdUser(tmp_path, systemctl(tmp_path / "bin", "exec sleep 60"))
    assert manager.unavailable() == "no systemd user instance answers: systemctl did not answer within 0 s"


def test_what_systemd_says_of_a_start_that_fails(instance: UserInstance, tmp_path: Path, port: int) -> None:
    """A program that is gone, a port that is taken, a unit that is masked: each by its outcome."""
    manager = SystemdUser(instance.home, instance.reaching(tmp_path / "bin"))
    assert manager.install(make_spec(tmp_path, port)) == Outcome(What.INSTALLED)
    gone = manager.start()
    assert (gone.what, gone.reason, gone.status) == (What.FAILED, "it ended with exit code 203", 203)
    assert manager.state().ended_status == 203
    manager.stop()
    with socket.create_server(("127.0.0.1", port)):
        assert manager.start().what is What.PORT_TAKEN
    assert manager.uninstall() == Outcome(What.REMOVED)
    instance.systemctl("mask", SERVICE)
    masked = manager.install(make_spec(tmp_path, port))
    assert (masked.what, masked.hint) == (What.DISABLED, f"systemctl --user unmask {SERVICE}")


def test_user_instance_may_have_a_home_with_blanks(tmp_path: Path, port: int) -> None:
    """And signs that systemd has a meaning for."""
    home = tmp_path / "my 100% home"
    with UserInstance(home) as instance:
        manager = SystemdUser(home, instance.reaching(tmp_path / "bin"))
        assert manager.unavailable() == ""
        assert manager.install(make_spec(tmp_path, port)) == Outcome(What.INSTALLED)
        assert manager.state().enabled
        assert manager.uninstall() == Outcome(What.REMOVED)


def test_variables_of_the_user_instance_are_known(instance: UserInstance, tmp_path: Path) -> None:
    """What a service sees already need not be kept for it."""
    manager = SystemdUser(instance.home, instance.reaching(tmp_path / "bin"))
    instance.systemctl("set-environment", "HTTPS_PROXY=http://proxy.example:3128", "EMPTY=")
    environ = manager.service_environ()
    assert (environ["HTTPS_PROXY"], environ["EMPTY"]) == ("http://proxy.example:3128", "")
