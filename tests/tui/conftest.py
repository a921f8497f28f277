"""Coroutine functions as tests, and a home folder for pictures: the file picker shows it."""

from __future__ import annotations

import asyncio
from inspect import iscoroutinefunction
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def made_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make ~/billing/dist with two files, and stand in it; nothing of the terminal's own is seen."""
    home = tmp_path / "home"
    dist = home / "billing" / "dist"
    dist.mkdir(parents=True)
    for name in ("acme_billing-2.2.0-py3-none-any.whl", "acme_billing-2.2.0.tar.gz"):
        (dist / name).write_bytes(b"made")
    monkeypatch.setenv("HOME", str(home))
    for name in ("NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(dist)
    return home


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function in a loop of its own; a plugin for this would be another dependency."""
    if not iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True
