"""Measure the terminal UI on a real daemon: `python tests/tui/measure.py`. Time to first frame, memory, idle processor.

The daemon mirrors nothing that is asked for here; the best of five starts counts, as the machine may be busy.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parent.parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]

from made.daemon import Daemon  # noqa: E402 -- the paths above come first

ROUNDS, IDLE_S = 5, 20.0


def start(home: Path) -> tuple[subprocess.Popen[bytes], int, float]:
    """Start it on a terminal of its own; returns the process, the terminal and the seconds until the first frame."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "LOCALPI_HOME": str(home), "PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color",
               "COLUMNS": "120", "LINES": "36"}  # fmt: skip
    begun = time.monotonic()
    command = [sys.executable, "-m", "localpi", "tui"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True)
    os.close(theirs)
    drawn = b""
    while b"Install from" not in drawn and time.monotonic() - begun < 30:
        drawn += read(ours, 0.5)
    return process, ours, time.monotonic() - begun


def read(terminal: int, within_s: float) -> bytes:
    """Return what was drawn; an unread terminal would stop the drawing."""
    try:
        return os.read(terminal, 65536) if select.select([terminal], [], [], within_s)[0] else b""
    except OSError:  # EIO: nobody draws any more
        return b""


def end(process: subprocess.Popen[bytes], terminal: int) -> None:
    """End it."""
    process.send_signal(signal.SIGTERM)
    until = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < until:
        read(terminal, 0.1)
    process.kill()
    process.wait()
    os.close(terminal)


def main() -> None:
    """Print one line for each measure."""
    with tempfile.TemporaryDirectory() as folder, Daemon(Path(folder) / "localpi") as daemon:
        firsts = []
        for _ in range(ROUNDS):
            process, terminal, first = start(daemon.home)
            firsts.append(first)
            end(process, terminal)
        process, terminal, _ = start(daemon.home)
        settled = time.monotonic() + 5
        while time.monotonic() < settled:
            read(terminal, 0.2)
        shown = psutil.Process(process.pid)
        before, begun = shown.cpu_times(), time.monotonic()
        while time.monotonic() < begun + IDLE_S:
            read(terminal, 0.2)
        after = shown.cpu_times()
        used = after.user + after.system - before.user - before.system
        print(f"first frame    {min(firsts):.2f} s (of {', '.join(f'{each:.2f}' for each in firsts)})")
        print(f"memory         {shown.memory_info().rss / 1e6:.0f} MB")
        print(f"idle processor {used / IDLE_S:.2%} of one core")
        end(process, terminal)


if __name__ == "__main__":
    main()
