"""Chores: in their time, one after the other, and not stopped by one that fails."""

from __future__ import annotations

import threading
import time

from localpi.daemon.chores import Chore, Chores
from made.loops import wait_for


def test_chores_are_done_in_their_time() -> None:
    """Once, or again and again."""
    done: list[str] = []
    chores = Chores(
        [
            Chore("late", lambda: done.append("late"), 60.0),
            Chore("second", lambda: done.append("second"), 0.05),
            Chore("first", lambda: done.append("first")),
            Chore("again", lambda: done.append("again"), 0.1, 0.01),
        ]
    )
    chores.start()
    wait_for(lambda: done.count("again") >= 3)
    chores.stop()

    assert done[:2] == ["first", "second"]
    assert set(done[2:]) == {"again"}


def test_chore_that_fails_comes_round_again() -> None:
    """And does not keep others from their turn."""
    tries: list[int] = []
    others: list[int] = []

    def fails() -> None:
        tries.append(1)
        raise ZeroDivisionError

    chores = Chores([Chore("fails", fails, 0.0, 0.01), Chore("other", lambda: others.append(1), 0.0, 0.01)])
    chores.start()
    wait_for(lambda: len(tries) >= 2 and len(others) >= 2)
    chores.stop()


def test_stop_does_not_wait_for_what_is_not_due() -> None:
    """The end is at once."""
    chores = Chores([Chore("hourly", lambda: None, 3600.0, 3600.0)])
    chores.start()
    began = time.monotonic()
    chores.stop()

    assert time.monotonic() - began < 2
    assert all(thread.name != "chores" for thread in threading.enumerate())
