"""The cache for its owner: `/+admin/cache/…`, what `localpi cache` asks for; for root and the owner alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request

from localpi.errors import BadRequest
from localpi.index.cache_rows import Selection
from localpi.web.answers import answer_plain_json
from localpi.web.context import demand_root, json_object, the_library

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("admin_cache", __name__, url_prefix="/+admin/cache")


@blueprint.before_request
def demand_owner() -> None:
    """Let nobody else in."""
    demand_root()


@blueprint.get("")
def show() -> Response:
    """Answer totals, and with `?by=` the files grouped; `?name=` (many), `?index=`, `?unused_s=` select."""
    given = {"names": request.args.getlist("name"), "index": request.args.get("index")}
    unused = request.args.get("unused_s", "0")
    if not (unused.isascii() and unused.isdigit() and len(unused) < 12):
        raise BadRequest("unused_s must be whole seconds")
    selection = _selection({**given, "unused_s": int(unused)})
    return answer_plain_json(asdict(the_library().cache.report(selection, request.args.get("by", ""))))


@blueprint.post("/pin")
def pin() -> Response:
    """Pin `{names, index}`."""
    return answer_plain_json(asdict(the_library().cache.pin(_selection(json_object(), needed=True))))


@blueprint.post("/unpin")
def unpin() -> Response:
    """Let `{names, index}` be evicted again."""
    return answer_plain_json(asdict(the_library().cache.unpin(_selection(json_object(), needed=True))))


@blueprint.post("/evict")
def evict() -> Response:
    """Remove `{names, index, unused_s}` from the cache, or with `"all": true` everything that is not pinned."""
    asked = json_object()
    selection = _selection(asked)
    if selection.is_all and asked.get("all") is not True:
        raise BadRequest("say what is to go: names, index, unused_s, or all")
    return answer_plain_json(asdict(the_library().cache.evict(selection)))


@blueprint.get("/verify")
def show_verification() -> Response:
    """Answer how far the verification is, or what the last one found."""
    return answer_plain_json(asdict(the_library().verifier.state()))


@blueprint.post("/verify")
def verify() -> Response:
    """Begin to read all files again, or join the verification that runs."""
    return answer_plain_json(asdict(the_library().verifier.start()), status=202)


@blueprint.post("/gc")
def gc() -> Response:
    """Clear away what nothing can use."""
    return answer_plain_json(the_library().cache.gc())


def _selection(asked: Any, *, needed: bool = False) -> Selection:
    names, index, unused_s = asked.get("names") or [], asked.get("index") or "", asked.get("unused_s") or 0
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequest("names must be a list of texts")
    if not isinstance(index, str) or not isinstance(unused_s, int) or isinstance(unused_s, bool) or unused_s < 0:
        raise BadRequest("index must be a text, unused_s whole seconds")
    if needed and not names and not index:
        raise BadRequest("names are needed: projects, project==version, file names or sha256")
    return Selection(tuple(names), index, unused_s)
