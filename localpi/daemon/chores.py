"""What has to be done now and then, by one thread, one after the other."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

END_S = 5.0


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do `after_s` seconds after the start, and `every_s` seconds after it was done (None: once)."""

    name: str
    do: Callable[[], object]
    after_s: float = 0.0
    every_s: float | None = None


class Chores:
    """Runs chores from `start` to `stop`; one that fails is logged and comes round again."""

    def __init__(self, chores: Iterable[Chore]) -> None:
        started = time.monotonic()
        self._due = [(started + chore.after_s, chore) for chore in chores]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the chore at hand; waits END_S at most."""
        self._ended.set()
        self._thread.join(END_S)

    def _run(self) -> None:
        while self._due and not self._ended.is_set():
            position, (at, chore) = min(enumerate(self._due), key=lambda each: each[1][0])
            if self._ended.wait(max(0.0, at - time.monotonic())):
                return
            self._do(chore)
            del self._due[position]
            if chore.every_s is not None:
                self._due.append((time.monotonic() + chore.every_s, chore))

    def _do(self, chore: Chore) -> None:
        began = time.monotonic()
        try:
            outcome = chore.do()
        except Exception:
            logger.exception("%s failed", chore.name)
            return
        logger.debug("%s: %s, %.0f ms", chore.name, outcome, (time.monotonic() - began) * 1000)
