"""Measure the terminal UI: `python tests/tui/measure.py`.

First frame, memory and idle processor on a real daemon; what filtering and scrolling 10,000 projects costs on a made
one.

The daemon mirrors nothing that is asked for here; the best of five starts counts, as the machine may be busy.
"""

from __future__ import annotations

import asyncio
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

from localpi.tui.app import LocalpiApp  # noqa: E402 -- the paths above come first
from made.daemon import Daemon  # noqa: E402 -- as above
from made.desk import full_state, made_desk  # noqa: E402 -- as above
from made.pictures import NOW, press  # noqa: E402 -- as above

ROUNDS, IDLE_S = 5, 20.0
PROJECTS, STEPS = 10_000, 100


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


async def measure_list() -> None:
    """Print what a key of the filter and a step of the cursor take, until it is drawn, with 10,000 projects."""
    state = full_state()
    for number in range(PROJECTS):
        state.releases["root/local", f"project-{number:05}"] = ()
    app = LocalpiApp(made_desk(state), look_s=3600, now=lambda: NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "2", "slash")
        took = []
        for key in "project-09":
            begun, cpu = time.perf_counter(), time.thread_time()
            await pilot.press(key)
            await pilot.pause()
            took.append((time.perf_counter() - begun, time.thread_time() - cpu))
        print(f"filter 10,000  {told(took)} for each key")
        await press(pilot, "escape")
        took = []
        for _ in range(STEPS):
            begun, cpu = time.perf_counter(), time.thread_time()
            await pilot.press("pagedown")
            await pilot.pause()
            took.append((time.perf_counter() - begun, time.thread_time() - cpu))
        print(f"scroll 10,000  {told(took)} for each page")


def told(took: list[tuple[float, float]]) -> str:
    """Write the median and the longest, by the clock and by the processor."""
    walls, cpus = sorted(wall for wall, _ in took), sorted(cpu for _, cpu in took)
    half = len(took) // 2
    return f"{walls[half] * 1000:.0f} ms (longest {walls[-1] * 1000:.0f}; processor {cpus[half] * 1000:.0f})"


def main() -> None:
    """Print one line for each measure."""
    asyncio.run(measure_list())
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
