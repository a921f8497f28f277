"""`/+why/{user}/{index}/{project}`: why a name resolves as it does, and `/+why`: what was refused last."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from flask import Blueprint, request

from localpi.index.clock import utc
from localpi.index.waiting import Waiting
from localpi.simple.names import normalize
from localpi.web.answers import answer_plain_json
from localpi.web.context import index_name, the_library, when_asked
from localpi.web.parked import Parked

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("why", __name__)


@blueprint.get("/+why")
def show_last_refusal() -> Response:
    """Answer what was refused last, `{"refused": null}` when nothing was."""
    event = the_library().mirroring.journal.last_refusal()
    if event is None:
        return _uncached({"refused": None})
    told = {"index": event.index, "project": event.project, "reason": event.text, "at": utc(event.at_us)}
    return _uncached({"refused": told})


@blueprint.get("/+why/<user>/<index>/<project>")
def show_why(user: str, index: str, project: str) -> Response:
    """Answer for each base whether it was asked and why, what it said, what it adds; with `?version=` its files."""
    why = the_library().whys.explain(
        index_name(user, index), normalize(project), asked_at=when_asked(), version=request.args.get("version")
    )
    if isinstance(why, Waiting):
        raise Parked(why.ready, why.until)
    return _uncached(asdict(why))


def _uncached(value: object) -> Response:
    response = answer_plain_json(value)
    response.headers["Cache-Control"] = "no-store"
    return response
