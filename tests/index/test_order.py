"""Resolution order and the whitelist rule, as devpi has them."""

from __future__ import annotations

import pytest

from localpi.index.config import IndexConfig, MirrorConfig, StageConfig
from localpi.index.order import find_cycle, mirrors_allowed, resolution_order
from localpi.simple.names import normalize


def stage(*bases: str, whitelist: tuple[str, ...] = (), union: bool = False) -> StageConfig:
    """Make a stage."""
    return StageConfig(
        bases=bases, mirror_whitelist=whitelist, mirror_whitelist_inheritance="union" if union else "intersection"
    )


MIRROR = MirrorConfig(mirror_url="http://h.example/")


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [
        ({"u/a": stage()}, ("u/a",)),
        ({"u/a": MIRROR}, ("u/a",)),
        ({}, ()),
        (
            {"u/a": stage("u/m", "u/b"), "u/b": stage("u/n"), "u/m": MIRROR, "u/n": MIRROR},
            ("u/a", "u/b", "u/m", "u/n"),
        ),
        (
            {"u/a": stage("u/b", "u/c"), "u/b": stage("u/d"), "u/c": stage("u/d"), "u/d": stage("u/m"), "u/m": MIRROR},
            ("u/a", "u/b", "u/c", "u/d", "u/m"),
        ),
        ({"u/a": stage("u/gone", "u/b"), "u/b": stage()}, ("u/a", "u/b")),
        ({"u/a": stage("u/b"), "u/b": stage("u/a")}, ("u/a", "u/b")),
    ],
)
def test_breadth_first_and_mirrors_last(indexes: dict[str, IndexConfig], expected: tuple[str, ...]) -> None:
    """Each index comes once, level by level; mirrors follow in the order in which they were met."""
    assert resolution_order("u/a", indexes.get) == expected


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [
        ({"u/a": stage("u/a")}, ("u/a", "u/a")),
        ({"u/a": stage("u/b"), "u/b": stage("u/c"), "u/c": stage("u/a")}, ("u/a", "u/b", "u/c", "u/a")),
        ({"u/a": stage("u/b", "u/c"), "u/b": stage("u/d"), "u/c": stage("u/d"), "u/d": stage()}, ()),
        ({"u/a": stage("u/b"), "u/b": stage("u/c"), "u/c": stage("u/b")}, ()),
        ({"u/a": MIRROR}, ()),
    ],
)
def test_cycles_are_named(indexes: dict[str, IndexConfig], expected: tuple[str, ...]) -> None:
    """The way along the bases back to the index is found, other circles end the search."""
    assert find_cycle("u/a", indexes["u/a"], indexes.get) == expected


@pytest.mark.parametrize(
    ("order", "holding", "expected"),
    [
        ([("u/a", stage()), ("u/m", MIRROR)], (), True),
        ([("u/a", stage()), ("u/m", MIRROR)], ("u/a",), False),
        ([("u/m", MIRROR)], (), True),
        ([("u/a", stage(whitelist=("foo",))), ("u/m", MIRROR)], ("u/a",), True),
        ([("u/a", stage(whitelist=("*",))), ("u/m", MIRROR)], ("u/a",), True),
        ([("u/a", stage(whitelist=("bar",))), ("u/m", MIRROR)], ("u/a",), False),
        ([("u/a", stage(whitelist=("foo",))), ("u/b", stage())], ("u/a", "u/b"), True),
        ([("u/a", stage()), ("u/b", stage(whitelist=("foo",)))], ("u/b",), False),
        ([("u/a", stage(union=True)), ("u/b", stage(whitelist=("foo",)))], ("u/b",), True),
        ([("u/a", stage(whitelist=("*",))), ("u/b", stage(whitelist=("foo",)))], ("u/b",), True),
    ],
)
def test_stages_shield_names_from_mirrors(
    order: list[tuple[str, IndexConfig]],
    holding: tuple[str, ...],
    expected: bool,
) -> None:
    """A stage that holds the project keeps mirrors out, unless the whitelist in force there names it."""
    assert mirrors_allowed(normalize("foo"), order, lambda name: name in holding) is expected
