"""A real localpi daemon in a folder of its own, for tests to talk to."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

START_S = 30.0
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Daemon:
    """`python -m localpi serve` under `home`; a context manager that starts and stops it.

    `wrapper` is put before the command and has to become it (`exec`).
    """

    def __init__(self, home: Path, *, wrapper: Sequence[str] = (), **environ: str) -> None:
        self.home, self.wrapper = home, wrapper
        self.environ = {**os.environ, "LOCALPI_HOME": str(home), "LOCALPI_PORT": "0", **environ}
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- the process --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it answers; from then on it keeps its port over restarts."""
        self.home.mkdir(parents=True, exist_ok=True)
        output = (self.home / "output.txt").open("ab")
        with output:
            self.process = subprocess.Popen(
                [*self.wrapper, sys.executable, "-m", "localpi", "serve"],
                env=self.environ,
                stdout=output,
                stderr=output,
            )
        running = self.home / "runtime" / "daemon.json"
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.output}")
            with contextlib.suppress(OSError, ValueError, KeyError):
                facts = json.loads(running.read_text())
                if facts["pid"] == self.process.pid:
                    self.port = facts["port"]
                    self.environ["LOCALPI_PORT"] = str(self.port)
                    if self.get("/+health").status == 200:
                        return
            time.sleep(0.02)
        raise AssertionError(f"it did not answer within {START_S} s: {self.output}")

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_S)
            raise

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_S)

    @property
    def output(self) -> str:
        """What it printed."""
        return (self.home / "output.txt").read_text()

    @property
    def log(self) -> str:
        return (self.home / "logs" / "daemon.log").read_text()

    # -- talking to it ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def index_url(self) -> str:
        return f"{self.url}/root/local/+simple/"

    @property
    def owner(self) -> dict[str, str]:
        """The header by which the owner's tools act as root."""
        return {"Authorization": f"Bearer {(self.home / 'data' / 'owner.secret').read_text().strip()}"}

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        json_body: Any = None,
        timeout: float = 30.0,
    ) -> Reply:
        """Send one request on a connection of its own."""
        sent = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            data = answer.read()
            return Reply(answer.status, answer.reason, {k.lower(): v for k, v in answer.getheaders()}, data)

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def page(self, project: str, index: str = "root/local") -> Reply:
        """The JSON page of a project."""
        return self.get(f"/{index}/+simple/{project}/", Accept="application/vnd.pypi.simple.v1+json")

    def mirror(self, index: str, url: str, **settings: Any) -> None:
        """Point a mirror at an upstream, making it where it is missing."""
        settings = {"mirror_url": url, **settings}
        answer = self.request("PATCH", f"/{index}", headers=self.owner, json_body=settings)
        if answer.status == 404:
            answer = self.request("PUT", f"/{index}", headers=self.owner, json_body={"type": "mirror", **settings})
        assert answer.status in (200, 201), answer

    def index(self, index: str, **settings: Any) -> None:
        """Make a stage, or change it."""
        answer = self.request("PUT", f"/{index}", headers=self.owner, json_body=settings)
        if answer.status == 409:
            answer = self.request("PATCH", f"/{index}", headers=self.owner, json_body=settings)
        assert answer.status in (200, 201), answer

    def token(self, scope: str = "upload", **facts: Any) -> str:
        """Make a token."""
        answer = self.request("POST", "/+admin/tokens", headers=self.owner, json_body={"scope": scope, **facts})
        assert answer.status in (200, 201), answer
        token = answer.json()["token"]
        assert isinstance(token, str)
        return token


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic authentication (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
