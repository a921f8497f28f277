"""The server that `localpi env --server` describes, run as its image would run it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from localpi.setup.server_text import Server, compose_server, dockerfile_server
from made.daemon import Daemon, basic

SERVER = Server(port=3141, names=("pypi.example",))


def image_environ(data: Path) -> dict[str, str]:
    """What ENV of the Dockerfile and `environment` of compose.yaml say, the volume being a folder of ours."""
    image, compose = dockerfile_server(SERVER).text, compose_server(SERVER).text
    line = re.search(r"(?m)^ENV (.+)$", image)
    assert line is not None
    pairs = dict(word.split("=", 1) for word in shlex.split(line[1]))
    names = re.search(r'LOCALPI_ALLOWED_HOSTS: "(.*)"', compose)
    assert names is not None
    found = {name: value for name, value in pairs.items() if name.startswith("LOCALPI_")}
    assert found["LOCALPI_HOME"] == "/data"
    return found | {"LOCALPI_HOME": str(data), "LOCALPI_PORT": "0", "LOCALPI_ALLOWED_HOSTS": names[1]}


def checked(environ: dict[str, str]) -> int:
    """What the image's health check comes to."""
    command = re.search(r"HEALTHCHECK .* CMD (\[.*\])", dockerfile_server(SERVER).text)
    assert command is not None
    words = json.loads(command[1])
    assert words[0] == "localpi"
    ran = subprocess.run(
        [sys.executable, "-P", "-m", *words], env=environ, capture_output=True, timeout=60, check=False
    )
    return ran.returncode


def test_server_is_healthy_closed_and_knows_its_password(tmp_path: Path) -> None:
    """The health check asks the daemon; reading wants a credential; root has the password of the first start."""
    environ = image_environ(tmp_path / "data")
    with Daemon(tmp_path / "data", **environ, LOCALPI_ROOT_PASSWORD="first") as daemon:
        assert checked(daemon.environ) == 0
        page = "/root/local/+simple/"
        assert [daemon.get(page).status, daemon.get(page, Host="pypi.example").status] == [401, 401]
        assert daemon.get(page, Host="evil.example").status == 421
        assert daemon.request("GET", page, headers=basic("root", "first")).status == 200
        daemon.token("read")
    assert checked(daemon.environ) == 3
    with Daemon(tmp_path / "data", **environ, LOCALPI_OPEN_READING="1") as daemon:
        assert daemon.get(page, Host="pypi.example").status == 200
        assert daemon.request("POST", "/root/local/").status == 401


@pytest.mark.parametrize("secret", ["PASSWORD=first", "lp1_"])
def test_no_secret_is_in_what_is_printed(secret: str) -> None:
    """They are asked for when it runs."""
    assert secret not in dockerfile_server(SERVER).text + compose_server(SERVER).text
