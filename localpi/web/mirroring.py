"""Mirrors and their health, for root and the owner: `/+admin/offline`, `probe`, `events` and `accept`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request

from localpi.errors import BadRequest
from localpi.index.clock import utc
from localpi.index.mirror_index import mirror_index
from localpi.simple.names import normalize
from localpi.web.answers import answer_plain_json
from localpi.web.context import demand_root, json_object, the_library

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from localpi.index.mirror_index import MirrorIndex

blueprint = Blueprint("mirroring", __name__, url_prefix="/+admin")
MOST_EVENTS = 1000


@blueprint.before_request
def demand_owner() -> None:
    """Let nobody else in."""
    demand_root()


@blueprint.post("/offline")
def set_offline() -> Response:
    """Set `{mode: on|off|auto, index}` by hand; without an index for all mirrors."""
    asked = json_object()
    index = _mirror(asked).name if asked.get("index") else ""
    mode = asked.get("mode")
    if not isinstance(mode, str):
        raise BadRequest("mode is needed: on, off or auto")
    library = the_library()
    library.mirroring.set_offline(mode, index)
    return answer_plain_json({"bases": [asdict(base) for base in library.bases()]})


@blueprint.post("/probe")
def probe() -> Response:
    """Probe at once what is not well, or the mirror `{index}` whatever its state; the outcome is in `/+health`."""
    asked = json_object(empty=True)
    only = _mirror(asked).name if asked.get("index") else ""
    library = the_library()
    probed = library.watch.probe_now("asked for", only=only)
    return answer_plain_json({"probed": probed, "bases": [asdict(base) for base in library.bases()]}, status=202)


@blueprint.post("/accept")
def accept() -> Response:
    """Take the bytes that a mirror has now for files of `{index, project}` whose hash changed."""
    asked = json_object()
    mirror, project = _mirror(asked), asked.get("project")
    if not isinstance(project, str):
        raise BadRequest("project is needed")
    return answer_plain_json({"files": the_library().mirroring.mirrors.accept(mirror, normalize(project))})


@blueprint.get("/events")
def show_events() -> Response:
    """Answer what happened to mirrors, newest first; `?limit=`, 100 unless told."""
    limit = request.args.get("limit", "100")
    if not limit.isdecimal() or not 0 < int(limit) <= MOST_EVENTS:
        raise BadRequest(f"limit is a number up to {MOST_EVENTS}")
    events = the_library().mirroring.journal.recent(int(limit))
    told = [
        {"at": utc(event.at_us), "kind": event.kind, "index": event.index, "project": event.project, "text": event.text}
        for event in events
    ]
    return answer_plain_json({"events": told})


def _mirror(asked: Any) -> MirrorIndex:
    name = asked.get("index")
    if not isinstance(name, str):
        raise BadRequest("index is a mirror's name")
    found = the_library().registry.get(name)
    if found.mirror is None:
        raise BadRequest(f"{name} is no mirror")
    return mirror_index(name, found.mirror)
