"""`devpi push`: the method PUSH on an index, or a POST with the same JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, request

from localpi.index.publishing import LASTS_S
from localpi.index.push import read_push
from localpi.index.waiting import Waiting
from localpi.web.answers import answer_json
from localpi.web.context import index_name, json_object, the_context, the_library, who_asks
from localpi.web.parked import WAITED, Parked

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from localpi.index.errands import Errands
    from localpi.index.push import Actions, Asked

blueprint = Blueprint("push", __name__)


@blueprint.route("/<user>/<index>/", methods=["PUSH"])
def push(user: str, index: str) -> Response:
    """Push a release to another index of ours, or to an index elsewhere (`posturl`)."""
    name, principal, releasing = index_name(user, index), who_asks(), the_library().releasing
    the_context().check_may_read(request.environ)
    asked = read_push(json_object(), name)
    found = releasing.pushing.check(principal, name, asked)
    if not asked.target:
        done, actions = _apart(name, asked, partial(releasing.publishing.upload_elsewhere, principal, name, asked))
        return answer_json(actions, "actionlog", status=200 if done else 502)
    if found.stage is None:
        copy = partial(releasing.publishing.copy_from_mirror, principal, name, asked)
        _, actions = _apart(name, asked, lambda: (True, copy()))
        return answer_json(actions, "actionlog")
    return answer_json(releasing.pushing.push(principal, name, asked), "actionlog")


def _apart(source: str, asked: Asked, work: Callable[[], tuple[bool, Actions]]) -> tuple[bool, Actions]:
    """Do what needs the network on a thread of its own, and give the worker back meanwhile (raises Parked)."""
    errands: Errands[tuple[bool, Actions]] = the_context().errands
    outcome = errands.ask((source, asked), work, begun=WAITED in request.environ, lasts_s=LASTS_S)
    if isinstance(outcome, Waiting):
        raise Parked(outcome.ready, outcome.until, repeatable=True)
    return outcome
