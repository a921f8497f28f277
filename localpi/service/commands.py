"""Running a service manager's program: within a deadline, with nothing to ask, its words kept."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_THERE = 127
"""The shell's exit code for a program that is not there; also for one that may not be run."""
TOO_LONG = 124
"""timeout(1)'s."""
MOST_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program left."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def said(self) -> str:
        """What it has to say about itself: the last line of stderr, else of stdout."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip()[:500] if lines else f"exit code {self.code}"


def run(words: Sequence[str], environ: Mapping[str, str], within_s: float) -> Ran:
    """Run a program to its end and return what it left; one that takes too long is killed. Never raises for it."""
    try:
        ran = subprocess.run(
            words,
            env={**environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ran(TOO_LONG, err=f"{words[0]} did not answer within {within_s:.0f} s")
    except OSError as error:
        return Ran(NOT_THERE, err=f"{words[0]}: {error.strerror}")
    return Ran(ran.returncode, _text(ran.stdout), _text(ran.stderr))


def _text(data: bytes) -> str:
    return data[:MOST_CHARACTERS].decode("utf-8", "replace")
