"""devpi's `+api`, `+login` and `+status`, and `+health`."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from flask import Blueprint, current_app, request
from werkzeug.exceptions import HTTPException

from localpi.errors import BadRequest, NotAllowed
from localpi.web.answers import answer_json, answer_plain_json
from localpi.web.context import index_name, json_object, quoted, root, the_context, the_library, who_asks

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("api", __name__)

FEATURES = ("push-no-docs", "push-only-docs", "push-register-project", "server-keyvalue-parsing")
"""What devpi's client may count on; it falls back, or says so, for what is not named."""


@blueprint.get("/+api")
@blueprint.get("/<user>/+api")
@blueprint.get("/<user>/<index>/+api")
def show_api(user: str = "", index: str = "") -> Response:
    """Answer where things are, as absolute URLs: devpi's client takes the server's root from `login`."""
    base = root()
    principal = who_asks()
    status: list[object] = ["noauth", "", []]
    if principal.name is not None:
        status = ["ok", principal.name, []]
    elif principal.rejected:
        status = ["expired", "", []]
    result: dict[str, object] = {"login": f"{base}/+login", "authstatus": status, "features": list(FEATURES)}
    if index:
        found = the_library().registry.get(index_name(user, index))
        url = base + quoted(user, index).removeprefix(quoted())
        result |= {"index": url, "simpleindex": f"{url}/+simple/"}
        if found.stage is not None:
            result["pypisubmit"] = f"{url}/"
    return answer_json(result, "apiconfig")


@blueprint.post("/+login")
def log_in() -> Response:
    """Give a login token for a user and password."""
    asked = json_object()
    user, password = asked.get("user"), asked.get("password")
    if not isinstance(user, str) or not isinstance(password, str):
        raise BadRequest("Bad request: no user/password specified")
    token, expires_s = the_library().accounts.login(user, password)
    return answer_json({"password": token, "expiration": expires_s}, "proxyauth", message="login successful")


@blueprint.get("/+health")
def show_health() -> Response:
    """Answer 200 whenever the daemon can serve; which bases cannot be reached stands in it."""
    context = the_context()
    bases = [asdict(base) for base in context.library.bases()]
    response = answer_plain_json(
        {
            "status": "ok" if all(base["state"] in {"ok", "off"} for base in bases) else "degraded",
            "version": context.site.version,
            "uptime_s": round(time.monotonic() - context.started, 1),
            "bases": bases,
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/+status")
def show_status() -> Response:
    """Answer devpi's server status, as far as there is such a thing here; no path of this machine is in it."""
    context = the_context()
    site, library = context.site, context.library
    serial, at_us = library.serial(), library.last_change_us()
    bodies, size = context.hot.totals()
    result = {
        "uuid": library.identity(),
        "versioninfo": {"localpi": site.version},
        "host": site.host,
        "port": site.port,
        "outside-url": site.outside_url or None,
        "serial": serial,
        "last-commit-timestamp": at_us / 1_000_000,
        "event-serial": serial,
        "event-serial-timestamp": at_us / 1_000_000,
        "event-serial-in-sync-at": at_us / 1_000_000,
        "metrics": [["localpi_hot_pages", "gauge", bodies], ["localpi_hot_bytes", "gauge", size]],
        "role": "STANDALONE",
        "polling_replicas": {},
    }
    return answer_json(result, "status")


@blueprint.get("/+authcheck")
def check_access() -> Response:
    """Say whether who asks may read what X-Original-URI names: nginx's auth_request in front of static files.

    200, 401 where reading needs a credential and there is none, 403 for what is no URL of ours.
    """
    asked = urlsplit(request.headers.get("X-Original-URI", request.url))
    try:
        if (adapter := current_app.create_url_adapter(request)) is not None:
            adapter.match(unquote(asked.path), method="GET")
    except HTTPException:
        raise NotAllowed("there is nothing at this URL") from None
    return answer_json(message="OK")
