"""The servers that are measured, behind one face."""

from __future__ import annotations

import abc
import base64
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, ClassVar

from benchmarks.processes import HOST, BenchmarkError, Process, fetch, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

START_S = 60
INSTALL_S = 900


class Server(abc.ABC):
    """A server that can be started empty or with what it has; all it writes is below `home`.

    `upstream` is the root of a simple index, ending in "/".
    """

    name: ClassVar[str]
    health: ClassVar[str]  # answers 200 as soon as pages can be asked for

    def __init__(self, work: Path) -> None:
        self.home = work / "servers" / self.name
        self.port = 0
        self.process: Process | None = None

    @abc.abstractmethod
    def prepare(self, say: Callable[[str], None]) -> None:
        """Make ready what starting needs; raises BenchmarkError when this server cannot be had."""

    @abc.abstractmethod
    def version(self) -> str:
        """Give its version."""

    @abc.abstractmethod
    def command(self) -> Sequence[str]:
        """Give the command that runs it on `self.port`."""

    @abc.abstractmethod
    def page(self, project: str) -> str:
        """Give the path of a project's page."""

    def environ(self, upstream: str) -> dict[str, str]:
        """Give its environment: nothing outside can be reached, the proxy that it names takes no connection."""
        del upstream
        nowhere = f"http://{HOST}:9"
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), nowhere)
        loopback = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost")
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**kept, **proxies, **loopback, "HOME": str(self.home), "TMPDIR": str(self.home)}

    def initialize(self, upstream: str) -> None:  # noqa: B027  # most need nothing
        """Make what has to be there before an empty server's first start."""

    def point(self, upstream: str) -> None:  # noqa: B027  # some have it from their environment
        """Tell the running, empty server which upstream to mirror."""

    def start_empty(self, upstream: str) -> float:
        """Start it without any data; seconds until it answers."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        self.initialize(upstream)
        seconds = self.start(upstream)
        self.point(upstream)
        return seconds

    def start(self, upstream: str) -> float:
        """Start it with the data it has; seconds until it answers."""
        self.port = free_port()
        log = self.home.with_suffix(".log")
        self.process = Process(self.command(), environ=self.environ(upstream), cwd=self.home, log=log)
        try:
            return self.process.wait_until_it_answers(self.port, self.health, deadline_s=START_S)
        except BenchmarkError:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def memory(self) -> int:
        """Give its resident bytes."""
        return self.process.memory() if self.process else 0


class InVenv(Server):
    """A server that is a Python project, in a virtual environment of its own."""

    requirements: ClassVar[tuple[str, ...]]

    def __init__(self, work: Path) -> None:
        super().__init__(work)
        self.venv = work / "venvs" / self.name

    def prepare(self, say: Callable[[str], None]) -> None:
        """Make the environment once; delete the work folder's `venvs` for newer versions."""
        stamp = self.venv / "installed.json"
        wanted = json.dumps(self.requirements)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        say(f"{self.name}: installing {', '.join(self.requirements)}")
        shutil.rmtree(self.venv, ignore_errors=True)
        run_setup([sys.executable, "-m", "venv", str(self.venv)])
        run_setup([*self.pip_install(), *self.requirements])
        stamp.write_text(wanted, encoding="utf-8")

    def pip_install(self) -> list[str]:
        """Give the start of a command that installs into the environment."""
        return [str(self.venv / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]

    def script(self, name: str) -> str:
        """Give the path of a script of the environment."""
        return str(self.venv / "bin" / name)

    def installed(self, *projects: str) -> str:
        """Give the versions of projects in the environment."""
        code = "import sys, importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=', ')"
        return run_setup([self.script("python"), "-c", code, *projects]).strip()


class Devpi(InVenv):
    """devpi-server with one mirror; made without root/pypi, whose list of projects it would fetch."""

    name = "devpi"
    health = "/+api"
    requirements = ("devpi-server",)

    def version(self) -> str:
        """Give its version."""
        return self.installed("devpi-server")

    def initialize(self, upstream: str) -> None:
        """Make its database, with the empty password for root that devpi has by default."""
        command = [self.script("devpi-init"), "--no-root-pypi", "--serverdir", str(self.home / "data")]
        run_setup(command, environ=self.environ(upstream))

    def command(self) -> Sequence[str]:
        """Run it with its defaults."""
        data = str(self.home / "data")
        return (self.script("devpi-server"), "--serverdir", data, "--host", HOST, "--port", str(self.port))

    def point(self, upstream: str) -> None:
        """Make the mirror through its JSON API."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        login = json.dumps({"user": "root", "password": ""})
        status, _, body = fetch(self.port, "/+login", method="POST", headers=headers, body=login)
        if status != 200:
            raise BenchmarkError(f"devpi: login answered {status}")
        token = json.loads(body)["result"]["password"]
        headers["X-Devpi-Auth"] = base64.b64encode(f"root:{token}".encode()).decode()
        config = json.dumps({"type": "mirror", "mirror_url": upstream, "volatile": "False"})
        status, _, body = fetch(self.port, "/root/pypi", method="PUT", headers=headers, body=config)
        if status != 200:
            raise BenchmarkError(f"devpi: making the mirror answered {status}: {body[:300]!r}")

    def page(self, project: str) -> str:
        """Give the path on the mirror itself."""
        return f"/root/pypi/+simple/{project}/"


class Proxpi(InVenv):
    """proxpi under gunicorn: one worker, as its cache belongs to a process, with threads."""

    name = "proxpi"
    health = "/health"
    requirements = ("proxpi", "gunicorn")

    def version(self) -> str:
        """Give its version and gunicorn's."""
        return self.installed("proxpi", "gunicorn")

    def command(self) -> Sequence[str]:
        """Run it as its documentation does, with eight threads and without an access log."""
        options = ("--preload", "--workers", "1", "--threads", "8", "--bind", f"{HOST}:{self.port}")
        return (self.script("gunicorn"), *options, "proxpi.server:app")

    def environ(self, upstream: str) -> dict[str, str]:
        """Add the upstream and the folder for files."""
        own = {"PROXPI_INDEX_URL": upstream, "PROXPI_CACHE_DIR": str(self.home / "cache")}
        return super().environ(upstream) | own | {"PROXPI_LOGGING_LEVEL": "WARNING"}

    def page(self, project: str) -> str:
        """Give the path."""
        return f"/index/{project}/"


def run_setup(command: Sequence[str], *, environ: dict[str, str] | None = None) -> str:
    """Run a command to its end; its output."""
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    if run.returncode:
        raise BenchmarkError(f"{' '.join(command[:6])}: exit {run.returncode}: {(run.stderr or run.stdout)[-2_000:]}")
    return run.stdout
