"""Fresh or stale, and how long to wait."""

from __future__ import annotations

import pytest

from localpi.index.freshness import Age, fresh_for_s, wait_until

NOW_US = 1_800_000_000_000_000


@pytest.mark.parametrize(
    ("ago_s", "max_age_s", "missing", "expiry_s", "left_s"),
    [
        (0, None, False, None, 600),
        (590, None, False, None, 10),
        (600, None, False, None, 0),
        (100, 300, False, None, 200),
        (100, 300, False, 1800, 1700),
        (0, 300, False, 0, 0),
        (0, 0, False, None, 0),
        (10, None, True, None, 50),
        (10, 30, True, None, 20),
        (10, None, True, 5, 0),
        (-5, 300, False, None, 0),
    ],
)
def test_a_page_is_fresh_for_a_while(
    ago_s: int, max_age_s: int | None, missing: bool, expiry_s: int | None, left_s: float
) -> None:
    """The index's expiry beats the upstream's max-age beats ten minutes; a 404 lasts a minute at most."""
    age = Age(NOW_US - ago_s * 1_000_000, max_age_s, missing)
    assert left_s == fresh_for_s(age, NOW_US, expiry_s)


@pytest.mark.parametrize(
    ("flight_until", "stale_here", "until"), [(20.0, True, 12.0), (11.0, True, 11.0), (30.0, False, 30.0)]
)
def test_nobody_waits_long_with_an_older_page_at_hand(flight_until: float, stale_here: bool, until: float) -> None:
    """With a stale page the wait is two seconds, without one it is the flight's end."""
    assert until == wait_until(10.0, flight_until, stale_here=stale_here)
