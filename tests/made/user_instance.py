"""A real systemd user instance of our own, apart from the machine's; commands are run beside it.

    with UserInstance(home) as instance:
        instance.run("systemctl", "--user", "status")

Needs root, systemd and a cgroup tree that may be written to: what is missing is a skip. Network and files are shared
with the test; processes and /run are not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import pytest

SCRIPT = Path(__file__).parent.parent / "service" / "user_instance.sh"
SKIP = 77
COMMAND_S = 120

SERVER = """
import json, os, subprocess, sys
print("here", os.environ["XDG_RUNTIME_DIR"], flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    environ = {**os.environ, **asked["environ"]}
    try:
        ran = subprocess.run(asked["words"], env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=110)
        answer = [ran.returncode, ran.stdout.decode("utf-8", "replace"), ran.stderr.decode("utf-8", "replace")]
    except subprocess.TimeoutExpired:
        answer = [124, "", "it took too long"]
    print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class UserInstance:
    """`systemd --user` with a home of its own; a context manager that starts and ends it."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.home = home
        self.runtime = ""
        """Its XDG_RUNTIME_DIR, as it is inside."""
        self._environ = {**os.environ, **environ}
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        words = [str(SCRIPT), str(self.home), sys.executable, "-c", SERVER]
        self._process = subprocess.Popen(
            words, env=self._environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        here, _, self.runtime = self._process.stdout.readline().strip().partition(" ")
        if here != "here":
            _, said = self._process.communicate(timeout=COMMAND_S)
            if self._process.returncode == SKIP:
                pytest.skip(f"no systemd user instance can be started here: {said.strip()}")
            raise AssertionError(said)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.communicate(timeout=COMMAND_S)

    def run(self, *words: str, **environ: str) -> Ran:
        """Run a command to its end."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"words": words, "environ": environ}) + "\n")
            self._process.stdin.flush()
            code, out, err = json.loads(self._process.stdout.readline())
        return Ran(code, out, err)

    def reaching(self, folder: Path) -> dict[str, str]:
        """Put a `systemctl` into a folder that speaks to this instance from outside; the environment that finds it."""
        assert self._process is not None
        below = psutil.Process(self._process.pid).children(recursive=True)
        server = [sys.executable, "-c", SERVER]
        inside = next(each.pid for each in below if _command(each) == server)
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "systemctl"
        spaces = f"--mount=/proc/{inside}/ns/mnt --pid=/proc/{inside}/ns/pid"
        program.write_text(f'#!/bin/sh\nexec nsenter {spaces} -- {shutil.which("systemctl")} "$@"\n')
        program.chmod(0o755)
        return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(self.home), "XDG_RUNTIME_DIR": self.runtime}

    def localpi(self, *arguments: str, **environ: str) -> Ran:
        """Run `localpi ARGUMENTS`."""
        return self.run(sys.executable, "-P", "-m", "localpi", *arguments, **environ)

    def systemctl(self, *arguments: str) -> Ran:
        """Run `systemctl --user ARGUMENTS`."""
        return self.run("systemctl", "--user", "--no-pager", *arguments)

    def shown(self, unit: str, *names: str) -> dict[str, str]:
        """Return properties of a unit."""
        ran = self.systemctl("show", unit, *(f"--property={name}" for name in names))
        return dict(line.split("=", 1) for line in ran.out.splitlines())


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
