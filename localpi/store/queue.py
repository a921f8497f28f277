"""What waits for the one writing thread of a database."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

MOST_LATER = 4096
MOST_WEIGHT = 32 << 20


@dataclass(slots=True, eq=False)
class Task:
    """One operation on its way through the writer; may run more than once, until the transaction around it holds.

    `weight` is the memory that it keeps, in bytes; `after` is told by the writer when it is committed or has failed,
    `failed`, where there is one, instead of it when it has failed.
    """

    operation: Callable[[sqlite3.Connection], Any]
    weight: int = 0
    after: Callable[[], None] | None = None
    failed: Callable[[], None] | None = None
    later: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: BaseException | None = None
    abandoned: bool = False


class WriteQueue:
    """First in, first out; bounded in number and weight for those who do not wait for the outcome."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tasks: deque[Task] = deque()
        self._later = self._weight = 0
        self.closed = False

    def put(self, task: Task, timeout_s: float) -> bool:
        """Add a task; False when it is closed, or when there was no room for a later one within the time."""
        with self._changed:
            if task.later and not self._changed.wait_for(lambda: self._has_room(task), timeout_s):
                return False
            if self.closed:
                return False
            self._tasks.append(task)
            self._count(task, 1)
            self._changed.notify_all()
            return True

    def take(self, most: int, timeout_s: float | None) -> list[Task]:
        """Take up to `most` tasks, waiting for the first; [] when the time is over, or closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._tasks or self.closed, timeout_s)
            taken = [self._tasks.popleft() for _ in range(min(most, len(self._tasks)))]
            for task in taken:
                self._count(task, -1)
            if taken:
                self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Take no more; what is in it can still be taken."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def is_drained(self) -> bool:
        """Whether it is closed and nothing is left in it."""
        with self._changed:
            return self.closed and not self._tasks

    def _has_room(self, task: Task) -> bool:
        fits = self._weight + task.weight <= MOST_WEIGHT or not self._weight
        return self.closed or (self._later < MOST_LATER and fits)

    def _count(self, task: Task, sign: int) -> None:
        self._later += sign * task.later
        self._weight += sign * task.weight
