"""Pure: the state of a mirror. Events in, state out; the clock and the dice are arguments.

While a mirror is not `ok` or `slow` nobody contacts it but the probe (watch.py), so that nothing waits for a base that
is away: devpi's clients pay 5 s per request for one that hangs. The first failure of a request makes it `down`, and
only a probe that fails too confirms that: one lost packet does not change what resolvers are shown.

Pauses between probes double from half a second to a minute, each shortened or lengthened by up to a fifth, so that
several daemons do not ask in step; while somebody asks for what the mirror would have, they stay at half a second.
Where a credential is refused a probe each minute is all: some servers lock an account after a few wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

CONFIRM_S = 0.3
"""Until the probe that confirms a first failure: what asked first is answered by then, from the page as it was."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0
BURST = 3
SLOW_S = 2.0
"""An answer that took longer is what nobody waits for who has an older one (freshness.BOUNDED_WAIT_S)."""

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
    "certificate": "captive",
    "page": "down",
}
ONE_PAGE = frozenset({"captive", "page"})
"""What may be the trouble of one page alone (a redirect of one project, a broken file on the server): the state waits
for the probe of another."""


@dataclass(frozen=True, slots=True)
class Health:
    """A mirror's state.

    `state`: ok, slow, down, captive, auth or off. `reason`: one sentence for people. `since_us`: since when, µs UTC.
    `strikes`: failures in a row. `next_probe`, and `not_before` where the server asked for a pause: monotonic seconds,
    meaningful while it cannot be reached. `confirmed`: a probe has failed as well. `offline`: what was set by hand: on
    (never contact it), off (always) or auto.
    """

    state: str = "ok"
    reason: str = ""
    since_us: int = 0
    strikes: int = 0
    next_probe: float = 0.0
    not_before: float = 0.0
    confirmed: bool = False
    offline: str = "auto"

    @property
    def well(self) -> bool:
        """Whether it answers, soon or late."""
        return self.state in ("ok", "slow")

    @property
    def reachable(self) -> bool:
        """Whether requests may go to it."""
        return self.offline == "off" or (self.offline == "auto" and self.well)

    @property
    def filters(self) -> bool:
        """Whether its pages list only what is here (the offline view)."""
        return self.offline == "on" or (self.offline == "auto" and not self.well and self.confirmed)


def failed(
    health: Health,
    kind: str,
    reason: str,
    *,
    now: float,
    now_us: int,
    dice: float,
    probed: bool = False,
    hurried: bool = False,
    retry_after_s: int = 0,
) -> Health:
    """Return the health after a failed contact: a request's, or (`probed`) a probe's.

    `kind` is the upstream room's word for it; `dice` is a number from 0 to 1 that spreads the pauses; `hurried`:
    somebody asks for what it would have; `retry_after_s` is what the server asked for, or prudence does.
    """
    if not probed and (not health.well or kind in ONE_PAGE):
        return health  # under way since before, or to be seen: says nothing that is known to hold
    strikes = health.strikes + 1
    state = _STATE_OF_KIND.get(kind) or ("down" if strikes >= BURST or not health.well else health.state)
    if state in ("ok", "slow"):
        return replace(health, strikes=strikes)
    not_before = now + min(retry_after_s, LONGEST_RETRY_AFTER_S) if retry_after_s else 0.0
    pause = _pause(health, 2 if hurried else strikes, dice)
    return Health(
        state=state,
        reason=reason,
        since_us=health.since_us if health.state == state else now_us,
        strikes=strikes,
        next_probe=max(now + pause, not_before),
        not_before=not_before,
        confirmed=probed or health.confirmed or bool(not_before),  # no probe may come soon
        offline=health.offline,
    )


def doubted(health: Health, reason: str, now_us: int) -> Health:
    """Return the health of a mirror that takes connections and is silent: slow, until it answers soon."""
    if health.state != "ok":
        return health
    return replace(health, state="slow", reason=reason, since_us=now_us)


def answered(health: Health, now_us: int, took_s: float = 0.0) -> Health:
    """Return the health after an answer of any honest kind: a page, a 304, a 404; `took_s` is how long that took."""
    if took_s > SLOW_S:
        if health.state == "slow" and not health.strikes:
            return health
        return Health("slow", f"took {took_s:.1f} s for an answer", now_us, offline=health.offline)
    if health.state == "ok":
        return replace(health, strikes=0) if health.strikes else health
    return Health(since_us=now_us, offline=health.offline)


def sooner(health: Health, at: float, *, anyway: bool = False) -> Health:
    """Return the health with its next probe brought forward to `at`, `anyway` or as far as the server allows."""
    at = at if anyway else max(at, health.not_before)
    return health if health.well or health.next_probe <= at else replace(health, next_probe=at)


def _pause(health: Health, strikes: int, dice: float) -> float:
    if health.well:
        return CONFIRM_S
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(max(strikes - 2, 0), 8)) * (0.8 + 0.4 * dice)
