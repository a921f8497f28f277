"""Work for a request that must not hold a worker: it runs on a thread of its own while the request is parked."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from localpi.errors import CannotKnow, Conflict
from localpi.index.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")

AT_ONCE = 8
KEPT_S = 60.0
"""How long a result waits for a request that does not come back: its client has gone."""


@dataclass(slots=True, eq=False)
class _Errand(Generic[T]):
    until: float
    ended: threading.Event = field(default_factory=threading.Event)
    result: T | None = None
    error: BaseException | None = None


class Errands(Generic[T]):
    """Errands of one kind, each for one request; `what` names them in refusals ("this push")."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._errands: dict[Hashable, _Errand[T]] = {}

    def ask(self, key: Hashable, work: Callable[[], T], *, begun: bool, lasts_s: float) -> T | Waiting:
        """Begin the work, or with `begun` (the request comes again) return what it brought, once.

        Raises what the work raised; `Conflict` when the same or too much is under way, `CannotKnow` after `lasts_s`.
        """
        with self._lock:
            errand = self._errands.get(key)
            if not begun:
                errand = self._begin(key, work, lasts_s)
                return Waiting(errand.ended.is_set, errand.until)
            if errand is not None and errand.ended.is_set():
                del self._errands[key]
        if errand is None:
            raise Conflict(f"{self._what} has ended already")
        if not errand.ended.is_set():
            if time.monotonic() < errand.until:
                return Waiting(errand.ended.is_set, errand.until)
            raise CannotKnow("of the target", f"{self._what} goes on, it takes longer than {lasts_s:.0f} s")
        if errand.error is not None:
            raise errand.error
        return errand.result  # type: ignore[return-value]  # set, where there is no error

    def _begin(self, key: Hashable, work: Callable[[], T], lasts_s: float) -> _Errand[T]:
        now = time.monotonic()
        for old in [k for k, one in self._errands.items() if one.ended.is_set() and now > one.until + KEPT_S]:
            del self._errands[old]
        known = self._errands.get(key)
        if known is not None and not known.ended.is_set():
            raise Conflict(f"{self._what} is under way already")
        if sum(not one.ended.is_set() for one in self._errands.values()) >= AT_ONCE:
            raise Conflict(f"{AT_ONCE} others are under way; {self._what} was not begun")
        errand: _Errand[T] = _Errand(now + lasts_s)
        self._errands[key] = errand
        threading.Thread(target=_run, args=(errand, work), name="errand", daemon=True).start()
        return errand


def _run(errand: _Errand[T], work: Callable[[], T]) -> None:
    try:
        errand.result = work()
    except BaseException as error:  # noqa: BLE001 - raised again where it is asked for
        errand.error = error
    finally:
        errand.ended.set()
