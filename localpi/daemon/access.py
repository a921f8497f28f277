"""One line per answered request: who asked what, the status, how long it took. No query strings, no control signs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localpi.daemon.task import Task
    from localpi.web.hot import Hot

logger = logging.getLogger("localpi.access")
_LONGEST = 300
HITS_A_SECOND = 20
"""Lines. One costs as much as a third of a hit; so many of them cost nothing, and show every install by hand."""
_OWNER = "Bearer lpo_"
_POLLED = frozenset({"/+health", "/+metrics"})
_second, _hits = 0, 0


def note(task: Task) -> None:
    """Log an answer, at the level that it has for a person who watches."""
    request = task.request
    level = logging.INFO if _is_told(task) else logging.DEBUG
    if logger.isEnabledFor(level):
        milliseconds = (time.time() - task.start_time) * 1000
        size = task.content_length if task.content_length is not None else "-"
        logger.log(
            level, "%s %s %s %s %s %.0f ms", task.channel.addr[0], request.command, shown(request.path),
            task.status[:3], size, milliseconds,
        )  # fmt: skip


def note_hit(client: str, method: str, path: str, hot: Hot, now: float) -> None:
    """Log a hit: of many in a second the first ones, the others at debug level; `now` is time.time."""
    level = logging.INFO if _is_among_first(int(now)) else logging.DEBUG
    if logger.isEnabledFor(level):
        size = dict(hot.headers).get("Content-Length", "-")
        logger.log(level, "%s %s %s %s %s 0 ms", client, method, shown(path), hot.status[:3], size)


def _is_told(task: Task) -> bool:
    """Say whether it is more than debugging: not what only looks, every few seconds."""
    request = task.request
    looks = request.command in ("GET", "HEAD") and task.status[:2] in ("20", "30")
    return not (looks and (request.path in _POLLED or request.headers.get("AUTHORIZATION", "").startswith(_OWNER)))


def _is_among_first(second: int) -> bool:
    """Count a hit; the serving loop's thread alone has hits."""
    global _second, _hits  # noqa: PLW0603 -- one count for the process, as there is one log
    if second != _second:
        _second, _hits = second, 0
    _hits += 1
    return _hits <= HITS_A_SECOND


def shown(path: str) -> str:
    """Return a path for the log: short, one word, and no control signs (log injection)."""
    return ascii(path[:_LONGEST])[1:-1].replace(" ", "%20")
