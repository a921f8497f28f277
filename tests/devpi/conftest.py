"""The real devpi programs in scratch virtual environments, and what they talk to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from made.clients import MACHINE_ENVIRON
from made.daemon import Daemon
from made.devpi import DevpiClient, DevpiServer
from made.upstream import MadeUpstream

KEPT = "LOCALPI_TEST_DEVPI"
"""A folder in which the virtual environments stay from run to run (`client`, `server`); without it they are new."""

INSTALL_S = 600


def _make_venv(folder: Path, *packages: str) -> Path:
    """Install packages from PyPI, as this machine reaches it; skip when it does not."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, env=MACHINE_ENVIRON)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *packages],
        env=MACHINE_ENVIRON,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"{', '.join(packages)} cannot be installed: {done.stderr.strip().splitlines()[-1][:200]}")
    return folder / "bin"


@pytest.fixture(scope="session")
def venvs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the virtual environments."""
    kept = MACHINE_ENVIRON.get(KEPT)
    return Path(kept) if kept else tmp_path_factory.mktemp("devpi")


@pytest.fixture(scope="session")
def client_programs(venvs: Path) -> Path:
    """Give the folder with `devpi` and what it starts."""
    return _make_venv(venvs / "client", "devpi-client", "tox", "build")


@pytest.fixture(scope="session")
def sphinx_build(venvs: Path, client_programs: Path) -> Path:  # noqa: ARG001 -- has to be there first
    """Add Sphinx to the client's programs, for `devpi upload --with-docs`."""
    return _make_venv(venvs / "client", "sphinx")


@pytest.fixture(scope="session")
def server_programs(venvs: Path) -> Path:
    """Give the folder with `devpi-server` and its like."""
    return _make_venv(venvs / "server", "devpi-server", "devpi-web")


@pytest.fixture
def as_devpi(tmp_path: Path, upstream: MadeUpstream) -> Iterator[Daemon]:
    """Run a daemon that is set up as devpi is: root without a password, anyone may register."""
    with Daemon(tmp_path / "localpi", LOCALPI_ROOT_PASSWORD="", LOCALPI_OPEN_REGISTRATION="1") as running:
        running.mirror("root/pypi", upstream.url)
        yield running


@pytest.fixture
def devpi_server(tmp_path: Path, server_programs: Path) -> Iterator[DevpiServer]:
    """Run a real devpi-server without root/pypi."""
    with DevpiServer(server_programs, tmp_path / "devpi-server") as running:
        yield running


@pytest.fixture
def devpi(tmp_path: Path, client_programs: Path) -> Callable[..., DevpiClient]:
    """Make a client with a folder of its own."""

    def make(name: str = "client") -> DevpiClient:
        home = tmp_path / f"home-{name}"
        home.mkdir(exist_ok=True)
        return DevpiClient(client_programs, home, dict(os.environ))

    return make
