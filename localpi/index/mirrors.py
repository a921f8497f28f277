"""What a mirror says about a project: from the store while fresh, else by one flight to its upstream.

A look never blocks on the network: it answers, or says `Waiting`. The flight stores its page itself, so the asker may
leave. Pages are kept under their source (the normalised upstream URL), so a changed `mirror_url` never shows old ones.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localpi.errors import InvalidPage
from localpi.index.bodies import Bodies
from localpi.index.flights import Flights
from localpi.index.freshness import PAGE_DEADLINE_S, Age, fresh_for_s, wait_until
from localpi.index.known import Known, KnownPages
from localpi.index.resolve import Said, Word, claims_name
from localpi.index.waiting import Waiting
from localpi.simple.links import link_page
from localpi.simple.parse import parse_page
from localpi.simple.render import count_files, render_json
from localpi.store.pages import StoredPage
from localpi.upstream.bodies import decoded
from localpi.upstream.outcomes import Fetched, Missing, NotModified, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.stamps import Stamps
    from localpi.index.watch import Watch
    from localpi.simple.model import Page
    from localpi.simple.names import ProjectName
    from localpi.store import Store
    from localpi.upstream import Upstream

log = logging.getLogger(__name__)

BODIES_LIMIT = 32 << 20
CONFIRM_AFTER_S = 60


@dataclass(frozen=True, slots=True)
class Look:
    """What a mirror says now: `said`, and until when (monotonic seconds) it may be repeated without looking again."""

    said: Said
    fresh_until: float
    serial: int | None = None


class Mirrors:
    """Looks at mirrors and keeps what they said."""

    def __init__(
        self, store: Store, upstream: Upstream, stamps: Stamps, watch: Watch, now_us: Callable[[], int]
    ) -> None:
        self._store, self._upstream, self._stamps = store, upstream, stamps
        self._watch, self._now_us = watch, now_us
        self._flights: Flights[None] = Flights("page")
        self._memory = KnownPages(store.pages)
        self._bodies = Bodies(BODIES_LIMIT)
        self._shrunk: dict[tuple[str, str], float] = {}
        # Two parses at once starve the serving loop through the GIL (measured).
        self._parsing = threading.Lock()

    def look(
        self, mirror: MirrorIndex, project: ProjectName, *, asked_at: float, revalidate: bool = False
    ) -> Look | Waiting:
        """Say whether the mirror has the project, or wait for it to say.

        `asked_at` (monotonic) is when the client asked first; what the upstream said after that is taken as it is,
        however short-lived. `revalidate` asks the upstream even where the stored page is fresh (RFC 9111 no-cache).
        """
        known = self._memory.recall(mirror.source, project)
        head = known.head
        now = time.monotonic()
        asked_since = known.asked_at >= asked_at
        if head is not None and not (revalidate and not asked_since):
            age = Age(head.fetched_us, head.max_age_s, head.status == "missing" or head.missing_us is not None)
            left = fresh_for_s(age, self._now_us(), mirror.config.mirror_cache_expiry)
            if left > 0:
                return self._say(mirror, project, known, now + left)
        if asked_since:
            return self._say(mirror, project, known, now)
        health = self._watch.health(mirror)
        if not health.reachable:
            return self._say(mirror, project, replace(known, failure=health.reason), now)
        flight = self._flights.join(
            mirror.source,
            (mirror.source, project),
            lambda: self._fetch(mirror, project),
            PAGE_DEADLINE_S,
        )
        until = wait_until(asked_at, flight.until, stale_here=_has_page(head))
        if now >= until:
            return self._say(mirror, project, replace(known, failure=known.failure or "does not answer"), now)
        return Waiting(flight.has_landed, until)

    def body(self, mirror: MirrorIndex, project: ProjectName) -> bytes:
        """Return the mirror's page of the project as v1+json with our links, as it was stored last.

        Raises InvalidPage when what is stored is no page (the store was damaged).
        """
        body = self._bodies.get((mirror.name, mirror.source, project))
        if body is None:
            stored = self._store.pages.get(mirror.source, project)
            if stored is None:
                raise InvalidPage(f"no page of {project} is stored for {mirror.name}")
            body = self._render(mirror, project, stored)
            self._bodies.put((mirror.name, mirror.source, project), body)
        return body

    def forget(self, mirror: MirrorIndex, project: ProjectName) -> None:
        """Make the next look ask the upstream without conditions; what is stored stays until it answers."""
        known = self._memory.recall(mirror.source, project)
        if known.head is not None:
            stale = replace(known.head, fetched_us=0, etag=None, last_modified=None)
            self._memory.remember(mirror.source, project, Known(stale))
        self._stamps.bump(project)

    def _say(self, mirror: MirrorIndex, project: ProjectName, known: Known, fresh_until: float) -> Look:
        head = known.head
        config = mirror.config
        hold = config.unseen == "hold"
        owns = claims_name(config.claims, project)
        if head is not None and head.status == "present" and head.missing_us is None:
            return Look(Said(mirror.name, Word.HAS, owns, hold), fresh_until, head.serial)
        if head is not None and (head.status == "missing" or head.missing_us is not None) and not known.failure:
            return Look(Said(mirror.name, Word.ABSENT, owns, hold), fresh_until)
        owns = owns or self._store.seen.has(mirror.source, project)
        return Look(Said(mirror.name, Word.UNKNOWN, owns, hold, known.failure or "does not answer"), fresh_until)

    # -- the flight ---------------------------------------------------------------------------------------------

    def _fetch(self, mirror: MirrorIndex, project: ProjectName) -> None:
        known = self._memory.recall(mirror.source, project)
        head = known.head
        conditions = head if _has_page(head) else None
        outcome = self._upstream.fetch_page(
            mirror.upstream,
            project,
            etag=conditions.etag if conditions else None,
            last_modified=conditions.last_modified if conditions else None,
            deadline_s=PAGE_DEADLINE_S,
        )
        if isinstance(outcome, Fetched):
            outcome = self._take(mirror, project, outcome, head)
        now_us = self._now_us()
        match outcome:
            case NotModified() if head is not None:
                fresh = replace(
                    head,
                    fetched_us=now_us,
                    max_age_s=outcome.max_age_s,
                    etag=outcome.etag or head.etag,
                    missing_us=None,
                )
                self._store.pages.touch_later(
                    mirror.source, project, now_us, outcome.max_age_s, outcome.etag or head.etag
                )
                self._memory.remember(mirror.source, project, Known(fresh, time.monotonic()))
            case Missing():
                self._note_missing(mirror, project, head, now_us)
            case Unreachable():
                log.warning("%s: %s: %s", mirror.name, project, outcome.reason)
                self._watch.note_failure(mirror, outcome.kind, outcome.reason)
                self._memory.remember(
                    mirror.source, project, replace(known, asked_at=time.monotonic(), failure=outcome.reason)
                )
                return
        self._watch.note_answer(mirror)

    def _take(
        self, mirror: MirrorIndex, project: ProjectName, fetched: Fetched, head: StoredPage | None
    ) -> Fetched | Unreachable:
        """Check, render and store a page that came; what is not one never replaces one."""
        serial_before = head.serial if head is not None else None
        went_back = fetched.serial is not None and serial_before is not None and fetched.serial < serial_before
        if went_back and not mirror.config.mirror_ignore_serial_header:
            return Unreachable("broken", f"sent an older page of {project} (serial {fetched.serial} < {serial_before})")
        stored = StoredPage(
            source=mirror.source,
            project=project,
            status="present",
            url=fetched.url,
            content_type=fetched.content_type,
            encoding=fetched.encoding,
            body=fetched.body,
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            fetched_us=self._now_us(),
            max_age_s=fetched.max_age_s,
            serial=fetched.serial,
            missing_us=None,
        )
        try:
            body = self._render(mirror, project, stored)
        except InvalidPage as error:
            return Unreachable(
                "captive" if _is_login(stored) else "broken", f"sent no page of {project}: {error.message}"
            )
        if head is not None and _has_page(head) and self._is_doubtful(mirror, project, stored, body):
            log.warning("%s: %s lost over half of its files; kept until a later look confirms it", mirror.name, project)
            kept = replace(head, fetched_us=stored.fetched_us, max_age_s=CONFIRM_AFTER_S)
            self._memory.remember(mirror.source, project, Known(kept, time.monotonic()))
            return fetched
        key = (mirror.name, mirror.source, project)
        unchanged = self._bodies.get(key) == body
        # Order: the answer first, then the disk. `pages` gives what is on its way to the disk to those who ask.
        self._store.pages.put_later(stored)
        self._bodies.put(key, body)
        self._memory.remember(mirror.source, project, Known(replace(stored, body=b""), time.monotonic()))
        if not unchanged:
            self._stamps.bump(project)
            self._store.seen.add_later(mirror.source, project, stored.fetched_us)
        return fetched

    def _is_doubtful(self, mirror: MirrorIndex, project: ProjectName, stored: StoredPage, body: bytes) -> bool:
        """Say whether the page lost over half of its files and nothing has confirmed that a minute later."""
        key = (mirror.source, project)
        before = self._store.pages.get(*key)
        if before is None or (before.encoding == stored.encoding and len(stored.body) * 3 > len(before.body) * 2):
            self._shrunk.pop(key, None)  # not much smaller: no need to look closer
            return False
        if count_files(self.body(mirror, project)) <= 2 * count_files(body):
            self._shrunk.pop(key, None)
            return False
        now = time.monotonic()
        if now - self._shrunk.setdefault(key, now) < CONFIRM_AFTER_S:
            return True
        del self._shrunk[key]
        return False

    def _note_missing(self, mirror: MirrorIndex, project: ProjectName, head: StoredPage | None, now_us: int) -> None:
        missing = StoredPage.missing(mirror.source, project, now_us)
        self._store.pages.put_later(missing)
        if head is not None and head.status == "present":
            missing = replace(head, fetched_us=now_us, missing_us=head.missing_us or now_us)
        self._memory.remember(mirror.source, project, Known(missing, time.monotonic()))
        if head is None or (head.status == "present" and head.missing_us is None):
            self._stamps.bump(project)

    def _render(self, mirror: MirrorIndex, project: ProjectName, stored: StoredPage) -> bytes:
        with self._parsing:
            page = parse_page(decoded(stored.body, stored.encoding), stored.content_type, project, stored.url)
            return render_json(link_page(_offered(page), mirror.name))


def _has_page(head: StoredPage | None) -> bool:
    return head is not None and head.status == "present" and head.missing_us is None


def _is_login(stored: StoredPage) -> bool:
    """Say whether what came instead of a page is what portals and single sign-on send: a form, a script, a refresh."""
    body = decoded(stored.body, stored.encoding)[:200_000].lower()
    return any(sign in body for sign in (b"<form", b"<script", b"http-equiv"))


def _offered(page: Page) -> Page:
    """PEP 792: a quarantined project offers no files."""
    if page.get("project-status", {}).get("status") == "quarantined":
        page["files"] = []
    return page
