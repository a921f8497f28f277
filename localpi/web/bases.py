"""Checks of URLs that shall be bases, for root and the owner: begun with POST, awaited with GET, which is parked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from flask import Blueprint

from localpi.errors import BadRequest
from localpi.index.waiting import Waiting
from localpi.web.answers import answer_plain_json
from localpi.web.context import demand_root, json_object, the_library
from localpi.web.parked import Parked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

blueprint = Blueprint("bases", __name__, url_prefix="/+admin/bases")
MOST_NAMES = 200


@blueprint.before_request
def demand_owner() -> None:
    """Let nobody else in."""
    demand_root()


@blueprint.post("/check")
def begin_check() -> Response:
    """Begin to look at `{url, user, password, names}` and answer `{check}`, the id that its outcome has."""
    asked = json_object()
    url, user, password = (_text(asked, key) for key in ("url", "user", "password"))
    if not url:
        raise BadRequest("url is needed")
    names = asked.get("names") or []
    if not isinstance(names, list) or len(names) > MOST_NAMES or not all(isinstance(name, str) for name in names):
        raise BadRequest(f"names must be a list of at most {MOST_NAMES} texts")
    key = the_library().base_checks.begin(url, user, password, names=tuple(names))
    return answer_plain_json({"check": key}, status=202)


@blueprint.get("/check/<key>")
def await_check(key: str) -> Response:
    """Answer what a check found, once, as soon as it is there."""
    found = the_library().base_checks.result(key)
    if isinstance(found, Waiting):
        raise Parked(found.ready, found.until)
    told = asdict(found.check)
    told["seen"], told["names"] = len(told["names"]), told["names"][:MOST_NAMES]
    return answer_plain_json({**told, "facts": found.facts, "claims": found.claims})


def _text(asked: Mapping[str, object], key: str) -> str:
    value = asked.get(key)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{key} must be a text")
    return value or ""
