"""The health of all mirrors: what contacts reported, and a thread that probes those that are not well."""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localpi.errors import CannotKnow
from localpi.index.health import Health, answered, failed
from localpi.upstream.outcomes import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localpi.index.mirror_index import MirrorIndex
    from localpi.upstream import Upstream

log = logging.getLogger(__name__)

PROBE_DEADLINE_S = 3.0
_WELL = Health()


def utc(at_us: int) -> str:
    """Write a time (µs UTC) as RFC 3339, to the second."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


class Watch:
    """Keeps the `Health` of each mirror's source. Thread-safe.

    `mirrors()` gives the mirrors that there are now; those that are gone, or point elsewhere now, are forgotten.
    """

    def __init__(
        self, upstream: Upstream, mirrors: Callable[[], Iterable[MirrorIndex]], now_us: Callable[[], int]
    ) -> None:
        self._upstream, self._mirrors, self._now_us = upstream, mirrors, now_us
        self._states: dict[str, Health] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def health(self, mirror: MirrorIndex) -> Health:
        """Return the state of the mirror; one never heard of is well."""
        return self._states.get(mirror.source, _WELL)

    def note_answer(self, mirror: MirrorIndex) -> None:
        """Say that its upstream gave an honest answer of any kind."""
        before = self.health(mirror)
        if before is _WELL:
            return
        with self._changed:
            self._states[mirror.source] = answered(self.health(mirror), self._now_us())
        if not before.reachable:
            log.warning("%s is back: it was %s (%s)", mirror.name, before.state, before.reason)

    def note_failure(self, mirror: MirrorIndex, kind: str, reason: str) -> None:
        """Say that a contact failed."""
        with self._changed:
            before = self.health(mirror)
            after = failed(
                before,
                kind,
                reason,
                now=time.monotonic(),
                now_us=self._now_us(),
                dice=random.random(),  # noqa: S311 spreads pauses, guards nothing
            )
            self._states[mirror.source] = after
            if not after.reachable and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        if before.state != after.state:
            log.warning("%s is %s: %s", mirror.name, after.state, reason)

    def next_probe(self, mirror: MirrorIndex) -> str | None:
        """Return when it is probed next, RFC 3339 UTC; None while it is well."""
        health = self.health(mirror)
        if health.reachable:
            return None
        pause_us = max(0, int((health.next_probe - time.monotonic()) * 1e6))
        return utc(self._now_us() + pause_us)

    def cannot_know(self, mirror: MirrorIndex, reason: str) -> CannotKnow:
        """Make the error for what cannot be known because of this mirror; `reason` where its state says none."""
        health = self.health(mirror)
        if health.reachable:
            return CannotKnow(mirror.name, reason)
        since = time.strftime("%H:%M", time.localtime(health.since_us / 1e6))
        return CannotKnow(mirror.name, health.reason or reason, state=health.state, since=since)

    def _run(self) -> None:
        """Probe whoever is due until all are well; one probe at a time."""
        while True:
            mirrors = {mirror.source: mirror for mirror in self._mirrors()}
            with self._changed:
                for source in self._states.keys() - mirrors.keys():
                    del self._states[source]
                ill = {source: health for source, health in self._states.items() if not health.reachable}
                if not ill:
                    self._thread = None
                    return
                source = min(ill, key=lambda one: ill[one].next_probe)
                pause = ill[source].next_probe - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
            outcome = self._upstream.probe(mirrors[source].upstream, PROBE_DEADLINE_S)
            if isinstance(outcome, Unreachable):
                self.note_failure(mirrors[source], outcome.kind, outcome.reason)
            else:
                self.note_answer(mirrors[source])
