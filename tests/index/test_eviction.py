"""Which files leave the cache: a table of cases."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from localpi.index.eviction import Budget, choose


@dataclass(frozen=True)
class File:
    """Bytes with a name and a reason to stay."""

    name: str
    size: int = 10
    stays: str = ""


def names(chosen: tuple[File, ...] | None) -> list[str] | None:
    return None if chosen is None else [file.name for file in chosen]


A, B, C = File("a"), File("b"), File("c")


@pytest.mark.parametrize(
    ("oldest", "needed", "slack", "expected"),
    [
        ((A, B, C), 0, 0, []),
        ((A, B, C), 1, 0, ["a"]),
        ((A, B, C), 10, 0, ["a"]),
        ((A, B, C), 11, 0, ["a", "b"]),
        ((A, B, C), 30, 0, ["a", "b", "c"]),
        ((A, B, C), 31, 0, None),
        ((), 1, 0, None),
        ((File("a", stays="pinned"), B, C), 10, 0, ["b"]),
        ((File("a", stays="in service"), File("b", stays="last copy"), C), 10, 0, ["c"]),
        ((File("a", stays="pinned"), B), 11, 0, None),
        ((A, B, C), 10, 10, ["a", "b"]),
        ((A, File("b", 15), C), 10, 10, ["a"]),
        ((A, File("b", stays="pinned"), C), 10, 10, ["a", "c"]),
        ((A,), 10, 10, ["a"]),
    ],
)
def test_the_longest_unused_that_may_go(
    oldest: tuple[File, ...], needed: int, slack: int, expected: list[str] | None
) -> None:
    """In order, no more than needed and the slack, and nothing at all where it would not be enough."""
    assert names(choose(iter(oldest), needed, slack, lambda file: file.stays)) == expected


def test_only_what_would_go_is_asked_about() -> None:
    """To ask costs a look at pages; the rows are read as far as needed."""
    asked: list[str] = []

    def protects(file: File) -> str:
        asked.append(file.name)
        return file.stays

    assert names(choose(iter((A, B, C)), 10, 0, protects)) == ["a"]
    assert asked == ["a"]


@pytest.mark.parametrize(
    ("budget", "state", "expected"),
    [
        (Budget(), {"used": 10**15, "free": 0}, 0),
        (Budget(max_size=100), {"used": 100, "free": 0}, 0),
        (Budget(max_size=100), {"used": 101, "free": 0}, 1),
        (Budget(max_size=100), {"used": 90, "free": 10**9, "incoming": 20}, 10),
        (Budget(max_size=100), {"used": 60, "free": 10**9, "incoming": 20, "under_way": 30}, 10),
        (Budget(keep_free=100), {"used": 0, "free": 100}, 0),
        (Budget(keep_free=100), {"used": 0, "free": 90}, 10),
        (Budget(keep_free=100), {"used": 0, "free": 100, "incoming": 5, "unwritten": 6}, 11),
        (Budget(keep_free=100), {"used": 0, "free": 100, "under_way": 50}, 0),
        (Budget(100, 100), {"used": 110, "free": 70}, 30),
    ],
)
def test_what_has_to_go(budget: Budget, state: dict[str, int], expected: int) -> None:
    """The larger of what is over the size and what is short on the disk."""
    assert budget.excess(**state) == expected


def test_a_file_larger_than_the_budget_is_not_kept() -> None:
    """Nothing goes for what cannot stay."""
    assert [Budget(100).holds(size) for size in (100, 101)] == [True, False]
    assert Budget().holds(10**12)
    assert [Budget(6400, 1).slack, Budget(0, 640).slack, Budget().slack] == [100, 10, 0]
