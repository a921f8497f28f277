"""File systems beside the one that tests run on."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- a file system of its own, on most Linux systems


@contextmanager
def other_disk(folder: Path) -> Iterator[Path]:
    """Give a folder on another file system than `folder`: one that is there, else a tmpfs; skips without either."""
    if os.access(SHARED_MEMORY, os.W_OK) and SHARED_MEMORY.stat().st_dev != folder.stat().st_dev:
        with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as name:
            yield Path(name)
        return
    with small_disk(folder / "other-disk", "64m") as mounted:
        yield mounted


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs of that size at a new folder; skips where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tmpfs")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
