"""Calls of the desk off the UI's thread: each with a deadline, a bound on how many, and a look at what comes back.

The threads are daemons: an executor's would hold up the end of the program for as long as a call hangs.
"""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, get_type_hints

from localpi.errors import LocalpiError
from localpi.tui.desk import DRAWERS
from localpi.tui.shapes import fits

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

DEADLINE_S = 20.0
LONG_S = 3600.0
"""For uploads and verification, whose progress is shown."""
MOST = 32
"""Calls under way at a time; those that hang keep their thread until they end by themselves."""


class TooSlow(LocalpiError):  # noqa: N818 -- as in errors.py
    """No answer in time."""

    code = "too-slow"
    title = "No answer"
    hint = "try again with F5; localpi status and localpi logs tell more"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"nothing came within {seconds:g} s")


class TooMany(LocalpiError):  # noqa: N818 -- as in errors.py
    """Too many calls hang."""

    code = "too-many-calls"
    title = "Too much is waiting for an answer"
    hint = "wait a moment; if nothing moves, restart the daemon: localpi down && localpi up"


class Nonsense(LocalpiError):  # noqa: N818 -- as in errors.py
    """What came back is not what was asked for."""

    code = "nonsense"
    title = "The answer makes no sense"
    hint = "the daemon may be of another version: localpi down && localpi up"

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        super().__init__(f"{name.replace('_', ' ')}: got {repr(value)[:80]}")


class Calls:
    """What is under way."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self.deadline_s = deadline_s
        self._under_way = 0
        self._lock = threading.Lock()

    @property
    def under_way(self) -> int:
        """How many have not come back."""
        return self._under_way

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a method of the desk returns.

        Raises what it raises, TooSlow, TooMany, and Nonsense for what is not of the type that the desk promises.
        """
        return await self._run(self.deadline_s, call, *args, **kwargs)

    async def long(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return it as above, with an hour's time."""
        return await self._run(LONG_S, call, *args, **kwargs)

    async def _run(self, within_s: float, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with self._lock:
            if self._under_way >= MOST:
                raise TooMany(f"{MOST} calls have not come back yet")
            self._under_way += 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result, error = call(*args, **kwargs), None
            except BaseException as raised:  # noqa: BLE001 -- carried over to the asker
                result, error = None, raised
            with self._lock:
                self._under_way -= 1
            try:
                loop.call_soon_threadsafe(_settle, answer, result, error)
            except RuntimeError:  # the program has ended meanwhile
                return

        threading.Thread(target=work, daemon=True, name=f"desk-{call.__name__}").start()
        try:
            value = await asyncio.wait_for(answer, within_s)
        except TimeoutError:
            if answer.done() and not answer.cancelled():
                raise  # the call's own
            raise TooSlow(within_s) from None
        promised = _promises().get(call.__name__, Any)
        if not fits(value, promised):
            raise Nonsense(call.__name__, value)
        return value


def _settle(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    elif isinstance(error, Exception) and not isinstance(error, StopIteration):
        answer.set_exception(error)
    else:
        answer.set_exception(RuntimeError(repr(error)))


@cache
def _promises() -> dict[str, Any]:
    """Return method of the desk -> the type that it promises; their names differ."""
    return {
        name: get_type_hints(method)["return"]
        for drawer in DRAWERS
        for name, method in vars(drawer).items()
        if callable(method) and not name.startswith("_")
    }
