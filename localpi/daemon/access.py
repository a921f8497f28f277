"""One line per answered request: who asked what, the status, how long it took. No query strings, no control signs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localpi.daemon.task import Task

logger = logging.getLogger("localpi.access")
_LONGEST = 300


def note(task: Task) -> None:
    """Log an answer. Hits only at level debug: a line costs as much as a third of a hit."""
    level = logging.DEBUG if task.request.hot is not None else logging.INFO
    if logger.isEnabledFor(level):
        request = task.request
        milliseconds = (time.time() - task.start_time) * 1000
        size = task.content_length if task.content_length is not None else "-"
        logger.log(
            level, "%s %s %s %s %s %.0f ms", task.channel.addr[0], request.command, shown(request.path),
            task.status[:3], size, milliseconds,
        )  # fmt: skip


def shown(path: str) -> str:
    """Return a path for the log: short, one word, and no control signs (log injection)."""
    return ascii(path[:_LONGEST])[1:-1].replace(" ", "%20")
