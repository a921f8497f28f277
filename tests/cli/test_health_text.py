"""How a base is doing, in words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from localpi.cli.health_text import describe, local_time
from localpi.reports import BaseHealth

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=1)))
TODAY, SOON, BEFORE = "2026-03-02T08:12:00Z", "2026-03-02T09:30:04Z", "2026-03-01T08:12:00Z"


@pytest.mark.parametrize(
    ("base", "text"),
    [
        (BaseHealth("i", "ok", since=TODAY), "ok"),
        (BaseHealth("i", "ok", offline="off"), "ok, contacted whatever happens (offline off)"),
        (
            BaseHealth("i", "down", "pkgs.test does not answer", TODAY, SOON),
            "down since 09:12, tried again at 10:30:04: pkgs.test does not answer",
        ),
        (BaseHealth("i", "down", "it is not there", BEFORE), "down since 2026-03-01 09:12: it is not there"),
        (BaseHealth("i", "slow", "took 4.0 s for an answer", TODAY), "slow since 09:12: took 4.0 s for an answer"),
        (BaseHealth("i", "off", "set offline by hand", TODAY, offline="on"), "off since 09:12: set offline by hand"),
        (
            BaseHealth("i", "down", "it is not there", TODAY, offline="off"),
            "down since 09:12, contacted all the same (offline off): it is not there",
        ),
    ],
)
def test_in_one_sentence(base: BaseHealth, text: str) -> None:
    """State, since when by the clock here, why, what comes next."""
    assert describe(base, NOW) == text


def test_what_is_no_time_stays() -> None:
    """Whatever the daemon says is shown."""
    assert local_time("soon", NOW) == "soon"
