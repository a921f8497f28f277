"""The health of all mirrors: what it is, what was set by hand, and what requests and people report.

What contacts came to is noted in contacts.py; the threads that probe are in probing.py.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from localpi.errors import CannotKnow
from localpi.index.clock import clock, utc
from localpi.index.contacts import NEVER, Contacts
from localpi.index.health import ONE_PAGE, Health
from localpi.index.probing import Probing
from localpi.index.states import States

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localpi.index.journal import Journal
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.modes import Modes
    from localpi.index.stamps import Stamps
    from localpi.upstream import Upstream
    from localpi.upstream.outcomes import Unreachable

log = logging.getLogger(__name__)

QUICK_PAUSE_S = 0.5


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
        self._upstream, self._now_us, self._modes = upstream, now_us, modes
        self._states = States(stamps, journal)
        self.took = self._states.took
        self._contacts = Contacts(upstream, self._states, journal, now_us, known_page=known_page, background=background)
        self._probing = Probing(self._contacts, self._states, modes, mirrors)

    def close(self) -> None:
        """Probe no more."""
        self._probing.close()

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

    def losses(self, mirror: MirrorIndex) -> int:
        """Return how often it has been lost since the start."""
        return self._states.losses.get(mirror.source, 0)

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

    # -- what requests report ---------------------------------------------------------------------------------------

    def note_answer(self, mirror: MirrorIndex, took_s: float = 0.0) -> None:
        """Say that its upstream gave an honest answer of any kind, after so many seconds."""
        self._contacts.note_answer(mirror, took_s)

    def note_failure(self, mirror: MirrorIndex, failure: Unreachable, *, began: float = 0.0) -> None:
        """Say that a request failed that began then (monotonic seconds): a probe finds out whether that holds.

        One that took too long says nothing where others have been answered meanwhile.
        """
        if began and failure.kind == "timeout" and self._contacts.answered_since(mirror, began):
            return
        before, after = self._contacts.note_failure(mirror, failure)
        if not after.well:
            self._probing.follow(mirror)
        elif failure.kind in ONE_PAGE:
            self._probing.confirm(mirror)
        if before.well and not after.well:
            self._probing.touch_others(mirror)

    def doubt(self, mirror: MirrorIndex) -> None:
        """Say that a request has waited for a second without a word: find out whether the mirror is slow or gone.

        The others are looked at as well (a bare connect, no name is sent): where one is gone the network may be, and
        whoever asks has to ask them one after the other.
        """
        if self._modes.of(mirror.name)[0] != "auto":
            return
        match self._states.get(mirror.source).state:
            case "ok":
                self._probing.doubt(mirror)
            case "slow":
                self._probing.touch(mirror)

    def demand(self, mirror: MirrorIndex) -> None:
        """Say that somebody asked for what a mirror would have that cannot be reached: its next probe comes soon."""
        self._contacts.want(mirror)
        soon = time.monotonic() + QUICK_PAUSE_S
        health = self._states.get(mirror.source)
        if not health.well and health.next_probe > soon:
            self._states.soon(mirror.source, soon)

    # -- what people and the machine report -------------------------------------------------------------------------

    def probe_now(self, why: str, *, states: tuple[str, ...] = (), only: str = "") -> tuple[str, ...]:
        """Probe at once what is not well; with `states` what is in one of them, with `only` that mirror, well or not.

        Returns the names of the mirrors that are probed. Those set offline by hand are left alone.
        """
        probed = []
        for mirror in self._probing.distinct():
            health = self._states.get(mirror.source)
            fits = mirror.name == only if only else (health.state in states if states else not health.well)
            if not fits or self._modes.of(mirror.name)[0] == "on":
                continue
            self._states.soon(mirror.source, time.monotonic(), anyway=True)
            if health.well:
                self._probing.ask(mirror)
            else:
                self._probing.follow(mirror)
            probed.append(mirror.name)
        if probed:
            log.info("%s: probing %s", why, ", ".join(probed))
        return tuple(probed)

    def network_changed(self, why: str) -> None:
        """Say that interfaces or routes changed, or the machine woke: connections are dead, states may be over."""
        self._upstream.drop_pools()
        log.info("%s", why)
        if self._contacts.background:
            self.probe_now(why)
            return
        for mirror in self._probing.distinct():  # no work unasked: the next one who asks has it probed at once
            if self._contacts.is_wanted(mirror):
                self._states.soon(mirror.source, time.monotonic())
