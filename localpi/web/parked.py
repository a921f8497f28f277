"""A request that has to wait gives its thread back: it is parked, and runs again from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WAITED = "localpi.waited"
"""The environ key of a request that runs again: the monotonic second at which it was first parked."""


class Parked(BaseException):
    """Run this GET or HEAD again when `ready()` is true, and no later than `until` (time.monotonic).

    `repeatable`: it is another method, but knows from `WAITED` that it has begun already, and may run again as well.

    Raised before the first byte of an answer. It is a BaseException so that neither Flask nor an `except Exception`
    on the way takes it for an error; the channel catches it and hands the worker thread back.
    """

    def __init__(self, ready: Callable[[], bool], until: float, *, repeatable: bool = False) -> None:
        self.ready, self.until, self.repeatable = ready, until, repeatable
        super().__init__("parked")


def asked_at(environ: dict[str, object], now: float) -> float:
    """Say when the client first asked (monotonic seconds): a request that runs again keeps its first time."""
    waited = environ.get(WAITED)
    return waited if isinstance(waited, float) else now
