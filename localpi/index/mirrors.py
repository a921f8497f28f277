"""What a mirror says about a project: from the store while fresh, else by one flight to its upstream.

A look never blocks on the network: it answers, or says `Waiting`. The flight stores its page itself (fetching.py), so
the asker may leave. Pages are kept under their source (the normalised upstream URL), so a changed `mirror_url` never
shows old ones.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localpi.index.fetching import has_page
from localpi.index.flights import Flights
from localpi.index.freshness import PAGE_DEADLINE_S, Age, fresh_for_s, wait_until
from localpi.index.known import Known
from localpi.index.offline_view import offline_view
from localpi.index.resolve import Said, Word, claims_name
from localpi.index.waiting import Waiting
from localpi.simple.render import load_page, render_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.fetching import Fetching
    from localpi.index.flights import Flight
    from localpi.index.known import KnownPages
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.presence import Presence
    from localpi.index.stamps import Stamps
    from localpi.index.watch import Watch
    from localpi.simple.names import ProjectName
    from localpi.store import Store

SILENCE_S = 1.0
"""A page of which nothing has come for so long makes its mirror doubtful; looked at again as often."""
VIEW_S = 5.0
"""How long an answer made without the mirror is repeated unasked: files may come and go meanwhile."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a mirror says now: `said`, and until when (monotonic seconds) it may be repeated without looking again.

    `at_us`: when its upstream said so, µs UTC; None when it never did. `filters`: its page is an offline view.
    """

    said: Said
    fresh_until: float
    serial: int | None = None
    at_us: int | None = None
    filters: bool = False


class Mirrors:
    """Looks at mirrors and keeps what they said."""

    def __init__(
        self,
        *,
        store: Store,
        stamps: Stamps,
        watch: Watch,
        presence: Presence,
        known: KnownPages,
        fetching: Fetching,
        now_us: Callable[[], int],
    ) -> None:
        self._store, self._stamps, self._watch = store, stamps, watch
        self._presence, self._known, self._fetching, self._now_us = presence, known, fetching, now_us
        self._flights: Flights[None] = Flights("page")

    def look(
        self, mirror: MirrorIndex, project: ProjectName, *, asked_at: float, revalidate: bool = False
    ) -> Look | Waiting:
        """Say whether the mirror has the project, or wait for it to say.

        `asked_at` (monotonic) is when the client asked first; what the upstream said after that is taken as it is,
        however short-lived. `revalidate` asks the upstream even where the stored page is fresh (RFC 9111 no-cache).
        """
        known = self._known.recall(mirror.source, project)
        head = known.head
        now = time.monotonic()
        health = self._watch.health(mirror)
        asked_since = known.asked_at >= asked_at
        left = self._fresh_for_s(mirror, known)
        if not health.reachable:
            self._watch.demand(mirror)
            away = known if left > 0 else replace(known, failure=health.reason or "away")
            return self._say(mirror, project, away, now + VIEW_S)
        if left > 0 and not (revalidate and not asked_since):
            return self._say(mirror, project, replace(known, failure=""), now + left)
        if asked_since:
            return self._say(mirror, project, known, now)
        losses = self._watch.losses(mirror)  # what was under way when it was lost may hang: nobody joins that
        flight = self._flights.join(
            (mirror.source, losses),
            (mirror.source, losses, project),
            lambda: self._fetching.fetch(mirror, project),
            PAGE_DEADLINE_S,
        )
        if health.state == "slow" and has_page(head):
            return self._say(mirror, project, known, now)
        until = wait_until(asked_at, flight.until, stale_here=has_page(head))
        if now >= until:
            return self._say(mirror, project, replace(known, failure=known.failure or "does not answer"), now)
        return self._wait(mirror, project, flight, until)

    def body(self, mirror: MirrorIndex, project: ProjectName) -> bytes:
        """Return the mirror's page of the project as v1+json with our links, as it was stored last.

        Where the mirror's health says so it is the offline view. Raises InvalidPage when what is stored is no page
        (the store was damaged).
        """
        body = self._fetching.body(mirror, project)
        if not self._watch.health(mirror).filters:
            return body
        return render_json(offline_view(load_page(body), self._presence.of(mirror.source)))

    def whole_body(self, mirror: MirrorIndex, project: ProjectName) -> bytes:
        """Return the page as it would be with the mirror at hand; raises as above."""
        return self._fetching.body(mirror, project)

    def forget(self, mirror: MirrorIndex, project: ProjectName) -> None:
        """Make the next look ask the upstream without conditions; what is stored stays until it answers."""
        known = self._known.recall(mirror.source, project)
        if known.head is not None:
            stale = replace(known.head, fetched_us=0, etag=None, last_modified=None)
            self._known.remember(mirror.source, project, Known(stale))
        self._stamps.bump(project)

    def accept(self, mirror: MirrorIndex, project: ProjectName) -> int:
        """Take the bytes that the mirror has now for files whose hash changed; how many there were."""
        kept = self._store.kept.of(mirror.source, project)
        gone = tuple(file for file in kept if file.why == "gone")
        self._store.kept.replace_later(mirror.source, project, gone)
        self._fetching.drop(mirror, project)
        return len(kept) - len(gone)

    def _fresh_for_s(self, mirror: MirrorIndex, known: Known) -> float:
        head = known.head
        if head is None:
            return 0.0
        age = Age(head.fetched_us, head.max_age_s, head.status == "missing" or head.missing_us is not None)
        return fresh_for_s(age, self._now_us(), mirror.config.mirror_cache_expiry)

    def _wait(self, mirror: MirrorIndex, project: ProjectName, flight: Flight[None], until: float) -> Waiting:
        """Wait for the flight, or for the mirror to be gone; look in each second whether anything comes."""
        now = time.monotonic()
        under_way = self._fetching.under_way(mirror, project)
        since = under_way.since if under_way is not None else now
        if under_way is not None and under_way.is_silent(now):
            self._watch.doubt(mirror)
            since = now
        pause = SILENCE_S - (now - since) % SILENCE_S
        return Waiting(
            lambda: flight.has_landed() or not self._watch.reachable(mirror), min(until, now + max(0.05, pause))
        )

    def _say(self, mirror: MirrorIndex, project: ProjectName, known: Known, fresh_until: float) -> Look:
        head = known.head
        hold = mirror.config.unseen == "hold"
        owns = claims_name(mirror.config.claims, project)
        filters = self._watch.health(mirror).filters
        at_us = head.fetched_us if head is not None else None
        if head is not None and (has_page(head) or self._has_gone(mirror, project, known)):
            said = Said(mirror.name, Word.HAS, owns, hold, known.failure)
            return Look(said, fresh_until, head.serial, at_us, filters)
        if head is not None and not known.failure:
            return Look(Said(mirror.name, Word.ABSENT, owns, hold), fresh_until, at_us=at_us)
        owns = owns or self._store.seen.has(mirror.source, project)
        said = Said(mirror.name, Word.UNKNOWN, owns, hold, known.failure or "does not answer")
        return Look(said, fresh_until)

    def _has_gone(self, mirror: MirrorIndex, project: ProjectName, known: Known) -> bool:
        """Say whether the upstream has the project no more, and files of it are here: those stay listed."""
        if known.head is None or known.head.status != "present":
            return False
        kept = self._store.kept.of(mirror.source, project)
        return any(file.why == "gone" and self._presence.has_file(mirror.source, file.entry) for file in kept)
