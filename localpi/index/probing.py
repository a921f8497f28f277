"""Threads that probe mirrors: one for each that is not well, or doubted, until it is well again.

One probe is in flight for each, however many ask, and one that hangs keeps no other from being found again. Where
connections are taken and nothing is answered a patient probe goes on beside the quick ones: a server that is always
slow is slow, not down, and one that is back is found by the quick ones.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from localpi.index.health import CONFIRM_S, ONE_PAGE
from localpi.upstream.outcomes import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localpi.index.contacts import Contacts
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.modes import Modes
    from localpi.index.states import States

    Work = Callable[[MirrorIndex], None]

log = logging.getLogger(__name__)

TOUCH_AGAIN_S = 5.0
DOUBT_S = 1.5
PROBE_S = 1.2
"""With the longest quick pause, 0.6 s, a base that is back is found within 2 s whatever the last probe met."""
PATIENT_S = 8.0
PATIENT_EVERY = 6
"""Every so many quick probes that met silence a patient one begins."""


class Probing:
    """Probes mirrors. `mirrors()` gives those that there are now. Thread-safe."""

    def __init__(
        self, contacts: Contacts, states: States, modes: Modes, mirrors: Callable[[], Iterable[MirrorIndex]]
    ) -> None:
        self._contacts, self._states, self._modes, self._mirrors = contacts, states, modes, mirrors
        self._touched: dict[str, float] = {}
        self._threads: set[str] = set()
        self._doubtful: set[str] = set()
        self._patient: set[str] = set()
        self._silences: dict[str, int] = {}
        self._closed = threading.Event()

    def distinct(self) -> tuple[MirrorIndex, ...]:
        """Return the mirrors, one for each upstream."""
        return tuple({mirror.source: mirror for mirror in self._mirrors()}.values())

    # -- what is wanted ---------------------------------------------------------------------------------------------

    def follow(self, mirror: MirrorIndex) -> None:
        """Probe a mirror that is not well until it is."""
        self._begin(mirror, None)

    def confirm(self, mirror: MirrorIndex) -> None:
        """Find out whether what one page met holds for another."""
        with self._states.changed:
            self._doubtful.add(mirror.source)
        self._begin(mirror, None)

    def ask(self, mirror: MirrorIndex) -> None:
        """Probe a mirror that is well because somebody wants to know."""
        self._begin(mirror, self._ask)

    def doubt(self, mirror: MirrorIndex) -> None:
        """Find out about a mirror that was well and is silent: gone (no connection), silent (no page), or slow."""
        self._begin(mirror, self._doubt)
        self.touch_others(mirror)

    def touch(self, mirror: MirrorIndex) -> None:
        """See by a bare connect whether it is gone, now and then."""
        now = time.monotonic()
        if self._states.get(mirror.source).well and now - self._touched.get(mirror.source, -60.0) > TOUCH_AGAIN_S:
            self._touched[mirror.source] = now
            self._begin(mirror, self._touch)

    def touch_others(self, mirror: MirrorIndex) -> None:
        """Look at the other mirrors as well: where one is gone the network may be."""
        for other in self.distinct():
            if other.source != mirror.source and self._modes.of(other.name)[0] == "auto":
                self.touch(other)

    def close(self) -> None:
        """Have all threads end with the probe that they are at."""
        self._closed.set()
        with self._states.changed:
            self._states.changed.notify_all()

    # -- on a mirror's thread ---------------------------------------------------------------------------------------

    def _begin(self, mirror: MirrorIndex, work: Work | None) -> None:
        """Start the mirror's thread where it has none."""
        with self._states.changed:
            if mirror.source in self._threads or self._closed.is_set():
                return
            self._threads.add(mirror.source)
        threading.Thread(target=self._live, args=(mirror, work), name=f"probe {mirror.name}", daemon=True).start()

    def _live(self, mirror: MirrorIndex, work: Work | None) -> None:
        try:
            if work is not None:
                work(mirror)
            while (step := self._next_step(mirror)) is not None:
                step(mirror)
        except Exception:
            log.exception("probing %s failed", mirror.name)
            with self._states.changed:
                self._threads.discard(mirror.source)

    def _next_step(self, mirror: MirrorIndex) -> Work | None:
        """Wait until there is something to do; None, and the thread is done, when there is no more."""
        with self._states.changed:
            while not self._closed.is_set():
                health = self._states.get(mirror.source)
                if not any(one.source == mirror.source for one in self._mirrors()):
                    self._states.forget(mirror.source)
                    break
                doubtful = mirror.source in self._doubtful
                self._doubtful.discard(mirror.source)
                if health.well:
                    if not doubtful:
                        break
                    return self._confirm
                off = self._modes.of(mirror.name)[0] == "on"
                pause = 1.0 if off else health.next_probe - time.monotonic()
                if pause <= 0:
                    return self._probe
                self._states.changed.wait(min(pause, 60.0))
            self._threads.discard(mirror.source)
            return None

    def _probe(self, mirror: MirrorIndex) -> None:
        """Probe a mirror that is not well."""
        outcome = self._contacts.probe(mirror, PROBE_S)
        if not isinstance(outcome, Unreachable):
            self._silences.pop(mirror.source, None)
            return
        self._report(mirror, outcome, probed=True)
        silences = self._silences.get(mirror.source, 0) + 1 if outcome.kind == "timeout" else 0
        self._silences[mirror.source] = silences
        if silences and silences % PATIENT_EVERY == 0:
            name = f"patient probe {mirror.name}"
            threading.Thread(target=self._wait_patiently, args=(mirror,), name=name, daemon=True).start()

    def _wait_patiently(self, mirror: MirrorIndex) -> None:
        """Probe for longer, one at a time; only an answer counts."""
        with self._states.changed:
            if mirror.source in self._patient:
                return
            self._patient.add(mirror.source)
        try:
            self._contacts.probe(mirror, PATIENT_S)
        except Exception:
            log.exception("probing %s failed", mirror.name)
        finally:
            with self._states.changed:
                self._patient.discard(mirror.source)

    def _confirm(self, mirror: MirrorIndex) -> None:
        """Ask for a page after what may have been the trouble of another; who met it is answered by then."""
        if self._closed.wait(CONFIRM_S):
            return
        outcome = self._contacts.probe(mirror, PATIENT_S)
        if isinstance(outcome, Unreachable):
            self._report(mirror, outcome, probed=True)

    def _doubt(self, mirror: MirrorIndex) -> None:
        began = time.monotonic()
        outcome = self._contacts.probe(mirror, DOUBT_S)
        if not isinstance(outcome, Unreachable):
            self._contacts.note_silence(mirror)
        elif not self._contacts.answered_since(mirror, began):
            self._report(mirror, outcome)

    def _ask(self, mirror: MirrorIndex) -> None:
        outcome = self._contacts.probe(mirror, PATIENT_S)
        if isinstance(outcome, Unreachable):
            self._report(mirror, outcome)

    def _touch(self, mirror: MirrorIndex) -> None:
        outcome = self._contacts.touch(mirror)
        if isinstance(outcome, Unreachable):
            self._report(mirror, outcome)

    def _report(self, mirror: MirrorIndex, failure: Unreachable, *, probed: bool = False) -> None:
        before, after = self._contacts.note_failure(mirror, failure, probed=probed)
        if after.well and failure.kind in ONE_PAGE:
            self._doubtful.add(mirror.source)
        if before.well and not after.well:
            self.touch_others(mirror)
