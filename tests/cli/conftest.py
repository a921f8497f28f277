from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: exit code, data, narration."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The data as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """LOCALPI_HOME of this test; not made yet."""
    return tmp_path / "localpi"


@pytest.fixture
def run(home: Path) -> Run:
    """Run `localpi ARGUMENTS` in a process of its own, without a terminal."""

    def call(*arguments: str, stdin: str = "", **environ: str) -> Ran:
        ran = subprocess.run(
            [sys.executable, "-m", "localpi", *arguments],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "LOCALPI_HOME": str(home), **environ},
            input=stdin.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    return call
