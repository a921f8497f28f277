"""Pure: whether a stored page may be shown as it is, and how long an asker waits for a newer one.

Towards upstreams a page is fresh for their `max-age` (RFC 9111), ten minutes without one; an index's
`mirror_cache_expiry` beats both, 0 means every time. Nobody waits longer than BOUNDED_WAIT_S for a refresh while an
older page is here.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_MAX_AGE_S = 600
MISSING_MAX_AGE_S = 60
BOUNDED_WAIT_S = 2.0
PAGE_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Age:
    """What is known about a stored page's age.

    `fetched_us`: when the upstream last vouched for it, µs UTC. `max_age_s`: what the upstream said, or None.
    `missing`: the upstream said that there is no such project.
    """

    fetched_us: int
    max_age_s: int | None
    missing: bool


def fresh_for_s(age: Age, now_us: int, expiry_s: int | None) -> float:
    """Seconds for which the page may still be shown unasked; 0.0 means that it is stale.

    A page from the future (the clock was set back) is stale, not fresh for years.
    """
    limit = DEFAULT_MAX_AGE_S if age.max_age_s is None else age.max_age_s
    if expiry_s is not None:
        limit = expiry_s
    if age.missing:
        limit = min(limit, MISSING_MAX_AGE_S)
    elapsed = (now_us - age.fetched_us) / 1e6
    return max(0.0, limit - elapsed) if elapsed >= 0 else 0.0


def wait_until(asked_at: float, flight_until: float, *, stale_here: bool) -> float:
    """Until when (monotonic) an asker waits for a flight: briefly with a stale page at hand, else for its end."""
    return min(asked_at + BOUNDED_WAIT_S, flight_until) if stale_here else flight_until
