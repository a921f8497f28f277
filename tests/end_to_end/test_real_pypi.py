"""The main job on real input: numpy and flask from the real PyPI, and again without it."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from made.clients import pip_install, pips_index, uv_install
from made.daemon import Daemon

pytestmark = [pytest.mark.network, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def real_index() -> str:
    url = pips_index()
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), timeout=5).close()
    except OSError as error:
        pytest.skip(f"the index that pip uses cannot be reached: {error}")
    return url


@pytest.mark.parametrize(
    "install", [pytest.param(pip_install, id="pip", marks=pytest.mark.long), pytest.param(uv_install, id="uv")]
)
def test_numpy_and_flask_install_and_install_again_offline(tmp_path: Path, real_index: str, install: object) -> None:
    """From PyPI, then with the upstream unreachable and empty client caches, then after a restart too."""
    with Daemon(tmp_path / "localpi") as daemon:
        daemon.mirror("root/pypi", real_index)
        for place in ("online", "offline", "restarted"):
            done = install(daemon.index_url, tmp_path / place, "numpy", "flask")  # type: ignore[operator]  # of the table
            assert done.returncode == 0, done
            assert (tmp_path / place / "numpy").is_dir()
            assert (tmp_path / place / "flask").is_dir()
            if place == "online":
                # A proxy on a closed port: the same mirror, nothing stored is lost, nothing new can be had.
                daemon.stop()
                daemon.environ |= {"LOCALPI_UPSTREAM_PROXY": "http://127.0.0.1:9"}
                daemon.start()
            elif place == "offline":
                daemon.stop()
                daemon.start()
