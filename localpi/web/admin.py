"""What the owner's CLI and TUI ask for and devpi's URLs do not have: `/+admin/…`, for root and the owner alone."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request

from localpi.errors import BadRequest
from localpi.simple.names import normalize
from localpi.web.answers import answer_plain_json
from localpi.web.context import demand_root, json_object, the_context, the_library

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("admin", __name__, url_prefix="/+admin")


@blueprint.before_request
def demand_owner() -> None:
    """Let nobody else in."""
    demand_root()


@blueprint.get("/status")
def show_status() -> Response:
    """Answer how things are, for `localpi status`."""
    context = the_context()
    library = context.library
    bodies, size = context.hot.totals()
    return answer_plain_json(
        {
            "version": context.site.version,
            "pid": os.getpid(),
            "serial": library.serial(),
            "bases": [asdict(base) for base in library.bases()],
            "latency_ms": library.mirroring.latencies(),
            "cache": asdict(library.cache_use()),
            "notes": library.mirroring.notes(),
            "hot": {"pages": bodies, "bytes": size},
            "refused_hosts": [asdict(refused) for refused in context.refusals.within_the_hour()],
        }
    )


@blueprint.get("/tokens")
def list_tokens() -> Response:
    """Answer the tokens of all users, or of `?user=`; their secrets are not kept."""
    library, principal = the_library(), demand_root()
    user = request.args.get("user")
    users = [user] if user is not None else sorted(library.users.all())
    found = [_token(row) for name in users for row in library.accounts.tokens(principal, name)]
    return answer_plain_json({"tokens": found})


@blueprint.post("/tokens")
def create_token() -> Response:
    """Make a token from `{user, scope, index, expires_s, description}`; it is readable this once."""
    asked = json_object()
    expires = asked.get("expires_s")
    if expires is not None and (not isinstance(expires, int) or isinstance(expires, bool)):
        raise BadRequest("expires_s must be whole seconds")
    token, row = the_library().accounts.create_token(
        demand_root(),
        _text(asked, "user") or "root",
        scope=_text(asked, "scope") or "upload",
        index=_text(asked, "index"),
        expires_s=expires,
        description=_text(asked, "description") or "",
    )
    response = answer_plain_json({"token": token, **_token(row)}, status=201)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.delete("/tokens/<token_id>")
def revoke_token(token_id: str) -> Response:
    """End a token now."""
    the_library().accounts.revoke(demand_root(), token_id)
    return answer_plain_json({"message": f"token {token_id} revoked"})


@blueprint.post("/yank")
def yank() -> Response:
    """Yank a release, or with `"reason": null` take it back: `{index, project, version, reason}`."""
    asked = json_object()
    if "reason" not in asked:
        raise BadRequest('reason is needed: a text, "" for none, null to unyank')
    count = the_library().removal.yank(
        _needed(asked, "index"),
        demand_root(),
        normalize(_needed(asked, "project")),
        _needed(asked, "version"),
        _text(asked, "reason"),
    )
    return answer_plain_json({"files": count})


@blueprint.get("/check")
def check() -> Response:
    """Answer what is wrong in the store, nothing when all is well; `?deep` reads every file."""
    problems = the_library().check(deep="deep" in request.args)
    return answer_plain_json({"problems": [asdict(problem) for problem in problems]})


@blueprint.post("/users/<user>/password")
def set_password(user: str) -> Response:
    """Set a user's password from `{"password": …}`; their login tokens end."""
    the_library().accounts.set_password(demand_root(), user, _needed(json_object(), "password", empty=True))
    return answer_plain_json({"message": f"the password of {user} is set"})


def _token(row: Any) -> dict[str, Any]:
    """Return what is told of a token (the store's row): all but what proves it."""
    return {
        "id": row.id,
        "user": row.user,
        "scope": row.scope,
        "index": row.index,
        "created_us": row.created_us,
        "expires_us": row.expires_us,
        "description": row.description,
    }


def _text(asked: Any, key: str) -> str | None:
    value = asked.get(key)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{key} must be a text")
    return value


def _needed(asked: Any, key: str, *, empty: bool = False) -> str:
    value = _text(asked, key)
    if value is None or not (value or empty):
        raise BadRequest(f"{key} is needed")
    return value
