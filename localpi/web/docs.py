"""Documentation of releases under `+d/` (and devpi's `+doc/`), and results of test runs."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, request

from localpi.errors import TooLarge
from localpi.index.toxresults import MAX_RESULT
from localpi.simple.names import normalize
from localpi.web.answers import answer_body, answer_json, answer_redirect
from localpi.web.context import file_ref, index_name, quoted, the_library, who_asks
from localpi.web.ranges import etag_matches

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("docs", __name__)

DOCS_POLICY = (
    "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox; default-src 'self' data: blob:; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'"
)
"""Documentation is somebody else's HTML: its scripts run, in an origin of their own that this daemon does not trust."""


@blueprint.get("/<user>/<index>/<project>/<version>/<any('+d', '+doc'):area>/")
@blueprint.get("/<user>/<index>/<project>/<version>/<any('+d', '+doc'):area>/<path:page>")
def show_docs(*, user: str, index: str, project: str, version: str, area: str, page: str = "") -> Response:
    """Send a page of the documentation of a release; `version` may be "latest" or "stable"."""
    name = normalize(project)
    if name != project or not (page or request.path.endswith("/")):
        return answer_redirect(quoted(user, index, name, version, area, *page.split("/")))
    if page and request.path.endswith("/") and not page.endswith("/"):
        page += "/"
    found = the_library().releasing.docs.open(index_name(user, index), name, version, page)
    kind = f"{found.content_type}; charset=utf-8" if found.content_type.startswith("text/") else found.content_type
    headers = [
        ("Content-Type", kind),
        ("ETag", f'"{found.etag}"'),
        ("Cache-Control", "no-cache"),
        ("Content-Security-Policy", DOCS_POLICY),
    ]
    if etag_matches(request.headers.get("If-None-Match", ""), f'"{found.etag}"'):
        response = answer_body(BytesIO(), 0, headers, request.environ)
        response.status_code = 304
        return response
    return answer_body(BytesIO(found.body), len(found.body), headers, request.environ)


@blueprint.post("/<user>/<index>/+f/<path:rest>")
def add_toxresult(user: str, index: str, rest: str) -> Response:
    """Keep the result of a test run of a file, JSON as `tox --result-json` writes it."""
    name, principal, results = index_name(user, index), who_asks(), the_library().releasing.toxresults
    ref = file_ref("+f", rest)
    results.check(name, principal, ref)
    if (request.content_length or 0) > MAX_RESULT:
        raise TooLarge("the test result", MAX_RESULT)
    row = results.add(name, principal, ref, request.get_data(cache=False))
    path = f"{name}/+f/{row.key[:3]}/{row.key[3:]}/{row.filename}"
    return answer_json(f"{path}#sha256={row.sha256}", "toxresultpath")
