"""One daemon per data folder."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from localpi.daemon.lock import held
from localpi.errors import AlreadyRunning

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import pathlib, sys
from localpi.daemon.lock import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_holder_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    """Killed, it gives the lock back as well: no pid file is left to be wrong."""
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning) as caught, held(path):
            pass
        process.kill()
        process.wait()
    with held(path):
        pass
    with held(path):
        pass

    assert caught.value.where == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
