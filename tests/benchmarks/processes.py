"""Processes that the benchmark starts, and ends again: these and no others."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST = "127.0.0.1"
TESTS = Path(__file__).resolve().parents[1]
STOP_S = 15


class BenchmarkError(Exception):
    """A part of the benchmark could not be had; the sentence says what and why."""


class Process:
    """A started process with its descendants, in a session of its own."""

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.started = time.monotonic()
            self._popen = subprocess.Popen(
                command,
                env=dict(environ),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Say whether it still runs."""
        return self._popen.poll() is None

    def memory(self) -> int:
        """Give the resident bytes of the process and its descendants, shared pages counted in each."""
        total = 0
        try:
            process = psutil.Process(self._popen.pid)
            for member in [process, *process.children(recursive=True)]:
                total += member.memory_info().rss
        except psutil.NoSuchProcess:
            return total
        return total

    def stop(self) -> None:
        """Ask it to end, then end its session."""
        if self.alive():
            self._popen.terminate()
        try:
            self._popen.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._popen.pid, signal.SIGKILL)  # the session's leader is our own child, not yet reaped
            self._popen.wait(STOP_S)

    def wait_until_it_answers(self, port: int, path: str, *, deadline_s: float) -> float:
        """Wait for a 200; seconds since the start of the process."""
        while time.monotonic() < self.started + deadline_s:
            if not self.alive():
                raise BenchmarkError(f"{self.log.name}: ended with {self._popen.returncode}:\n{self.tail()}")
            try:
                if fetch(port, path, deadline_s=5)[0] == 200:
                    return time.monotonic() - self.started
            except (OSError, http.client.HTTPException):
                pass  # not yet listening
            time.sleep(0.005)
        raise BenchmarkError(f"{self.log.name}: no answer in {deadline_s:.0f} s:\n{self.tail()}")

    def tail(self) -> str:
        """Give the end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]


def fetch(
    port: int,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    deadline_s: float = 60,
) -> tuple[int, dict[str, str], bytes]:
    """Make one request of a server here: status, headers with lower-case names, body."""
    connection = http.client.HTTPConnection(HOST, port, timeout=deadline_s)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def free_port() -> int:
    """Give a port that nothing listens on."""
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def run_module(name: str, plan: str, *, deadline_s: float) -> str:
    """Run a client of the benchmark in a process of its own: plan on stdin, result from stdout."""
    run = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}"],
        cwd=TESTS,
        input=plan,
        capture_output=True,
        text=True,
        check=False,
        timeout=deadline_s,
    )
    if run.returncode:
        raise BenchmarkError(f"{name}: {run.stderr[-2_000:]}")
    return run.stdout


def start_module(name: str, plan: str) -> subprocess.Popen[str]:
    """Start such a client beside others; `finish_module` waits for it."""
    client = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{name}"],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert client.stdin is not None
    client.stdin.write(plan)
    client.stdin.close()
    client.stdin = None
    return client


def finish_module(client: subprocess.Popen[str], *, deadline_s: float) -> str:
    """Give what a started client found; it is ended when that takes too long."""
    try:
        output, errors = client.communicate(timeout=deadline_s)
    except subprocess.TimeoutExpired:
        client.kill()
        client.communicate()
        raise BenchmarkError("a client did not end in time") from None
    if client.returncode:
        raise BenchmarkError(f"a client failed: {errors[-2_000:]}")
    return output
