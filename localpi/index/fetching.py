"""The flight for a project page: ask the upstream, judge what it sent, render it, keep it.

What is not a page of that project never replaces one, and what a page may not take away stays (succession.py).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from localpi.errors import InvalidPage
from localpi.index.bodies import Bodies
from localpi.index.freshness import PAGE_DEADLINE_S
from localpi.index.known import Known
from localpi.index.succession import nothing_lost, with_kept
from localpi.simple.links import link_page
from localpi.simple.parse import parse_page
from localpi.simple.render import count_files, render_json
from localpi.store.pages import StoredPage
from localpi.upstream.bodies import decoded
from localpi.upstream.mirror import origin_of
from localpi.upstream.outcomes import Fetched, Missing, NotModified, Progress, Unreachable
from localpi.upstream.portals import judge_no_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.announcing import Announcing
    from localpi.index.keeping import Keeping
    from localpi.index.known import KnownPages
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.presence import Presence
    from localpi.index.stamps import Stamps
    from localpi.index.watch import Watch
    from localpi.simple.model import Page
    from localpi.simple.names import ProjectName
    from localpi.store import Store
    from localpi.upstream import Upstream

log = logging.getLogger(__name__)

BODIES_LIMIT = 32 << 20
CONFIRM_AFTER_S = 60
LEAST_PACE = 1000
"""Bytes a second below which a page that is under way counts as silent."""


@dataclass(slots=True)
class UnderWay:
    """A page that is being fetched: since when (monotonic seconds), and how much of it has come."""

    since: float
    progress: Progress

    def is_silent(self, now: float) -> bool:
        """Say whether a second has gone by and hardly anything has come."""
        elapsed = now - self.since
        return elapsed >= 1.0 and self.progress.received < LEAST_PACE * elapsed


class Fetching:
    """Fetches pages, and renders those that are stored. Thread-safe."""

    def __init__(
        self,
        *,
        store: Store,
        upstream: Upstream,
        stamps: Stamps,
        watch: Watch,
        keeping: Keeping,
        presence: Presence,
        known: KnownPages,
        announcing: Announcing,
        now_us: Callable[[], int],
    ) -> None:
        self._store, self._upstream, self._stamps = store, upstream, stamps
        self._watch, self._keeping, self._presence = watch, keeping, presence
        self._known, self._announcing, self._now_us = known, announcing, now_us
        self._bodies = Bodies(BODIES_LIMIT)
        self._shrunk: dict[tuple[str, str], float] = {}
        self._under_way: dict[tuple[str, str], UnderWay] = {}
        # Two parses at once starve the serving loop through the GIL (measured).
        self._parsing = threading.Lock()

    def under_way(self, mirror: MirrorIndex, project: ProjectName) -> UnderWay | None:
        """Return how far the fetch of a page is, None when nobody is at it (yet)."""
        return self._under_way.get((mirror.source, project))

    def fetch(self, mirror: MirrorIndex, project: ProjectName) -> None:
        """Ask for the page and keep what came. Where the mirror went away while this waited, nobody is asked."""
        if not self._watch.reachable(mirror):
            known = self._known.recall(mirror.source, project)
            failed = replace(known, asked_at=time.monotonic(), failure=self._watch.health(mirror).reason)
            self._known.remember(mirror.source, project, failed)
            return
        key = (mirror.source, project)
        under_way = self._under_way[key] = UnderWay(time.monotonic(), Progress())
        try:
            self._fetch(mirror, project, under_way)
        finally:
            if self._under_way.get(key) is under_way:
                del self._under_way[key]

    def body(self, mirror: MirrorIndex, project: ProjectName) -> bytes:
        """Return the page of the project as v1+json with our links, as it was stored last.

        Raises InvalidPage when what is stored is no page (the store was damaged).
        """
        body = self._bodies.get((mirror.name, mirror.source, project))
        if body is None:
            stored = self._store.pages.get(mirror.source, project)
            if stored is None:
                raise InvalidPage(f"no page of {project} is stored for {mirror.name}")
            body = self._render(mirror, self._read(stored), gone=stored.missing_us is not None)
            self._bodies.put((mirror.name, mirror.source, project), body)
        return body

    def drop(self, mirror: MirrorIndex, project: ProjectName) -> None:
        """Render the page anew the next time."""
        self._bodies.drop((mirror.name, mirror.source, project))
        self._stamps.bump(project)

    # -- what came --------------------------------------------------------------------------------------------------

    def _fetch(self, mirror: MirrorIndex, project: ProjectName, under_way: UnderWay) -> None:
        known = self._known.recall(mirror.source, project)
        head = known.head
        conditions = head if has_page(head) else None
        outcome = self._upstream.fetch_page(
            mirror.upstream,
            project,
            etag=conditions.etag if conditions else None,
            last_modified=conditions.last_modified if conditions else None,
            deadline_s=PAGE_DEADLINE_S,
            progress=under_way.progress,
        )
        took_s = time.monotonic() - under_way.since
        if isinstance(outcome, Fetched):
            outcome = self._take(mirror, project, outcome, head)
        match outcome:
            case NotModified() if head is not None:
                self._note_unchanged(mirror, project, outcome, head)
            case Missing():
                self._note_missing(mirror, project, head)
            case Unreachable():
                log.info("%s: %s: %s", mirror.name, project, outcome.reason)
                self._watch.note_failure(mirror, outcome, began=under_way.since)
                known = self._known.recall(mirror.source, project)
                if known.asked_at < under_way.since:  # else a later one has told better
                    failed = replace(known, asked_at=time.monotonic(), failure=outcome.reason)
                    self._known.remember(mirror.source, project, failed)
                return
        self._watch.note_answer(mirror, took_s)

    def _note_unchanged(self, mirror: MirrorIndex, project: ProjectName, answer: NotModified, head: StoredPage) -> None:
        now_us, etag = self._now_us(), answer.etag or head.etag
        fresh = replace(head, fetched_us=now_us, max_age_s=answer.max_age_s, etag=etag, missing_us=None)
        self._store.pages.touch_later(mirror.source, project, now_us, answer.max_age_s, etag)
        self._known.remember(mirror.source, project, Known(fresh, time.monotonic()))

    def _note_missing(self, mirror: MirrorIndex, project: ProjectName, head: StoredPage | None) -> None:
        now_us = self._now_us()
        if has_page(head):
            self._keeping.compare(mirror, self._older(mirror, project), None)
        missing = StoredPage.missing(mirror.source, project, now_us)
        self._store.pages.put_later(missing)
        if head is not None and head.status == "present":
            missing = replace(head, fetched_us=now_us, missing_us=head.missing_us or now_us)
        self._known.remember(mirror.source, project, Known(missing, time.monotonic()))
        if head is None or (head.status == "present" and head.missing_us is None):
            self.drop(mirror, project)

    def _take(
        self, mirror: MirrorIndex, project: ProjectName, fetched: Fetched, head: StoredPage | None
    ) -> Fetched | Unreachable:
        """Check, render and store a page that came; what is not one never replaces one."""
        serial_before = head.serial if head is not None else None
        went_back = fetched.serial is not None and serial_before is not None and fetched.serial < serial_before
        if went_back and not mirror.config.mirror_ignore_serial_header:
            return Unreachable("broken", f"sent an older page of {project} (serial {fetched.serial} < {serial_before})")
        stored = _stored(mirror, project, fetched, self._now_us())
        try:
            page = self._read(stored)
            body = self._render(mirror, page)
        except InvalidPage as error:
            where = str(origin_of(stored.url))
            return judge_no_page(where, decoded(stored.body, stored.encoding), stored.content_type, error)
        if head is not None and has_page(head):
            if self._is_doubtful(mirror, project, stored, body):
                text = "%s: %s lost over half of its files; kept until a later look confirms it"
                log.warning(text, mirror.name, project)
                kept = replace(head, fetched_us=stored.fetched_us, max_age_s=CONFIRM_AFTER_S)
                self._known.remember(mirror.source, project, Known(kept, time.monotonic()))
                return fetched
            if not nothing_lost(self.body(mirror, project), body):
                self._keeping.compare(mirror, self._older(mirror, project), page)
                body = self._render(mirror, page)
        self._store_page(mirror, stored, body)
        return fetched

    def _store_page(self, mirror: MirrorIndex, stored: StoredPage, body: bytes) -> None:
        key = (mirror.name, mirror.source, stored.project)
        unchanged = self._bodies.get(key) == body
        # Order: the answer first, then the disk. `pages` gives what is on its way to the disk to those who ask.
        self._store.pages.put_later(stored)
        self._bodies.put(key, body)
        self._known.remember(mirror.source, stored.project, Known(replace(stored, body=b""), time.monotonic()))
        if unchanged:
            return
        for other in self._announcing.depending(mirror, stored):
            self._bodies.drop((other.name, other.source, stored.project))
        self._stamps.bump(stored.project)
        if not self._store.seen.has(mirror.source, stored.project):
            self._store.seen.add_later(mirror.source, stored.project, stored.fetched_us)
            self._keeping.look_for_namesakes(mirror, stored)

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

    # -- rendering --------------------------------------------------------------------------------------------------

    def _older(self, mirror: MirrorIndex, project: ProjectName) -> Page | None:
        stored = self._store.pages.get(mirror.source, project)
        return self._read(stored) if stored is not None else None

    def _read(self, stored: StoredPage) -> Page:
        with self._parsing:
            body = decoded(stored.body, stored.encoding)
            return _offered(parse_page(body, stored.content_type, stored.project, stored.url))

    def _render(self, mirror: MirrorIndex, page: Page, *, gone: bool = False) -> bytes:
        """Write a page with our links; with `gone` it lists none but the kept files."""
        kept = self._store.kept.of(mirror.source, page["name"])
        if gone:
            page = cast("Page", {**page, "files": []})
        page = with_kept(page, kept, self._presence.of(mirror.source))
        with self._parsing:
            return render_json(self._announcing.complete(mirror, link_page(page, mirror.name)))


def has_page(head: StoredPage | None) -> bool:
    """Say whether a page is here and the upstream had it when it was asked last."""
    return head is not None and head.status == "present" and head.missing_us is None


def _stored(mirror: MirrorIndex, project: ProjectName, fetched: Fetched, now_us: int) -> StoredPage:
    return StoredPage(
        source=mirror.source,
        project=project,
        status="present",
        url=fetched.url,
        content_type=fetched.content_type,
        encoding=fetched.encoding,
        body=fetched.body,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        fetched_us=now_us,
        max_age_s=fetched.max_age_s,
        serial=fetched.serial,
        missing_us=None,
    )


def _offered(page: Page) -> Page:
    """PEP 792: a quarantined project offers no files."""
    if page.get("project-status", {}).get("status") == "quarantined":
        page["files"] = []
    return page
