"""A real nginx with a server block of ours in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
START_S = 20.0
STOP_S = 10.0

AROUND = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
{server}
}}
"""


class Nginx:
    """Serves `server`, which listens on `port`; a context manager. Skips where there is no nginx."""

    def __init__(self, folder: Path, server: str, port: int) -> None:
        self._folder, self._server, self._port = folder, server, port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), *PLACES)))
        if program is None:
            pytest.skip("there is no nginx here")
        (self._folder / "temp").mkdir(parents=True)
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = self._folder / "nginx.conf"
        configuration.write_text(AROUND.format(user=user, folder=self._folder, server=self._server))
        with (self._folder / "output.txt").open("wb") as output:
            self._process = subprocess.Popen(
                [program, "-p", str(self._folder), "-c", str(configuration)], stdout=output, stderr=output
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            said = (self._folder / "output.txt").read_text()
            assert self._process.poll() is None, said
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=5):
                return self
            time.sleep(0.02)
        raise AssertionError("nginx does not listen")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(STOP_S)


def free_port() -> int:
    """Return a port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def printed_for(daemon_environ: dict[str, str], python: str, outside_url: str) -> str:
    """Return what `localpi env --for nginx` prints."""
    return subprocess.run(
        [python, "-P", "-m", "localpi", "env", "--for", "nginx", "--outside-url", outside_url],
        env=daemon_environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
