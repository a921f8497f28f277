"""Upstreams that are slow or swallow what is sent to them, for as long as a `with` lasts."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING

from benchmarks.processes import HOST, TESTS, BenchmarkError, Process, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_FILLERS = 64
START_S = 30


@contextlib.contextmanager
def swallowing() -> Iterator[str]:
    """Give the root of an index where packets vanish: the queue of a listener that never accepts is kept full."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((HOST, 0))
        listening.listen(0)
        address = listening.getsockname()
        for _ in range(MOST_FILLERS):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.3)
            try:
                filler.connect(address)
            except TimeoutError:
                break
        else:
            raise BenchmarkError("no listener here swallows packets: its queue takes whatever comes")
        yield f"http://{HOST}:{address[1]}/simple/"


@contextlib.contextmanager
def slow(work: Path) -> Iterator[str]:
    """Give the root of an index that is slow in known ways (slow_upstream.py)."""
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.slow_upstream", str(port))
    process = Process(command, environ=os.environ, cwd=TESTS, log=work / "slow_upstream.log")
    try:
        process.wait_until_it_answers(port, "/simple/", deadline_s=START_S)
        yield f"http://{HOST}:{port}/simple/"
    finally:
        process.stop()
