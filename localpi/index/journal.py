"""What happened that a person may ask about later: events, the last refusal, answers out of offline views."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.store.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.errors import LocalpiError
    from localpi.store import Store
    from localpi.store.events import Kind

log = logging.getLogger(__name__)

REFUSALS_EVERY_S = 2.0
MOST_NAMES = 1000
WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class OfflineView:
    """A mirror's offline view out of which resolvers were answered: since when (µs UTC), for which projects."""

    index: str
    since_us: int
    projects: tuple[str, ...]


class Journal:
    """Notes what happened. Thread-safe."""

    def __init__(self, store: Store, now_us: Callable[[], int]) -> None:
        self._store, self._now_us = store, now_us
        self._lock = threading.Lock()
        self._views: dict[str, tuple[int, dict[str, None]]] = {}
        self._refusal: Event | None = None
        self._refused_at = -REFUSALS_EVERY_S

    def note(self, kind: Kind, text: str, *, index: str | None = None, project: str | None = None) -> None:
        """Keep an event over restarts, and say it in the log."""
        log.warning("%s", text)
        self._store.events.add_later(Event(self._now_us(), kind, index, project, text))

    def refused(self, index: str, project: str, error: LocalpiError) -> None:
        """Remember the last refusal for `localpi why`; on disk at most one each REFUSALS_EVERY_S."""
        event = Event(self._now_us(), "refused", index, project, error.message)
        with self._lock:
            before, self._refusal = self._refusal, event
            now = time.monotonic()
            again = before is not None and (before.index, before.project) == (index, project)
            if now - self._refused_at < (REFUSALS_EVERY_S * 30 if again else REFUSALS_EVERY_S):
                return
            self._refused_at = now
        self._store.events.add_later(event)

    def last_refusal(self) -> Event | None:
        """Return what was refused last, before a restart too; None when nothing was."""
        return self._refusal or next(iter(self._store.events.recent(1, kind="refused")), None)

    def recent(self, limit: int) -> tuple[Event, ...]:
        """Return the last events but refusals, newest first."""
        return tuple(event for event in self._store.events.recent(limit * 2) if event.kind != "refused")[:limit]

    def warnings(self) -> tuple[str, ...]:
        """Return the changed bytes and namesakes of the last WARN_DAYS, each once, newest first."""
        since = self._now_us() - WARN_DAYS * 86_400_000_000
        events = (*self._store.events.recent(5, kind="changed"), *self._store.events.recent(5, kind="collision"))
        return tuple(dict.fromkeys(event.text for event in events if event.at_us > since))

    def answered_offline(self, index: str, project: str) -> None:
        """Note that a resolver was shown of a mirror's page only what is here: its lock may be worth a second look."""
        with self._lock:
            first = index not in self._views
            _, projects = self._views.setdefault(index, (self._now_us(), {}))
            if project in projects or len(projects) >= MOST_NAMES:
                return
            projects[project] = None
        if first:
            text = f"resolvers are answered from an offline view of {index}: only files that are here"
            self.note("offline-view", text, index=index, project=project)
        log.info("%s: answered from an offline view of %s", project, index)

    def end_view(self, index: str) -> None:
        """Say that the mirror's pages are whole again; the events keep what was."""
        with self._lock:
            self._views.pop(index, None)

    def views(self) -> tuple[OfflineView, ...]:
        """Return the offline views that resolvers were answered from and that have not ended."""
        with self._lock:
            return tuple(
                OfflineView(index, since_us, tuple(projects)) for index, (since_us, projects) in self._views.items()
            )
