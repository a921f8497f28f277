"""Which releases have had their time."""

from __future__ import annotations

import pytest

from localpi.cli.retention import choose_old

DAY = 86_400.0
NOW = 100 * DAY
HELD = {"1.10": NOW - DAY, "1.9": NOW - 40 * DAY, "1.0": NOW - 90 * DAY, "2.0.dev1": NOW - 50 * DAY, "old": NOW}


@pytest.mark.parametrize(
    ("older_than_s", "keep", "gone"),
    [
        (None, None, ()),
        (30 * DAY, None, ("1.0", "1.9", "2.0.dev1")),
        (30 * DAY, 2, ("1.0", "1.9")),
        (30 * DAY, 9, ()),
        (None, 1, ("old", "1.0", "1.9", "1.10")),
        (None, 0, ("old", "1.0", "1.9", "1.10", "2.0.dev1")),
        (365 * DAY, 0, ()),
    ],
)
def test_old_releases_are_chosen(older_than_s: float | None, keep: int | None, gone: tuple[str, ...]) -> None:
    """By age, by count, by both; versions in the order of PEP 440."""
    assert choose_old(HELD, NOW, older_than_s=older_than_s, keep=keep) == gone
