"""Pure: the state of a mirror. Events in, state out; the clock and the dice are arguments.

While a mirror is not `ok` nobody contacts it but the probe (watch.py), so that nothing waits for a base that is away:
devpi's clients pay 5 s per request for one that hangs. Pauses between probes double from 1 s to a minute, each
shortened or lengthened by up to a fifth, so that several daemons do not ask in step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
BURST = 3

# What an upstream's failure means for all its pages. A single page that is broken, or a 500 for it, says nothing
# about the others; three in a row do.
_STATE_OF_KIND = {
    "dns": "down",
    "connect": "down",
    "timeout": "down",
    "tls": "down",
    "proxy": "down",
    "auth": "auth",
    "captive": "captive",
}


@dataclass(frozen=True, slots=True)
class Health:
    """A mirror's state.

    `state`: ok, down, captive or auth. `reason`: one sentence for people. `since_us`: since when, µs UTC.
    `strikes`: failures in a row. `next_probe`: monotonic seconds, meaningful while the state is not ok.
    """

    state: str = "ok"
    reason: str = ""
    since_us: int = 0
    strikes: int = 0
    next_probe: float = 0.0

    @property
    def reachable(self) -> bool:
        """Whether requests may go to it."""
        return self.state == "ok"


def failed(health: Health, kind: str, reason: str, *, now: float, now_us: int, dice: float) -> Health:
    """Return the health after a failed contact.

    `kind` is the upstream room's word for it; `dice` is a number from 0 to 1 that spreads the pauses.
    """
    strikes = health.strikes + 1
    state = _STATE_OF_KIND.get(kind) or ("down" if strikes >= BURST else health.state)
    if state == "ok":
        return replace(health, strikes=strikes)
    pause = 0.0 if health.reachable else min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(strikes - 2, 6))
    return Health(
        state=state,
        reason=reason,
        since_us=health.since_us if health.state == state else now_us,
        strikes=strikes,
        next_probe=now + pause * (0.8 + 0.4 * dice),
    )


def answered(health: Health, now_us: int) -> Health:
    """Return the health after an answer of any honest kind: a page, a 304, a 404."""
    if health.reachable and not health.strikes:
        return health
    return Health(since_us=now_us if not health.reachable else health.since_us)
