from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from made.clients import pip
from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_wheel

REPOSITORY = Path(__file__).parent.parent.parent
WAIT_S = 40.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(400),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


class Terminal:
    """The TUI in tmux, as a person has it."""

    def __init__(self, folder: Path, home: Path, work: Path) -> None:
        self._tmux = ["tmux", "-S", str(folder / "tmux"), "-f", os.devnull]
        environ = {**os.environ, "LOCALPI_HOME": str(home), "PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color"}
        command = [*self._tmux, "new-session", "-d", "-s", "tui", "-x", "120", "-y", "36", "-c", str(work)]
        run = f"{sys.executable} -m localpi tui; echo ended with $?; cat"  # what it said stays on screen
        subprocess.run([*command, run], env=environ, check=True)

    def screen(self) -> str:
        command = [*self._tmux, "capture-pane", "-p", "-t", "tui"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def see(self, *texts: str) -> None:
        """Wait until all of these are on screen."""
        wait_until(lambda: all(text in self.screen() for text in texts), lambda: f"{texts} on\n{self.screen()}")

    def press(self, *keys: str) -> None:
        assert "ended with" not in (shown := self.screen()), shown
        for key in keys:
            subprocess.run([*self._tmux, "send-keys", "-t", "tui", key], check=True)

    def type(self, text: str) -> None:
        subprocess.run([*self._tmux, "send-keys", "-t", "tui", "-l", text], check=True)

    def end(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)


def wait_until(true: Callable[[], Any], told: Callable[[], str] = lambda: "") -> None:
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, told()
        time.sleep(0.1)


@pytest.fixture
def terminal(daemon: Daemon, tmp_path: Path) -> Iterator[Terminal]:
    work = tmp_path / "work"
    work.mkdir()
    name, data = make_wheel("acme-billing", "2.2.0")
    (work / name).write_bytes(data)
    opened = Terminal(tmp_path, daemon.home, work)
    yield opened
    opened.end()


def state_of(daemon: Daemon, index: str) -> str:
    return next((base["state"] for base in daemon.get("/+health").json()["bases"] if base["index"] == index), "")


def test_a_day_at_the_terminal(  # noqa: PLR0915 -- one day, in order
    terminal: Terminal, daemon: Daemon, tmp_path: Path
) -> None:
    """Add a base, see it go and come back, upload, push, pin, wire pip: each shows outside of the TUI."""
    daemon.index("root/stable", bases=["root/pypi"])
    with MadeUpstream() as intranet:
        intranet.add(*make_wheel("acme-core", "4.2.0"))
        terminal.see("Install from", "root/pypi", "running")

        terminal.press("3")
        terminal.see("Selected")
        terminal.press("n")
        terminal.see("Add a base")
        terminal.type(intranet.url)
        terminal.see(intranet.url)
        terminal.press("Enter")
        terminal.see("can be a base")
        terminal.press(*["Tab"] * 3, *["BSpace"] * 30)
        terminal.type("root/intranet")
        terminal.see("root/intranet")
        terminal.press("C-s")
        terminal.see("root/intranet added")
        assert daemon.get("/root/local").json()["result"]["bases"] == ["root/intranet", "root/pypi"]
        terminal.see("root/intranet")

        target = tmp_path / "downloaded"
        got = pip("download", "--no-deps", "-q", "-d", str(target), "--index-url", daemon.index_url, "acme-core")
        assert got.returncode == 0, got.stderr
        intranet.refuse()
        daemon.page("unheard-of")
        terminal.press("t")
        wait_until(lambda: state_of(daemon, "root/intranet") == "down")
        terminal.see("○ down")
        intranet.heal()
        wait_until(lambda: state_of(daemon, "root/intranet") == "ok")
        terminal.see("● running")

        terminal.press("2")
        terminal.see("Projects")
        terminal.press("u")
        terminal.see("Upload to root/local", "acme_billing-2.2.0")
        terminal.press("Down", "Enter")
        terminal.see("/work/acme")
        terminal.press("Enter")
        wait_until(lambda: daemon.page("acme-billing").status == 200, terminal.screen)
        terminal.see("acme-billing", "py3-none-any.whl")

        assert daemon.page("acme-billing", "root/stable").status != 200
        terminal.press("p")
        terminal.see("Push acme-billing 2.2.0 to")
        terminal.press("Enter")
        wait_until(lambda: daemon.page("acme-billing", "root/stable").status == 200, terminal.screen)

        terminal.press("4")
        terminal.see("acme-core")
        terminal.press("p")
        wait_until(lambda: pinned(daemon), terminal.screen)
        terminal.see("pinned")

        terminal.press("5")
        terminal.see("not wired")
        terminal.press("w")
        terminal.see("Wire pip?", "+index-url")
        terminal.press("y")
        config = Path(os.environ["HOME"]) / ".config" / "pip" / "pip.conf"
        wait_until(lambda: config.exists() and daemon.index_url in config.read_text(), terminal.screen)
        terminal.see("● wired")
        wired = pip(
            "download", "--no-deps", "-q", "-d", str(target), "acme-billing", environ={"PIP_CONFIG_FILE": str(config)}
        )
        assert wired.returncode == 0, wired.stderr

        terminal.press("q")
        terminal.see("ended with 0")


def pinned(daemon: Daemon) -> bool:
    answer = daemon.request("GET", "/+admin/cache?by=project&name=acme-core", headers=daemon.owner)
    return any(row["pinned"] for row in json.loads(answer.body)["rows"])
