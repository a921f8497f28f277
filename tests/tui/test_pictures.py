from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from made.pictures import PICTURES, SIZES, Picture, lead, make_app

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
