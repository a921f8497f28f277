"""How large a file is whose page does not say: learnt with a range request of one byte, not by fetching it."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from localpi.index.flights import Flights
from localpi.index.waiting import Waiting
from localpi.upstream.outcomes import Missing, Unreachable
from localpi.upstream.pieces import Piece, Unranged

if TYPE_CHECKING:
    from localpi.index.downloads import Wanted
    from localpi.index.watch import Watch
    from localpi.upstream import Upstream

LOOK_S = 8.0
MOST = 8192


class Sizes:
    """Asks upstreams for sizes; never waits for the network where it is asked."""

    def __init__(self, upstream: Upstream, watch: Watch) -> None:
        self._upstream, self._watch = upstream, watch
        self._flights: Flights[Piece | Unranged | Missing | Unreachable] = Flights("size")
        self._known: OrderedDict[str, int] = OrderedDict()

    def find(self, wanted: Wanted) -> int | Missing | Unreachable | Waiting | None:
        """Give the size in bytes, why there is none to be had, or None where only fetching the file will tell."""
        if wanted.size is not None:
            return wanted.size
        known = self._known.get(wanted.url)
        if known is not None:
            return known
        flight = self._flights.find(wanted.url)
        if flight is None:
            flight = self._flights.join(wanted.mirror.source, wanted.url, lambda: self._ask(wanted), LOOK_S)
        if not flight.has_landed():
            now = time.monotonic()
            if now >= flight.until:
                return Unreachable("timeout", "does not answer")
            mirror = wanted.mirror
            return Waiting(
                lambda: flight.has_landed() or not self._watch.reachable(mirror), min(flight.until, now + 1.0)
            )
        result = flight.result
        return result.total if isinstance(result, Piece | Unranged) else result

    def _ask(self, wanted: Wanted) -> Piece | Unranged | Missing | Unreachable:
        outcome = self._upstream.read_range(wanted.mirror.upstream, wanted.url, first=0, length=1, deadline_s=LOOK_S)
        if isinstance(outcome, Piece | Unranged) and outcome.total is not None:
            self._known[wanted.url] = outcome.total
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return outcome
