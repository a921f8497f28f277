"""The health of all mirrors: what contacts reported, what was set by hand, and threads that probe those not well.

Each mirror that is not well, or doubted, has one thread of its own until it is: one probe in flight for each, however
many ask, and one that hangs keeps no other from being found again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from localpi.errors import CannotKnow
from localpi.index.clock import clock, utc
from localpi.index.health import Health, answered, doubted, failed
from localpi.index.states import States
from localpi.upstream.outcomes import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localpi.index.journal import Journal
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.modes import Modes
    from localpi.index.stamps import Stamps
    from localpi.upstream import Upstream
    from localpi.upstream.outcomes import Reachable

log = logging.getLogger(__name__)

TOUCH_S = 1.0
TOUCH_AGAIN_S = 5.0
PROBE_S = 1.5
LONG_PROBE_S = 8.0
LONG_EVERY = 6
"""Every so many probes one is patient: a server that is always slow is slow, not down."""
HURRY_S = 30.0
"""So long after somebody asked, probes come in quick succession."""
QUICK_PAUSE_S = 0.5
LOCKOUT_S = 60
"""Between two tries with a credential that was refused: some servers lock an account after a few."""
NEVER = float("inf")


class Watch:
    """Keeps the `Health` of each mirror's source. Thread-safe.

    `mirrors()` gives the mirrors that there are now. `known_page(mirror)` names a project that the mirror has had, or
    "" where there is none: that is what a probe asks for. `background`: whether probes go on when nobody asks.
    """

    def __init__(
        self,
        upstream: Upstream,
        mirrors: Callable[[], Iterable[MirrorIndex]],
        now_us: Callable[[], int],
        *,
        stamps: Stamps,
        modes: Modes,
        journal: Journal,
        known_page: Callable[[MirrorIndex], str] = lambda _: "",
        background: bool = True,
    ) -> None:
        self._upstream, self._mirrors, self._now_us = upstream, mirrors, now_us
        self._states, self._modes, self._journal = States(stamps, journal), modes, journal
        self._known_page, self._background, self.took = known_page, background, self._states.took
        self._asked: dict[str, float] = {}
        self._answers: dict[str, float] = {}
        self._touched: dict[str, float] = {}
        self._threads: set[str] = set()

    # -- what is so -------------------------------------------------------------------------------------------------

    def health(self, mirror: MirrorIndex) -> Health:
        """Return the state of the mirror with what was set by hand; one never heard of is well."""
        mode, since_us = self._modes.of(mirror.name)
        if mode == "on":
            return Health("off", "set offline by hand", since_us, offline="on", confirmed=True)
        found = self._states.get(mirror.source)
        return found if mode == "auto" else replace(found, offline=mode)

    def reachable(self, mirror: MirrorIndex) -> bool:
        """Say whether requests may go to it; cheap, the serving loop asks for each that waits."""
        mode, _ = self._modes.of(mirror.name)
        return mode == "off" or (mode == "auto" and self._states.get(mirror.source).well)

    def next_probe(self, mirror: MirrorIndex) -> str | None:
        """Return when it is probed next, RFC 3339 UTC; None while it is well, off, or probed only when asked for."""
        health = self.health(mirror)
        if health.well or health.state == "off" or health.next_probe == NEVER:
            return None
        pause_us = max(0, int((health.next_probe - time.monotonic()) * 1e6))
        return utc(self._now_us() + pause_us)

    def cannot_know(self, mirror: MirrorIndex, reason: str, *, also: str = "") -> CannotKnow:
        """Make the error for what cannot be known because of this mirror; `reason` where its state says none."""
        health = self.health(mirror)
        if health.well:
            return CannotKnow(mirror.name, reason)
        said = "; ".join(part for part in (health.reason or reason, also) if part)
        error = CannotKnow(mirror.name, said, state=health.state, since=clock(health.since_us))
        if health.state == "off":
            error.hint = f"localpi offline auto {mirror.name}"
        return error

    # -- what contacts report ---------------------------------------------------------------------------------------

    def note_answer(self, mirror: MirrorIndex, took_s: float = 0.0) -> None:
        """Say that its upstream gave an honest answer of any kind, after so many seconds."""
        self._answers[mirror.source], self._states.took[mirror.source] = time.monotonic(), took_s
        _, after = self._states.change(
            mirror.name, mirror.source, lambda before: answered(before, self._now_us(), took_s)
        )
        if after.well:
            self._journal.end_view(mirror.name)

    def note_failure(self, mirror: MirrorIndex, failure: Unreachable, *, probed: bool = False) -> None:
        """Say that a contact failed: a request's, or with `probed` a probe's."""
        hurried = time.monotonic() - self._asked.get(mirror.source, -HURRY_S) < HURRY_S
        prudent = failure.kind == "auth" and self._upstream.has_credential(mirror.upstream)
        retry_after_s = max(failure.retry_after_s or 0, LOCKOUT_S if prudent else 0)

        def event(before: Health) -> Health:
            after = failed(
                before,
                failure.kind,
                _with_remedy(mirror, failure),
                now=time.monotonic(),
                now_us=self._now_us(),
                dice=random.random(),  # noqa: S311 spreads pauses, guards nothing
                probed=probed,
                hurried=hurried,
                retry_after_s=retry_after_s,
            )
            unasked = after.confirmed and not after.well and not hurried
            return replace(after, next_probe=NEVER) if unasked and not self._background else after

        before, after = self._states.change(mirror.name, mirror.source, event)
        if not after.well:
            self._begin(mirror, self._run)
        if before.well and not after.well:
            self._touch_others(mirror)

    def doubt(self, mirror: MirrorIndex) -> None:
        """Say that a request has waited for a second without a word: find out whether the mirror is slow or gone.

        The others are looked at as well (a bare connect, no name is sent): where one is gone the network may be, and
        whoever asks has to ask them one after the other.
        """
        if self._modes.of(mirror.name)[0] != "auto":
            return
        match self._states.get(mirror.source).state:
            case "ok":
                self._begin(mirror, self._check)
                self._touch_others(mirror)
            case "slow":
                self._touch_again(mirror)

    def demand(self, mirror: MirrorIndex) -> None:
        """Say that somebody asked for what a mirror would have that cannot be reached: its next probe comes soon."""
        now = time.monotonic()
        self._asked[mirror.source] = now
        health = self._states.get(mirror.source)
        if not health.well and health.next_probe > now + QUICK_PAUSE_S:
            self._states.soon(mirror.source, now + QUICK_PAUSE_S)

    def probe_now(self, why: str, *, states: tuple[str, ...] = (), only: str = "") -> tuple[str, ...]:
        """Probe at once what is not well; with `states` what is in one of them, with `only` that mirror, well or not.

        Returns the names of the mirrors that are probed. Those set offline by hand are left alone.
        """
        probed = []
        for mirror in self._distinct():
            health = self._states.get(mirror.source)
            fits = mirror.name == only if only else (health.state in states if states else not health.well)
            if not fits or self._modes.of(mirror.name)[0] == "on":
                continue
            self._states.soon(mirror.source, time.monotonic(), anyway=True)
            self._begin(mirror, self._ask if health.well else self._run)
            probed.append(mirror.name)
        if probed:
            log.info("%s: probing %s", why, ", ".join(probed))
        return tuple(probed)

    def network_changed(self, why: str) -> None:
        """Say that interfaces or routes changed, or the machine woke: connections are dead, states may be over."""
        self._upstream.drop_pools()
        log.info("%s", why)
        if self._background:
            self.probe_now(why)
            return
        for mirror in self._distinct():  # no work unasked: the next one who asks has it probed at once
            if time.monotonic() - self._asked.get(mirror.source, -HURRY_S) < HURRY_S:
                self._states.soon(mirror.source, time.monotonic())

    # -- probing ----------------------------------------------------------------------------------------------------

    def _distinct(self) -> tuple[MirrorIndex, ...]:
        return tuple({mirror.source: mirror for mirror in self._mirrors()}.values())

    def _begin(self, mirror: MirrorIndex, work: Callable[[MirrorIndex], None]) -> None:
        """Start the mirror's thread where it has none."""
        with self._states.changed:
            if mirror.source in self._threads:
                return
            self._threads.add(mirror.source)
        threading.Thread(target=self._live, args=(mirror, work), name=f"probe {mirror.name}", daemon=True).start()

    def _live(self, mirror: MirrorIndex, work: Callable[[MirrorIndex], None]) -> None:
        try:
            work(mirror)
            self._run(mirror)
        except Exception:
            log.exception("probing %s failed", mirror.name)
            with self._states.changed:
                self._threads.discard(mirror.source)

    def _check(self, mirror: MirrorIndex) -> None:
        """Find out about a mirror that was well: gone (no connection), silent (no page either), or slow."""
        began = time.monotonic()
        outcome = self._contact(mirror, PROBE_S)
        if isinstance(outcome, Unreachable):
            if self._answers.get(mirror.source, 0.0) < began:
                self.note_failure(mirror, outcome)
            return
        self._states.change(
            mirror.name, mirror.source, lambda before: doubted(before, "keeps who asks waiting", self._now_us())
        )

    def _ask(self, mirror: MirrorIndex) -> None:
        """Probe a mirror that is well because somebody wants to know."""
        outcome = self._contact(mirror, LONG_PROBE_S)
        if isinstance(outcome, Unreachable):
            self.note_failure(mirror, outcome)

    def _touch_others(self, mirror: MirrorIndex) -> None:
        for other in self._distinct():
            if other.source != mirror.source and self._modes.of(other.name)[0] == "auto":
                self._touch_again(other)

    def _touch_again(self, mirror: MirrorIndex) -> None:
        now = time.monotonic()
        if self._states.get(mirror.source).well and now - self._touched.get(mirror.source, -60.0) > TOUCH_AGAIN_S:
            self._touched[mirror.source] = now
            self._begin(mirror, self._touch)

    def _touch(self, mirror: MirrorIndex) -> None:
        outcome = self._upstream.touch(mirror.upstream, TOUCH_S)
        if isinstance(outcome, Unreachable):
            self.note_failure(mirror, outcome)

    def _run(self, mirror: MirrorIndex) -> None:
        """Probe the mirror when it is due, until it is well or gone."""
        number = 0
        while self._wait_until_due(mirror):
            number += 1
            outcome = self._contact(mirror, PROBE_S if number % LONG_EVERY else LONG_PROBE_S)
            if isinstance(outcome, Unreachable):
                self.note_failure(mirror, outcome, probed=True)

    def _wait_until_due(self, mirror: MirrorIndex) -> bool:
        """Wait for the next probe; False, and the thread is done, when there is nothing to probe any more."""
        with self._states.changed:
            while True:
                health = self._states.get(mirror.source)
                there = any(one.source == mirror.source for one in self._mirrors())
                if health.well or not there:
                    if not there:
                        self._states.forget(mirror.source)
                    self._threads.discard(mirror.source)
                    return False
                off = self._modes.of(mirror.name)[0] == "on"
                pause = 1.0 if off else health.next_probe - time.monotonic()
                if pause <= 0:
                    return True
                self._states.changed.wait(min(pause, 60.0))

    def _contact(self, mirror: MirrorIndex, within_s: float) -> Reachable | Unreachable:
        """Connect, then ask for a page; an honest answer is noted."""
        outcome = self._upstream.touch(mirror.upstream, TOUCH_S)
        if isinstance(outcome, Unreachable):
            return outcome
        began = time.monotonic()
        outcome = self._upstream.probe(mirror.upstream, within_s, project=self._known_page(mirror))
        if not isinstance(outcome, Unreachable):
            self.note_answer(mirror, time.monotonic() - began)
        return outcome


def _with_remedy(mirror: MirrorIndex, failure: Unreachable) -> str:
    """Add the command that renews a credential: whoever reads the status line knows what to do."""
    if failure.kind == "auth":
        return f"{failure.reason}; renew them with: localpi base set {mirror.name.rpartition('/')[2]} --credentials"
    if failure.kind == "proxy" and "credentials" in failure.reason:
        return f"{failure.reason}; set them with: localpi config set upstream.proxy http://USER:PASSWORD@HOST:PORT"
    return failure.reason
