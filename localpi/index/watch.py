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

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

PROBE_DEADLINE_S = 3.0
_WELL = Health()


def utc(at_us: int) -> str:
    """Write a time (µs UTC) as RFC 3339, to the second."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


class Watch:
    """Keeps each mirror's `Health` by index name. Thread-safe.

    `probe(index)` contacts the mirror's upstream once, within PROBE_DEADLINE_S, and returns None when it answered or
    else (kind, reason), the upstream room's words for what went wrong.
    """

    def __init__(self, probe: Callable[[str], tuple[str, str] | None], now_us: Callable[[], int]) -> None:
        self._probe, self._now_us = probe, now_us
        self._states: dict[str, Health] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def health(self, index: str) -> Health:
        """Return the state of the mirror; one never heard of is well."""
        return self._states.get(index, _WELL)

    def note_answer(self, index: str) -> None:
        """Say that its upstream gave an honest answer of any kind."""
        before = self.health(index)
        if before is _WELL:
            return
        with self._changed:
            self._states[index] = answered(self.health(index), self._now_us())
        if not before.reachable:
            log.warning("%s is back: it was %s (%s)", index, before.state, before.reason)

    def note_failure(self, index: str, kind: str, reason: str) -> None:
        """Say that a contact failed."""
        with self._changed:
            before = self.health(index)
            after = failed(
                before,
                kind,
                reason,
                now=time.monotonic(),
                now_us=self._now_us(),
                dice=random.random(),  # noqa: S311 spreads pauses, guards nothing
            )
            self._states[index] = after
            if not after.reachable and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        if before.state != after.state:
            log.warning("%s is %s: %s", index, after.state, reason)

    def next_probe(self, index: str) -> str | None:
        """Return when it is probed next, RFC 3339 UTC; None while it is well."""
        health = self.health(index)
        if health.reachable:
            return None
        pause_us = max(0, int((health.next_probe - time.monotonic()) * 1e6))
        return utc(self._now_us() + pause_us)

    def cannot_know(self, index: str, reason: str) -> CannotKnow:
        """Make the error for what cannot be known because of this mirror; `reason` where its state says none."""
        health = self.health(index)
        if health.reachable:
            return CannotKnow(index, reason)
        since = time.strftime("%H:%M", time.localtime(health.since_us / 1e6))
        return CannotKnow(index, health.reason or reason, state=health.state, since=since)

    def forget(self, index: str) -> None:
        """Take it for well again: its URL or credentials have changed."""
        with self._changed:
            self._states.pop(index, None)

    def _run(self) -> None:
        """Probe whoever is due until all are well; one probe at a time."""
        while True:
            with self._changed:
                ill = {name: health for name, health in self._states.items() if not health.reachable}
                if not ill:
                    self._thread = None
                    return
                name = min(ill, key=lambda one: ill[one].next_probe)
                pause = ill[name].next_probe - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
            outcome = self._probe(name)
            if outcome is None:
                self.note_answer(name)
            else:
                self.note_failure(name, *outcome)
