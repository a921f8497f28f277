"""devpi's client against a daemon behind nginx, on a path of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from made.daemon import Daemon
from made.devpi import DevpiClient
from made.nginx import Nginx, free_port, printed_for
from made.upstream import MadeUpstream
from made.wheels import make_wheel

pytestmark = [pytest.mark.network, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.mark.parametrize("path", ["", "/py"])
def test_client_works_through_nginx(
    as_devpi: Daemon, upstream: MadeUpstream, devpi: Callable[..., DevpiClient], tmp_path: Path, path: str
) -> None:
    """Use, user, login, index, upload, list, install: every URL that it is told is the outside one."""
    upstream.add(*make_wheel("remote", "1.0"))
    name, content = make_wheel("own", "1.0")
    (tmp_path / name).write_bytes(content)
    port = free_port()
    url = f"http://127.0.0.1:{port}{path}"
    client = devpi()
    with Nginx(tmp_path / "nginx", printed_for(as_devpi.environ, sys.executable, url), port):
        client.log_in(url, "alice", "secret")
        client.do("index", "-c", "dev", "bases=root/pypi")
        assert f"{url}/alice/dev" in client.do("use", "alice/dev")
        client.do("upload", str(tmp_path / name))
        assert f"{url}/alice/dev/+f/" in client.do("list", "own")
        installed = client("install", "own", "remote")
        assert installed.code == 0, installed.output
