from __future__ import annotations

import os
from pathlib import Path

import pytest
from wiring.desk import Desk


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """An empty home, no daemon, no virtual environment, none of the machine's own pip files."""
    home = Path(os.environ["HOME"])
    monkeypatch.setenv("LOCALPI_HOME", str(home / ".localpi"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(home / "etc"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return Desk(home, capsys)
