"""Rounds of measuring: within a round the servers take turns row by row, for the machine's speed changes."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import faults, measures, rows
from benchmarks.processes import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.measures import Bench, Values
    from benchmarks.nginx import Nginx
    from benchmarks.servers import Server

FAULT_MEASURES = {
    "swallow": measures.measure_swallow,
    "slow": measures.measure_slow,
    "waiting": measures.measure_waiting,
}


class Figures:
    """Values by row, server and round."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, dict[int, float]]] = {}

    def add(self, server: str, number: int, values: Values) -> None:
        """Add what was measured on a server in a round."""
        for key, value in values.items():
            self._values.setdefault(key, {}).setdefault(server, {})[number] = value

    def all(self, key: str, server: str) -> tuple[float, ...]:
        """Give the values of all rounds."""
        return tuple(self._values.get(key, {}).get(server, {}).values())

    def median(self, key: str, server: str) -> float | None:
        """Give the median over the rounds."""
        return median(found) if (found := self.all(key, server)) else None

    def ratio(self, key: str, server: str, other: str) -> float | None:
        """Give the median over the rounds of one server's value divided by the other's in the same round."""
        of = self._values.get(key, {})
        mine, others = of.get(server, {}), of.get(other, {})
        ratios = [mine[number] / others[number] for number in mine if others.get(number)]
        return median(ratios) if ratios else None


class Campaign:
    """Measures chosen rows on chosen servers; nginx is upstream of all and measured like them."""

    def __init__(
        self, nginx: Nginx, peers: Sequence[Server], bench: Bench, *, work: Path, say: Callable[[str], None]
    ) -> None:
        self.figures = Figures()
        self._nginx = nginx
        self._peers = peers
        self._bench = bench
        self._work = work
        self._say = say

    def run(self, chosen: Sequence[str], rounds: int) -> Figures:
        """Measure what is chosen in each of the rounds."""
        for number in range(1, rounds + 1):
            self._say(f"round {number} of {rounds}")
            with ExitStack() as stack:
                self._nginx.start_empty("")
                stack.callback(self._nginx.stop)
                self._round(number, chosen, stack)
            for measure in (name for name in rows.FAULTS if name in chosen):
                for server in self._peers:
                    self._try(number, server, measure, partial(self._fault, measure=measure))
        return self.figures

    def _round(self, number: int, chosen: Sequence[str], stack: ExitStack) -> None:
        hot = [measure for measure in rows.HOT if measure in chosen]
        running: list[Server] = [self._nginx]
        if hot or {"set", "start"} & set(chosen):
            for server in self._peers:
                stack.callback(server.stop)
                if self._try(number, server, "start", self._start_empty):
                    running.append(server)
        if "set" in chosen:
            for server in running:
                self._try(number, server, "set", partial(measures.measure_set, bench=self._bench))
        for measure in hot:
            for server in running:
                run = partial(measures.measure_hot, bench=self._bench, measure=measure)
                self._try(number, server, measure, run)
        for server in running[1:] if "start" in chosen else ():
            self._try(number, server, "start", self._restart)

    def _try(self, number: int, server: Server, measure: str, run: Callable[[Server], Values]) -> bool:
        """Measure; what goes wrong is said, and costs the one figure only."""
        try:
            values = run(server)
        except (BenchmarkError, OSError, ValueError) as error:
            self._say(f"  {measure}, {server.name}: {error}")
            self._bench.note(server, f"{measure}: {str(error)[:200]}")
            return False
        self.figures.add(server.name, number, values)
        if values:
            self._say(f"  {measure}, {server.name}: {', '.join(f'{key} {value:.4g}' for key, value in values.items())}")
        return True

    def _start_empty(self, server: Server) -> Values:
        seconds = server.start_empty(self._nginx.url)
        return {"start-empty": seconds}

    def _restart(self, server: Server) -> Values:
        server.stop()
        return {"start": server.start(self._nginx.url)}

    def _fault(self, server: Server, measure: str) -> Values:
        with faults.swallowing() if measure == "swallow" else faults.slow(self._work) as upstream:
            try:
                server.start_empty(upstream)
                return FAULT_MEASURES[measure](server, self._bench)
            finally:
                server.stop()
