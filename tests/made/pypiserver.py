"""pypiserver, as an intranet has it: a real index server in a process of its own, on a port that it keeps."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

START_S = 30.0


class PypiServer:
    """Serves a folder of packages; `fallback` is where it sends who asks for a name that it does not have."""

    def __init__(self, folder: Path, packages: Iterable[tuple[str, bytes]] = (), *, fallback: str = "") -> None:
        self.folder, self.fallback = folder, fallback
        folder.mkdir(parents=True, exist_ok=True)
        for filename, data in packages:
            (folder / filename).write_bytes(data)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The simple root, ending in a slash."""
        return f"http://127.0.0.1:{self.port}/simple/"

    def start(self) -> None:
        """Start it and wait until it answers."""
        elsewhere = ["--fallback-url", self.fallback] if self.fallback else ["--disable-fallback"]
        log = self.folder.with_suffix(".log")
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pypiserver", "run", "--interface", "127.0.0.1", "--port", str(self.port),
                 *elsewhere, str(self.folder)],
                stdout=output,
                stderr=output,
            )  # fmt: skip
        until = time.monotonic() + START_S
        while not self.answers():
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.01)

    def stop(self) -> None:
        """End the process, where it runs; nobody listens on its port then."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def answers(self) -> bool:
        """Whether it gives its list of projects."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/simple/")
            return connection.getresponse().status == 200
        return False
