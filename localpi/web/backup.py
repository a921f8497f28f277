"""`/+admin/backup`: what the owner's program writes into a backup, made ready in a folder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, request

from localpi.index.backup import LASTS_S, Prepared
from localpi.index.waiting import Waiting
from localpi.web.answers import answer_plain_json
from localpi.web.context import demand_root, json_object, the_context, the_library
from localpi.web.parked import WAITED, Parked

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from localpi.index.errands import Errands

blueprint = Blueprint("backup", __name__, url_prefix="/+admin/backup")


@blueprint.before_request
def demand_owner() -> None:
    """Let nobody else in."""
    demand_root()


@blueprint.post("")
def prepare_backup() -> Response:
    """Make a copy of everything that is ours, `{"cache": true}` of the cache too, and answer where it is."""
    cache = bool(json_object(empty=True).get("cache"))
    errands: Errands[Prepared] = the_context().backups
    work = partial(the_library().backups.prepare, cache=cache)
    prepared = errands.ask(("backup", cache), work, begun=WAITED in request.environ, lasts_s=LASTS_S)
    if isinstance(prepared, Waiting):
        raise Parked(prepared.ready, prepared.until, repeatable=True)
    copied = prepared.copied
    return answer_plain_json(
        {
            "id": prepared.id,
            "folder": str(prepared.folder),
            "files": copied.files,
            "bytes": copied.bytes,
            "missing": list(copied.missing),
        }
    )


@blueprint.delete("/<name>")
def clear_backup(name: str) -> Response:
    """Remove a copy that has been written."""
    the_library().backups.clear(name)
    return answer_plain_json({"message": f"backup {name} cleared away"})
