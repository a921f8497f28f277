"""Whether a mirror is there: a page of it, for a portal can pass any other test and fail this one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from localpi.errors import InvalidPage
from localpi.simple.names import normalize
from localpi.simple.parse import parse_page
from localpi.simple.read_names import read_names
from localpi.upstream.bodies import decoded
from localpi.upstream.mirror import origin_of
from localpi.upstream.outcomes import Fetched, Reachable, Unreachable
from localpi.upstream.pieces import Peeked
from localpi.upstream.portals import judge_no_page

if TYPE_CHECKING:
    from localpi.upstream.client import Upstream
    from localpi.upstream.mirror import Mirror

_LIST_BYTES: Final = 65_536
_LEAST_S: Final = 0.1


def probe(upstream: Upstream, mirror: Mirror, project: str, deadline_s: float) -> Reachable | Unreachable:
    """Ask for the page of `project`; where that looks like a portal, for one that the mirror lists itself.

    pypiserver, as it comes, redirects whoever asks for a name that it has not to another host, as portals do.
    """
    until = time.monotonic() + deadline_s
    outcome = _try_page(upstream, mirror, project, deadline_s)
    if not isinstance(outcome, Unreachable) or outcome.kind != "captive":
        return outcome
    listed = _a_listed_one(upstream, mirror, _left(until))
    if listed in {"", project}:
        return outcome
    second = _try_page(upstream, mirror, listed, _left(until))
    return outcome if isinstance(second, Unreachable) else second


def _left(until: float) -> float:
    return max(until - time.monotonic(), _LEAST_S)


def _try_page(upstream: Upstream, mirror: Mirror, project: str, deadline_s: float) -> Reachable | Unreachable:
    outcome = upstream.fetch_page(mirror, project, deadline_s=deadline_s, fresh=True)
    if isinstance(outcome, Unreachable):
        return outcome
    if isinstance(outcome, Fetched):
        body = decoded(outcome.body, outcome.encoding)
        try:
            parse_page(body, outcome.content_type, normalize(project), outcome.url)
        except InvalidPage as error:
            return judge_no_page(str(origin_of(outcome.url)), body, outcome.content_type, error)
    return Reachable()


def _a_listed_one(upstream: Upstream, mirror: Mirror, deadline_s: float) -> str:
    """Return the first name on the mirror's list of projects, "" where there is none to be had."""
    peeked = upstream.peek(mirror, most=_LIST_BYTES, deadline_s=deadline_s)
    if not isinstance(peeked, Peeked):
        return ""
    try:
        return next(iter(read_names(peeked.body, peeked.content_type, whole=peeked.whole)), "")
    except InvalidPage:
        return ""
