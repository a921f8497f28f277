"""The state of each mirror's source, and what happens when one changes: other pages are shown, and it is told."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from localpi.index.health import Health, sooner

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.journal import Journal
    from localpi.index.stamps import Stamps

log = logging.getLogger(__name__)

WELL = Health()


class States:
    """`Health` by source. Reading takes no lock; `changed` is notified of every change, and is the lock of them all."""

    def __init__(self, stamps: Stamps, journal: Journal) -> None:
        self._stamps, self._journal = stamps, journal
        self._states: dict[str, Health] = {}
        self.took: dict[str, float] = {}
        """Seconds that the last answer of a source took."""
        self.losses: dict[str, int] = {}
        """How often a source has been lost: what was under way then may hang for long after it is back."""
        self.changed = threading.Condition()

    def get(self, source: str) -> Health:
        """Return the state; one never heard of is well."""
        return self._states.get(source, WELL)

    def change(self, name: str, source: str, event: Callable[[Health], Health]) -> tuple[Health, Health]:
        """Apply an event to the state of the mirror `name`; what it was and what it is."""
        with self.changed:
            before = self._states.get(source, WELL)
            after = event(before)
            if after == before:
                return before, before
            self._states[source] = after
            if before.well and not after.well:
                self.losses[source] = self.losses.get(source, 0) + 1
            if (before.well, before.filters) != (after.well, after.filters):
                self._stamps.bump_config()  # every page that any index shows may look different now
            self.changed.notify_all()
        self._tell(name, before, after)
        return before, after

    def soon(self, source: str, at: float, *, anyway: bool = False) -> None:
        """Bring the next probe forward to `at` (monotonic seconds), `anyway` even where a server asked for a pause."""
        with self.changed:
            before = self._states.get(source, WELL)
            after = sooner(before, at, anyway=anyway)
            if after is not before:
                self._states[source] = after
                self.changed.notify_all()

    def forget(self, source: str) -> None:
        """Forget a source that no mirror has any more."""
        with self.changed:
            self._states.pop(source, None)
            self.took.pop(source, None)

    def _tell(self, name: str, before: Health, after: Health) -> None:
        if after.confirmed and (not before.confirmed or before.state != after.state):
            self._journal.note("state", f"{name} is {after.state}: {after.reason}", index=name)
        elif before.confirmed and after.well:
            self._journal.note("state", f"{name} is back; it was {before.state}", index=name)
        elif before.state != after.state:
            log.info("%s is %s: %s", name, after.state, after.reason or f"was {before.state}")
