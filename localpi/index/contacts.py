"""What contacts with mirrors came to: their states, and what is to be told of a failure.

Nothing here starts anything: probing.py and watch.py do.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from localpi.index.health import Health, answered, doubted, failed
from localpi.upstream.outcomes import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.journal import Journal
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.states import States
    from localpi.upstream import Upstream
    from localpi.upstream.outcomes import Reachable

HURRY_S = 30.0
"""So long after somebody asked, probes come in quick succession."""
TOUCH_S = 1.0
LOCKOUT_S = 60
"""Between two tries with a credential that was refused: some servers lock an account after a few."""
NEVER = float("inf")

_dice = random.Random()  # noqa: S311 -- spreads pauses, guards nothing; of its own, for threads draw from it


class Contacts:
    """Notes what came of each contact with a mirror. Thread-safe.

    `known_page(mirror)` names a project that the mirror has had, or "": a probe asks for it. `background`: whether
    probes go on when nobody asks.
    """

    def __init__(
        self,
        upstream: Upstream,
        states: States,
        journal: Journal,
        now_us: Callable[[], int],
        *,
        known_page: Callable[[MirrorIndex], str],
        background: bool,
    ) -> None:
        self._upstream, self._states, self._journal, self._now_us = upstream, states, journal, now_us
        self._known_page, self.background = known_page, background
        self._asked: dict[str, float] = {}
        self._answers: dict[str, float] = {}

    # -- what came of one -------------------------------------------------------------------------------------------

    def note_answer(self, mirror: MirrorIndex, took_s: float) -> None:
        """Say that its upstream gave an honest answer of any kind, after so many seconds."""
        self._answers[mirror.source], self._states.took[mirror.source] = time.monotonic(), took_s
        _, after = self._states.change(
            mirror.name, mirror.source, lambda before: answered(before, self._now_us(), took_s)
        )
        if after.well:
            self._journal.end_view(mirror.name)

    def note_failure(self, mirror: MirrorIndex, failure: Unreachable, *, probed: bool = False) -> tuple[Health, Health]:
        """Say that a contact failed: a request's, or with `probed` a probe's; the health before and after."""
        hurried = self.is_wanted(mirror)
        prudent = failure.kind == "auth" and self._upstream.has_credential(mirror.upstream)
        retry_after_s = max(failure.retry_after_s or 0, LOCKOUT_S if prudent else 0)

        def event(before: Health) -> Health:
            after = failed(
                before,
                failure.kind,
                with_remedy(mirror, failure),
                now=time.monotonic(),
                now_us=self._now_us(),
                dice=_dice.random(),
                probed=probed,
                hurried=hurried,
                retry_after_s=retry_after_s,
            )
            unasked = after.confirmed and not after.well and not hurried
            return replace(after, next_probe=NEVER) if unasked and not self.background else after

        return self._states.change(mirror.name, mirror.source, event)

    def note_silence(self, mirror: MirrorIndex) -> None:
        """Say that it takes connections and keeps who asks waiting."""
        self._states.change(
            mirror.name, mirror.source, lambda before: doubted(before, "keeps who asks waiting", self._now_us())
        )

    def answered_since(self, mirror: MirrorIndex, when: float) -> bool:
        """Say whether it has answered anybody since then, monotonic seconds."""
        return self._answers.get(mirror.source, 0.0) >= when

    # -- who wants it -----------------------------------------------------------------------------------------------

    def want(self, mirror: MirrorIndex) -> None:
        """Say that somebody asked for what it would have."""
        self._asked[mirror.source] = time.monotonic()

    def is_wanted(self, mirror: MirrorIndex) -> bool:
        """Say whether somebody asked of late."""
        return time.monotonic() - self._asked.get(mirror.source, -HURRY_S) < HURRY_S

    # -- making one -------------------------------------------------------------------------------------------------

    def touch(self, mirror: MirrorIndex) -> Reachable | Unreachable:
        """Connect and hang up: no name is sent."""
        return self._upstream.touch(mirror.upstream, TOUCH_S)

    def probe(self, mirror: MirrorIndex, within_s: float) -> Reachable | Unreachable:
        """Connect, then ask for a page; an honest answer is noted."""
        outcome = self.touch(mirror)
        if isinstance(outcome, Unreachable):
            return outcome
        began = time.monotonic()
        outcome = self._upstream.probe(mirror.upstream, within_s, project=self._known_page(mirror))
        if not isinstance(outcome, Unreachable):
            self.note_answer(mirror, time.monotonic() - began)
        return outcome


def with_remedy(mirror: MirrorIndex, failure: Unreachable) -> str:
    """Add to the reason what helps: whoever reads the status line knows what to do."""
    match failure.kind:
        case "auth":
            short = mirror.name.removeprefix("root/")
            return f"{failure.reason}; renew them with: localpi base set {short} --credentials"
        case "proxy" if "credentials" in failure.reason:
            return f"{failure.reason}; set them with: localpi config set upstream.proxy http://USER:PASSWORD@HOST:PORT"
        case "captive":
            return f"{failure.reason}; log in to the network, in a browser"
        case "certificate":
            return f"{failure.reason}; log in to the network, in a browser, or set upstream.ca_bundle"
    return failure.reason
