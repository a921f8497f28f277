"""Kill -9 at any time: nothing promised is lost, nothing half is left."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

import localpi
from localpi.settings.paths import Paths
from localpi.store import open_store

ROUNDS = int(os.environ.get("LOCALPI_TEST_ROUNDS", "20"))
BUSY = Path(__file__).with_name("busy_process.py")


def work_until_killed(folder: Path, name: str, after_s: float) -> list[list[str]]:
    """Let a process work on the store for a while, kill it, and give the promises that it made."""
    environ = os.environ | {"PYTHONPATH": str(Path(localpi.__file__).parents[1])}
    command = [sys.executable, str(BUSY), str(folder), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        killer = threading.Timer(after_s, process.kill)
        killer.start()
        promises = [line.split() for line in process.stdout]
        killer.join()
    assert process.returncode == -signal.SIGKILL
    return promises


def find_contradictions(folder: Path, promises: list[list[str]]) -> list[str]:
    """Open the store as the next start would, and hold it against what was promised."""
    kept = {words[1]: words[2] for words in promises if words[0] == "kept"}
    removed = {words[1] for words in promises if words[0] == "removed"}
    wrong: list[str] = []
    with closing(open_store(Paths.under(folder))) as store:
        store.adopt_orphans()
        wrong += [str(problem) for problem in store.check(deep=True)]
        rows = {row["filename"]: row["sha256"] for row in store.own.read("SELECT filename, sha256 FROM files")}
        for filename, sha256 in kept.items():
            if (
                filename not in removed
                and rows.get(filename) != sha256
                and not store.releases.was_deleted("ann/dev", filename)
            ):
                wrong.append(f"lost: {filename}")
        wrong += [f"came back: {filename}" for filename in removed.intersection(rows)]
        for row in store.cache.read("SELECT content_type, body FROM pages LEFT JOIN bodies ON page = id"):
            if row["body"] is None or hashlib.sha256(row["body"]).hexdigest() != row["content_type"]:
                wrong.append("a half page")
        assert store.changes.serial() >= len(kept)
    return wrong


def kill_again_and_again(folder: Path, rounds: int) -> None:
    chance = random.Random(rounds)
    promises: list[list[str]] = []
    for number in range(rounds):
        promises += work_until_killed(folder, f"r{number}", chance.uniform(0.05, 0.6))
        assert find_contradictions(folder, promises) == []
    assert promises != []


def test_nothing_promised_is_lost(tmp_path: Path) -> None:
    """Uploads that were answered are there after a kill, all files are whole, the check finds nothing."""
    kill_again_and_again(tmp_path / "store", 3)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_nothing_promised_is_lost_often(tmp_path: Path) -> None:
    """The same, at many more points."""
    kill_again_and_again(tmp_path / "store", ROUNDS)
