"""Ask for one page again and again, closed loop or at a pace; a process of its own, plan on stdin.

Stands in for `wrk` where that is not installed, and is the slow, even asker while something else goes on: what has
no answer when time is up counts with the time it has waited.
"""

from __future__ import annotations

import heapq
import json
import selectors
import sys
import time
from dataclasses import asdict, dataclass

from benchmarks.exchange import BUFFER, BrokenExchangeError, Connection, get

PAUSE_AFTER_FAILURE_S = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask for; `pace_s` is the least time between two requests of a connection, 0 for a closed loop."""

    host: str
    port: int
    path: str
    headers: dict[str, str]
    connections: int
    seconds: float
    pace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """How it went; latencies in seconds, `failed` counts other statuses than 200 and 304 and broken exchanges."""

    requests: int
    seconds: float
    p50_s: float
    p99_s: float
    max_s: float
    failed: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def load(plan: Plan) -> Load:
    """Ask until time is up and say how it went."""
    latencies: list[float] = []
    failed = 0
    buffer = memoryview(bytearray(BUFFER))
    request = get(plan.path, f"{plan.host}:{plan.port}", plan.headers)
    started = time.monotonic()
    with selectors.DefaultSelector() as selector:
        lanes = [_Lane((plan.host, plan.port), request, selector) for _ in range(plan.connections)]
        due = [(started + plan.pace_s * number / plan.connections, number) for number in range(plan.connections)]
        while (now := time.monotonic()) < started + plan.seconds:
            while due and due[0][0] <= now:
                number = heapq.heappop(due)[1]
                if not lanes[number].ask(now):
                    failed += 1
                    heapq.heappush(due, (now + PAUSE_AFTER_FAILURE_S, number))
            until = min([started + plan.seconds, *(at for at, _ in due[:1])])
            for key, _ in selector.select(max(0.0, until - now)):
                lane: _Lane = key.data
                outcome = lane.readable(buffer)
                if outcome is None:
                    continue
                at = time.monotonic()
                if outcome:
                    latencies.append(at - lane.asked_at)
                failed += not outcome
                next_at = max(lane.asked_at + plan.pace_s, at) if outcome else at + PAUSE_AFTER_FAILURE_S
                heapq.heappush(due, (next_at, lanes.index(lane)))
        ended = time.monotonic()
        answered = len(latencies)
        latencies += [ended - lane.asked_at for lane in lanes if lane.waiting]
        for lane in lanes:
            lane.close()
    latencies.sort()
    return Load(
        requests=answered,
        seconds=ended - started,
        p50_s=_quantile(latencies, 0.5),
        p99_s=_quantile(latencies, 0.99),
        max_s=_quantile(latencies, 1.0),
        failed=failed,
    )


class _Lane:
    """One connection and the request it waits for."""

    def __init__(self, address: tuple[str, int], request: bytes, selector: selectors.BaseSelector) -> None:
        self.asked_at = 0.0
        self.waiting = False
        self._address = address
        self._request = request
        self._selector = selector
        self._connection: Connection | None = None

    def ask(self, now: float) -> bool:
        """Send the request; whether it could be sent."""
        try:
            if self._connection is None or self._connection.ended:
                self.close()
                self._connection = Connection(self._address)
                self._selector.register(self._connection.socket, selectors.EVENT_READ, self)
            self._connection.send(self._request, keep=False)
        except (BrokenExchangeError, OSError):
            return False
        self.asked_at, self.waiting = now, True
        return True

    def readable(self, buffer: memoryview) -> bool | None:
        """Take what came; None while the answer is not complete, then whether it is a good one."""
        assert self._connection is not None
        try:
            answer = self._connection.receive(buffer)
        except BrokenExchangeError:
            self.close()
            self.waiting = False
            return False
        if answer is None:
            return None
        self.waiting = False
        return answer.status in {200, 304}

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._selector.unregister(self._connection.socket)
            self._connection.close()
            self._connection = None


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def main() -> None:
    """Read a plan from stdin, load, print the result."""
    json.dump(asdict(load(Plan(**json.load(sys.stdin)))), sys.stdout)


if __name__ == "__main__":
    main()
