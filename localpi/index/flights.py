"""Single flight: at most one fetch per (source, project), on a bounded number of threads per source.

No executor: its threads hold up the exit of the process. A finished flight stays for a second, for those who asked
while it was under way and come back for what it brought.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

log = logging.getLogger(__name__)

THREADS_PER_LANE = 8
KEPT_S = 1.0

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Flight(Generic[T]):
    """One errand under way or just ended.

    `until`: monotonic time after which nobody should go on waiting for it. `result`: what it brought, or None while it
    is under way, or when its work failed unexpectedly (then `error` says so).
    """

    work: Callable[[], T]
    until: float
    landed: threading.Event = field(default_factory=threading.Event)
    result: T | None = None
    error: BaseException | None = None
    landed_at: float = 0.0

    def has_landed(self) -> bool:
        """Whether it is over, well or not."""
        return self.landed.is_set()


class Flights(Generic[T]):
    """The flights of one kind: `lane` groups those that share their threads, `key` names one."""

    def __init__(self, name: str, *, threads_per_lane: int = THREADS_PER_LANE) -> None:
        self._name = name
        self._threads_per_lane = threads_per_lane
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight[T]] = {}
        self._waiting: dict[Hashable, deque[Flight[T]]] = {}
        self._running: dict[Hashable, int] = {}

    def find(self, key: Hashable) -> Flight[T] | None:
        """Return the flight of that key that is under way or landed less than a second ago."""
        with self._lock:
            return self._current(key)

    def join(self, lane: Hashable, key: Hashable, work: Callable[[], T], lasts_s: float) -> Flight[T]:
        """Return the flight of that key that is under way, or start one.

        `lasts_s`: how long the work takes at most; the wait for a free thread is added where the lane is full.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None and not flight.has_landed():
                return flight
            queue = self._waiting.setdefault(lane, deque())
            rounds = 1 + len(queue) // self._threads_per_lane
            flight = self._flights[key] = Flight(work, until=time.monotonic() + lasts_s * rounds)
            queue.append(flight)
            if self._running.get(lane, 0) < self._threads_per_lane:
                self._running[lane] = self._running.get(lane, 0) + 1
                threading.Thread(target=self._fly, args=(lane,), name=f"{self._name}", daemon=True).start()
            return flight

    def under_way(self) -> int:
        """Return how many have not landed."""
        with self._lock:
            return sum(not flight.has_landed() for flight in self._flights.values())

    def _current(self, key: Hashable) -> Flight[T] | None:
        flight = self._flights.get(key)
        if flight is not None and flight.has_landed() and time.monotonic() - flight.landed_at > KEPT_S:
            del self._flights[key]
            return None
        return flight

    def _fly(self, lane: Hashable) -> None:
        while True:
            with self._lock:
                queue = self._waiting[lane]
                if not queue:
                    self._running[lane] -= 1
                    if not self._running[lane]:
                        del self._running[lane], self._waiting[lane]
                    self._forget_old()
                    return
                flight = queue.popleft()
            try:
                flight.result = flight.work()
            except Exception as error:  # the thread has to live on for the others in its lane
                log.exception("a flight of %s failed", self._name)
                flight.error = error
            flight.landed_at = time.monotonic()
            flight.landed.set()

    def _forget_old(self) -> None:
        now = time.monotonic()
        old = [key for key, one in self._flights.items() if one.has_landed() and now - one.landed_at > KEPT_S]
        for key in old:
            del self._flights[key]
