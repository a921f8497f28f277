"""The rows of the table, each with what localpi has to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["req/s", "s", "ms", "MB", "of 50"]


@dataclass(frozen=True, slots=True)
class Target:
    """A bound in the row's unit, or as a multiple of nginx's value in the same round."""

    at: Literal["least", "most"]
    value: float
    of_nginx: bool = False

    def holds(self, value: float) -> bool:
        """Say whether a value, or a ratio to nginx, is within the bound."""
        return value >= self.value if self.at == "least" else value <= self.value


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `measure` names what `--rows` selects, several rows may come from one."""

    key: str
    measure: str
    title: str
    unit: Unit
    target: Target | None

    @property
    def more_is_better(self) -> bool:
        """Say which way is up."""
        return self.unit in {"req/s", "of 50"}


ROWS = (
    Row("small", "small", "hot page, small (idna), 8 conn", "req/s", Target("least", 0.4, of_nginx=True)),
    Row("small-50", "small-50", "the same, 50 conn", "req/s", None),
    Row("small-50-p99", "small-50", "the same, 50 conn, p99", "ms", Target("most", 20)),
    Row("numpy", "numpy", "hot page, numpy", "req/s", Target("least", 0.9, of_nginx=True)),
    Row("pydantic-core", "pydantic-core", "hot page, pydantic-core", "req/s", Target("least", 1.0, of_nginx=True)),
    Row("not-modified", "not-modified", "304 for a known ETag", "req/s", Target("least", 10_000)),
    Row("wheel", "wheel", "cached 17 MB wheel, 8 conn", "req/s", Target("least", 1.0, of_nginx=True)),
    Row("cold", "set", "set of pages and wheels, 50 conn, cold", "s", Target("most", 3.0, of_nginx=True)),
    Row("warm", "set", "the same, warm", "s", Target("most", 1.2, of_nginx=True)),
    Row("idle", "set", "memory, idle", "MB", Target("most", 60)),
    Row("after", "set", "memory, after the set", "MB", Target("most", 130)),
    Row("start", "start", "start until it answers", "s", Target("most", 0.7)),
    Row("swallow-first", "swallow", "upstream that swallows packets: first page", "s", Target("most", 3)),
    Row("swallow-next", "swallow", "the same: slowest of the next pages", "s", Target("most", 0.020)),
    Row("slow-answered", "slow", "50 cold downloads at 1 MB/s: answered", "of 50", Target("least", 50)),
    Row("slow-p99", "slow", "the same: hot small page meanwhile, p99", "ms", Target("most", 20)),
    Row("slow-memory", "slow", "the same: memory", "MB", Target("most", 150)),
    Row("waiting-p99", "waiting", "200 requests that wait: hot small page, p99", "ms", Target("most", 50)),
)

MEASURES = tuple(dict.fromkeys(row.measure for row in ROWS))
HOT = ("small", "small-50", "numpy", "pydantic-core", "not-modified", "wheel")
FAULTS = ("swallow", "slow", "waiting")
