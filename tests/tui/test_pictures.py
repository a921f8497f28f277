from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from textual.pilot import Pilot

from localpi.tui import dialogs, places
from made.pictures import PICTURES, SIZES, STATES, TABLE, Picture, lead, make_app

MAIN = {"overview", "overview-away", "indexes", "bases", "cache", "wiring", "log", "first-run", "dialog-confirm"}
"""Looked at in each run, small; the others, and the other size, with the long tests: each costs half a second."""
CASES = [
    pytest.param(
        picture,
        size,
        id=f"{picture.name}-{size[0]}x{size[1]}",
        marks=[] if picture.name in MAIN and size == SIZES[0] else [pytest.mark.long],
    )
    for picture in PICTURES
    for size in SIZES
]


@pytest.mark.parametrize(("picture", "size"), CASES)
def test_picture(snap_compare: Callable[..., bool], picture: Picture, size: tuple[int, int]) -> None:
    """Every screen and dialog in its states looks as it was agreed to, at both sizes."""

    async def before(pilot: Pilot[Any]) -> None:
        await lead(picture, pilot)

    assert snap_compare(make_app(picture), terminal_size=size, run_before=before)


def test_each_picture_that_is_kept_is_looked_at() -> None:
    """None is left over from a screen that has gone or has another name."""
    kept = {path.name for path in (Path(__file__).parent / "__snapshots__" / "test_pictures").iterdir()}
    assert kept == {f"test_picture[{case.id}].svg" for case in CASES}


def test_every_screen_has_a_picture_of_every_state() -> None:
    """Or says why it has none; every module of a screen or dialog is in the table."""
    modules = {module.name for package in (places, dialogs) for module in iter_modules(package.__path__)} - {
        "dialog"
    }  # what they have in common
    pictures = {picture.name for picture in PICTURES}
    assert modules == set(TABLE)
    for screen, states in TABLE.items():
        assert tuple(sorted(states)) == tuple(sorted(STATES)), screen
        assert all(told in pictures or " " in told for told in states.values()), screen
