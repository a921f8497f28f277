"""Pull a set of projects, page then wheel, over many connections; a process of its own, plan on stdin.

Each page has to be a 200 that links the wheel, each wheel a 200 of the right length. Prints the result as JSON.
"""

from __future__ import annotations

import json
import selectors
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from urllib.parse import quote, urljoin, urlsplit

from benchmarks.exchange import BUFFER, Address, Answer, BrokenExchangeError, Connection, get

REDIRECTS = 3
LONGEST_LINK = 2_000
TRIES = 2  # a server may close a kept connection between two requests


@dataclass(frozen=True, slots=True)
class Wanted:
    """A project page, and the wheel to be found on it; size in bytes."""

    page: str
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to pull; `deadline_s` bounds the whole."""

    host: str
    port: int
    accept: str
    connections: int
    deadline_s: float
    wanted: tuple[Wanted, ...]


@dataclass(slots=True)
class Pulled:
    """How it went; `seconds` to the last byte of the last wheel."""

    seconds: float = 0.0
    bytes: int = 0
    wheels: int = 0
    redirects: int = 0
    failures: list[str] = field(default_factory=list)


def pull(plan: Plan) -> Pulled:
    """Pull everything and say how it went."""
    result = Pulled()
    pending = deque(plan.wanted)
    buffer = memoryview(bytearray(BUFFER))
    started = time.monotonic()
    with selectors.DefaultSelector() as selector:
        lanes = [_Lane(plan, pending, result, selector) for _ in range(min(plan.connections, len(pending)))]
        for lane in lanes:
            lane.next()
        while selector.get_map():  # lanes that have ended are not in it
            left = started + plan.deadline_s - time.monotonic()
            if left <= 0:
                unfinished = [*(lane.wanted for lane in lanes if lane.wanted), *pending]
                result.failures += [f"{item.filename}: not within {plan.deadline_s:.0f} s" for item in unfinished]
                break
            for key, _ in selector.select(left):
                key.data.readable(buffer)
        result.seconds = time.monotonic() - started
        for lane in lanes:
            lane.close()
    return result


class _Lane:
    """One connection's way through the pending projects."""

    def __init__(self, plan: Plan, pending: deque[Wanted], result: Pulled, selector: selectors.BaseSelector) -> None:
        self.wanted: Wanted | None = None
        self._plan = plan
        self._pending = pending
        self._result = result
        self._selector = selector
        self._home: Address = (plan.host, plan.port)
        self._connection: Connection | None = None
        self._path = ""
        self._address = self._home
        self._tries = self._redirects = 0
        self._on_page = True

    def readable(self, buffer: memoryview) -> None:
        """Go on after the connection has become readable."""
        assert self._connection is not None
        try:
            answer = self._connection.receive(buffer)
        except BrokenExchangeError as error:
            self._retry(str(error))
            return
        if answer is None:
            return
        self._result.bytes += answer.length
        if answer.status in {301, 302, 303, 307, 308} and self._redirects < REDIRECTS:
            self._redirects += 1
            self._result.redirects += 1
            self._follow(answer.headers.get("location", ""))
        elif answer.status != 200:
            self._fail(f"{self._path}: status {answer.status}")
        elif self._on_page:
            self._find_wheel(answer)
        else:
            self._count(answer)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._selector.unregister(self._connection.socket)
            self._connection.close()
            self._connection = None

    def next(self) -> None:
        """Start with the next project, or end."""
        if not self._pending:
            self.wanted = None
            self.close()
            return
        self.wanted = self._pending.popleft()
        self._tries = self._redirects = 0
        self._on_page = True
        self._path, self._address = self.wanted.page, self._home
        self._ask()

    def _find_wheel(self, answer: Answer) -> None:
        assert self.wanted is not None
        link = find_link(answer.body, self.wanted.filename)
        if link is None:
            self._fail(f"{self._path}: does not link {self.wanted.filename}")
            return
        self._on_page = False
        self._tries = self._redirects = 0
        self._follow(link)

    def _count(self, answer: Answer) -> None:
        assert self.wanted is not None
        if answer.length == self.wanted.size:
            self._result.wheels += 1
            self.next()
        else:
            self._fail(f"{self.wanted.filename}: {answer.length} bytes instead of {self.wanted.size}")

    def _follow(self, link: str) -> None:
        host, port = self._address
        parts = urlsplit(urljoin(f"http://{host}:{port}{self._path}", link))
        if parts.hostname not in {"127.0.0.1", "localhost"}:
            self._fail(f"{link[:200]}: leads away from this machine")
            return
        self._path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._address = ("127.0.0.1", parts.port or 80)
        self._ask()

    def _ask(self) -> None:
        """Ask for the path at the address it is to be had from; a page is kept, a wheel only counted."""
        try:
            if self._connection is None or self._connection.ended or self._connection.address != self._address:
                self.close()
                self._connection = Connection(self._address)
                self._selector.register(self._connection.socket, selectors.EVENT_READ, self)
            host, port = self._address
            request = get(self._path, f"{host}:{port}", {"Accept": self._plan.accept})
            self._connection.send(request, keep=self._on_page)
        except (BrokenExchangeError, OSError) as error:
            self._retry(str(error))

    def _retry(self, reason: str) -> None:
        self._tries += 1
        if self._tries < TRIES:
            self._ask()
        else:
            self._fail(f"{self._path}: {reason}")

    def _fail(self, reason: str) -> None:
        self._result.failures.append(reason)
        self.next()


def find_link(page: bytes, filename: str) -> str | None:
    """Find the link to a file on a project page, HTML or JSON, without parsing it.

    A regular expression or a parser would take longer than nginx does for the whole set.
    """
    needle = quote(filename).encode()
    found = page.find(needle)
    while found >= 0:
        end = found + len(needle)
        start = page.rfind(b'"', max(0, found - LONGEST_LINK), found) + 1
        before = page[max(0, start - 10) : start - 1].rstrip()
        if start and page[end : end + 1] in {b'"', b"#"} and before.endswith((b"href=", b'"url":')):
            return page[start:end].decode()
        found = page.find(needle, end)
    return None


def main() -> None:
    """Read a plan from stdin, pull, print the result."""
    raw = json.load(sys.stdin)
    raw["wanted"] = tuple(Wanted(**wanted) for wanted in raw["wanted"])
    json.dump(asdict(pull(Plan(**raw))), sys.stdout)


if __name__ == "__main__":
    main()
