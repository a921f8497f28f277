"""From a Lima machine, through a network like Lima's, with exactly the variables that are printed."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from made.daemon import Daemon
from made.wheels import make_wheel

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
SKIP = 77


def printed_variables(daemon: Daemon, form: str) -> dict[str, str]:
    """What `localpi env --for FORM` prints for `run`, taken apart as a shell would."""
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "localpi", "env", "--for", form],
        env=daemon.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    words = shlex.split(ran.stdout)
    return dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-e")


@pytest.mark.parametrize("form", ["nerdctl", "docker"])
def test_lima_machine_installs_and_may_not_write(tmp_path: Path, form: str) -> None:
    """Pip and uv install, links lead to the name that was used; no token no writing, no known Host no reading."""
    from uv import find_uv_bin  # noqa: PLC0415 -- a test without uv needs none of it

    with Daemon(tmp_path / "localpi", PYTHONPATH=_path()) as daemon:
        name, content = make_wheel("demo", "1.0")
        _upload(daemon, tmp_path / name, content)
        token = daemon.token()
        variables = printed_variables(daemon, form)
    newer, content = make_wheel("demo", "2.0")
    (tmp_path / newer).write_bytes(content)
    host = shlex.join(["exec", sys.executable, "-P", "-m", "localpi", "serve"])
    given = [f"{key}={value}" for key, value in variables.items()]
    asked = [str(HERE / "in_guest.py"), str(tmp_path), find_uv_bin(), token, str(tmp_path / newer)]
    guest = ["env", *given, "PIP_CONFIG_FILE=/dev/null", sys.executable, *asked]
    ran = subprocess.run(
        [str(HERE / "lima.sh"), host, shlex.join(guest)],
        env=daemon.environ,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    if ran.returncode == SKIP:
        pytest.skip(f"Lima's network cannot be made here: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    expected = {"nerdctl": "host.lima.internal", "docker": "host.docker.internal"}[form]
    assert (found["host"], variables["PIP_TRUSTED_HOST"]) == (expected, expected)
    assert set(variables) == {"PIP_INDEX_URL", "PIP_TRUSTED_HOST", "UV_DEFAULT_INDEX"}
    assert (found["pip"][0], found["uv"][0], found["publish"][0]) == (0, 0, 0), found
    assert (tmp_path / "pip" / name).read_bytes()
    assert (tmp_path / "uv" / "demo" / "__init__.py").exists()
    assert found["page"] == 200
    assert [link.partition("/root/")[0] for link in found["links"]] == [f"http://{expected}:{daemon.port}"]
    assert (found["write"], found["admin"], found["forged"]) == ([401, 403, 403], 401, [421] * 3)
    assert found["own loopback"] == "ConnectionRefusedError"


def _path() -> str:
    return os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])


def _upload(daemon: Daemon, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    subprocess.run(
        [sys.executable, "-P", "-m", "localpi", "upload", str(path)], env=daemon.environ, timeout=60, check=True
    )
