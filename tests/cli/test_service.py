"""`service` and `serve --agent` where no service manager is, and `uninstall`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localpi.cli.leaving import removing_command
from localpi.settings.paths import Paths
from localpi.setup.removal import kept_folders, purge

Run = Callable[..., Any]


@pytest.mark.parametrize("command", ["install", "start", "stop", "restart"])
def test_without_a_service_manager_it_is_refused_with_what_works(run: Run, home: Path, command: str) -> None:
    """In a container, under another HOME: nothing is written, and the remedy is named."""
    ran = run("service", command)
    assert (ran.code, ran.out, home.exists()) == (4, "", False)
    assert "localpi up" in ran.err or "localpi service install" in ran.err


def test_status_of_no_service_has_its_shape(run: Run, home: Path) -> None:
    """Scripts read the same keys whether there is one or not."""
    ran = run("service", "status", "--json")
    assert (ran.code, ran.json["schema"], ran.json["installed"], ran.json["pid"]) == (3, 1, False, None)
    assert (run("service", "uninstall").code, home.exists()) == (0, False)


def serve_as_agent(home: Path, tmp_path: Path, **environ: str) -> tuple[int, str]:
    """Run `serve --agent` to its end, printing into a file as launchd has it."""
    printed = tmp_path / "service.log"
    with printed.open("ab") as file:
        ran = subprocess.run(
            [sys.executable, "-m", "localpi", "serve", "--agent"],
            env={**os.environ, "LOCALPI_HOME": str(home), **environ},
            stdout=file,
            stderr=file,
            timeout=60,
            check=False,
        )
    return ran.returncode, printed.read_text()


def test_agent_ends_well_where_starting_again_would_not_help(home: Path, tmp_path: Path) -> None:
    """Launchd would try a port that is taken every ten seconds for ever; what is printed begins anew each time."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        runs = [serve_as_agent(home, tmp_path, LOCALPI_PORT=port) for _ in range(2)]
    assert [code for code, _ in runs] == [0, 0]
    assert runs[0] == runs[1]
    assert runs[1][1].startswith(f"The port is taken: 127.0.0.1:{port} is in use by ")
    assert f"The port is taken: 127.0.0.1:{port}" in (home / "logs" / "daemon.log").read_text()
    code, said = serve_as_agent(home, tmp_path, LOCALPI_PORT="http")
    assert (code, said.startswith("Setting refused: port = 'http'")) == (0, True)


def test_uninstall_unwires_stops_and_says_where_the_data_is(run: Run, home: Path) -> None:
    """What was kept stays until it is told to go."""
    conf = Path(os.environ["HOME"]) / ".config" / "pip" / "pip.conf"
    assert run("up", "--wire", LOCALPI_PORT="0").code == 0
    try:
        assert "index-url" in conf.read_text()
        looked = run("uninstall", "--dry-run")
        assert (looked.code, conf.exists(), run("status").code) == (0, True, 0)
    finally:
        gone = run("uninstall")
    assert (gone.code, conf.exists(), run("status").code) == (0, False, 3)
    assert str(home / "data") in gone.err
    assert (home / "data" / "localpi.sqlite").exists()

    purged = run("uninstall", "--purge")
    assert (purged.code, home.exists(), f"deleted:\n  {home / 'data'}" in purged.err) == (0, False, True)
    assert run("uninstall", "--purge").code == 0


def test_uninstall_of_one_instance_leaves_the_wiring_of_another(run: Run, tmp_path: Path) -> None:
    """A scratch LOCALPI_HOME that goes takes no line away that names another port; asked for by name it goes."""
    conf = Path(os.environ["HOME"]) / ".config" / "pip" / "pip.conf"
    assert run("wire-pip", LOCALPI_PORT="3177").code == 0
    wired = conf.read_text()
    scratch = {"LOCALPI_HOME": str(tmp_path / "scratch"), "LOCALPI_PORT": "3178"}
    gone = run("uninstall", "--purge", **scratch)
    assert (gone.code, conf.read_text()) == (0, wired)
    assert "http://127.0.0.1:3177/root/local/+simple/ is another daemon's" in gone.err
    assert run("unwire", "all", **scratch | {"LOCALPI_PORT": "3177"}).code == 0
    assert "index-url" not in conf.read_text()


def test_purge_deletes_what_is_ours_alone(tmp_path: Path) -> None:
    """Links are followed to the larger disk and go; other things in the home stay."""
    paths = Paths.under(tmp_path / "home")
    disk = tmp_path / "disk"
    for folder in (disk / "cache", paths.data, paths.config, paths.logs, paths.runtime):
        folder.mkdir(parents=True)
    (disk / "cache" / "x").write_text("x")
    (disk / "other").write_text("x")
    paths.cache.symlink_to(disk / "cache")
    (tmp_path / "home" / "notes.txt").write_text("mine")
    assert set(purge(paths)) == {paths.data, paths.config, paths.cache, paths.logs, paths.runtime}
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["notes.txt"]
    assert sorted(path.name for path in disk.iterdir()) == ["other"]


def test_folders_within_folders_are_named_once(tmp_path: Path) -> None:
    """The platform's runtime folder is in its data folder; on macOS settings and data are one."""
    shared = tmp_path / "Application Support"
    (shared / "runtime").mkdir(parents=True)
    paths = Paths(shared, shared, tmp_path / "Caches", tmp_path / "Logs", shared / "runtime")
    assert kept_folders(paths) == (shared,)


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.local/share/pipx/venvs/localpi", "pipx uninstall localpi"),
        ("/home/me/.local/share/uv/tools/localpi", "uv tool uninstall localpi"),
        ("/home/me/.localpi", "/home/me/.localpi/bin/python -m pip uninstall localpi"),
    ],
)
def test_what_installed_the_program_removes_it(prefix: str, command: str) -> None:
    """Said, not done: a program that deletes itself while it runs is none."""
    assert removing_command(Path(prefix), f"{prefix}/bin/python") == command


def test_purge_leaves_no_empty_folder_of_the_platforms(tmp_path: Path) -> None:
    """On Linux the log is one folder deeper than the rest."""
    config, data, cache = (tmp_path / name / "localpi" for name in ("config", "data", "cache"))
    paths = Paths(config, data, cache, tmp_path / "state" / "localpi" / "log", data / "runtime")
    paths.make()
    purge(paths)
    assert list(tmp_path.rglob("localpi")) == []
