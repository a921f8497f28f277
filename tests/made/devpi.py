"""devpi's own programs: the client, run command by command, and the server."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

COMMAND_S = 110
START_S = 90.0

_NOISE = re.compile(
    r"(?m)^(?:.*no config file exists|always-set-cfg: .*|Warning: insecure http host.*|using workdir .*"
    r"|/.*\.(?:cfg|conf|toml): .*)\n"
)
_CHANGING = (
    (re.compile(r"https?://(?:\w+:[^@\s]+@)?(?:localhost|127\.0\.0\.1):\d+"), "URL"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"toxresult-\d{14}-\d+"), "toxresult-TIME"),
    (re.compile(r"/tmp/\S+|/private/\S+"), "PATH"),  # noqa: S108 - what is replaced
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left."""

    code: int
    output: str

    @property
    def plain(self) -> str:
        """The output without what differs from run to run."""
        text = _NOISE.sub("", self.output)
        for pattern, word in _CHANGING:
            text = pattern.sub(word, text)
        return text

    @property
    def statuses(self) -> list[int]:
        """The HTTP statuses of refusals that were printed."""
        return [int(found) for found in re.findall(r"(?m)^(\d{3}) ", self.output)]


@dataclass(frozen=True, slots=True)
class DevpiClient:
    """`devpi` with a home and a client folder of its own."""

    programs: Path
    home: Path
    environ: Mapping[str, str] = field(repr=False)

    def __call__(
        self, *arguments: str, cwd: Path | None = None, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> Ran:
        """Run one command; stdout and stderr are one, and passwords are asked for on stdin: it has no terminal.

        A variable of `environ` that is empty is taken away.
        """
        variables = {
            **self.environ,
            "HOME": str(self.home),
            "DEVPI_CLIENTDIR": str(self.home / "devpi"),
            "PATH": f"{self.programs}:{self.environ.get('PATH', '')}",
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_NO_CACHE_DIR": "1",
            **(environ or {}),
        }
        done = subprocess.run(
            [str(self.programs / "devpi"), *arguments],
            env={name: value for name, value in variables.items() if value},
            cwd=cwd or self.home,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S,
            check=False,
            start_new_session=True,
        )
        return Ran(done.returncode, done.stdout)

    def do(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run a command that has to succeed; its output."""
        ran = self(*arguments, cwd=cwd)
        assert ran.code == 0, ran.output
        return ran.output

    def log_in(self, url: str, user: str, password: str, index: str = "") -> None:
        """Use a server, make the user where it is missing, log in, and use an index."""
        self.do("use", url)
        self("user", "-c", user, f"password={password}")
        self.do("login", user, "--password", password)
        if index:
            self("index", "-c", index)
            self.do("use", f"{user}/{index}")


class DevpiServer:
    """A real devpi-server with the given folder; it never fetches a list of names, as it has no mirror of PyPI."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        if not self.folder.exists():
            self._run("devpi-init", "--no-root-pypi", "--root-passwd", "")
        log = self.folder.with_suffix(".log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [
                    str(self.programs / "devpi-server"), "--serverdir", str(self.folder), "--host", "127.0.0.1",
                    "--port", str(self.port), "--indexer-backend", "null", "--argon2-memory-cost", "1024",
                    "--argon2-time-cost", "1",
                ],
                stdout=log,
                stderr=log,
            )  # fmt: skip
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self.process.poll() is None, self.folder.with_suffix(".log").read_text()
            if self._answers():
                return self
            time.sleep(0.1)
        raise AssertionError(self.folder.with_suffix(".log").read_text())

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(15)

    def export(self, target: Path) -> Path:
        """Write a dump with devpi-export; the server must be stopped."""
        self._run("devpi-export", str(target))
        return target

    def import_dump(self, source: Path) -> None:
        """Read a dump with devpi-import into this server's folder, which must be new."""
        self._run("devpi-import", "--no-root-pypi", "--no-events", "--root-passwd", "", str(source))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), "--serverdir", str(self.folder), *arguments],
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/+api")
            return connection.getresponse().status == 200
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
