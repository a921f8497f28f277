"""What every test gets: nothing of the developer's own setting, and a daemon of its own where it asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from made.daemon import Daemon
from made.upstream import MadeUpstream

# Examples are judged by what they show, not by how long a busy machine takes for them.
hypothesis.settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any-machine")

_HIDDEN = ("LOCALPI_", "DEVPI", "PIP_", "UV_", "TWINE_", "XDG_", "NETRC")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def scratch_environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the developer's own configuration and proxies."""
    for name in list(os.environ):
        if name.startswith(_HIDDEN) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def upstream() -> Iterator[MadeUpstream]:
    """An index made for this test, on loopback."""
    with MadeUpstream() as made:
        yield made


@pytest.fixture
def daemon(tmp_path: Path, upstream: MadeUpstream) -> Iterator[Daemon]:
    """A real daemon with a folder of its own whose root/pypi mirrors `upstream`."""
    with Daemon(tmp_path / "localpi") as running:
        running.mirror("root/pypi", upstream.url)
        yield running


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes in a test's id by their argument: archives differ by the second in which they were made."""
    return argname if isinstance(val, bytes) else None
