"""What Python's own `re` has to be spared, in every release that localpi runs on."""

from __future__ import annotations

import importlib
import pkgutil
import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

import pytest

import localpi

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEMS = (_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN)


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern that a module keeps, with its name."""
    for module in pkgutil.walk_packages(localpi.__path__, "localpi."):
        if not module.name.endswith("__main__"):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{module.name}.{name}", value


def possessive_groups(parsed: Any) -> int:
    """How many possessive repeats of more than one character or set a parsed pattern has."""
    if isinstance(parsed, _parser.SubPattern):
        found = 0
        for operation, value in parsed:
            if operation is _constants.POSSESSIVE_REPEAT:
                repeated = value[2]
                found += len(repeated) != 1 or repeated[0][0] not in ITEMS
            found += possessive_groups(value)
        return found
    return sum(map(possessive_groups, parsed)) if isinstance(parsed, tuple | list) else 0


def test_no_pattern_repeats_a_group_possessively() -> None:
    """`(…)*+` matches wrongly before Python 3.11.5, Debian 12's among them (CPython 106052); `(?>(…)*)` is the same."""
    wrong = [name for name, pattern in patterns() if possessive_groups(_parser.parse(pattern.pattern, pattern.flags))]
    assert wrong == []


@pytest.mark.parametrize(
    ("pattern", "count"), [("(?:ab?c)*+", 1), ("x(a|(?:b)?+)", 0), ("(?>(?:ab)*)", 0), ("(a|(?:bc){1,3}+)", 1)]
)
def test_possessive_groups_are_found(pattern: str, count: int) -> None:
    """The search above finds what it is for."""
    assert possessive_groups(_parser.parse(pattern)) == count
