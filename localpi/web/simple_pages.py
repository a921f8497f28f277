"""The simple API: project lists and project pages, with and without `+simple` in the URL."""

from __future__ import annotations

import re
from hashlib import blake2b
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, request

from localpi.index.waiting import Waiting
from localpi.simple.names import normalize
from localpi.simple.negotiate import choose
from localpi.simple.render import (
    JSON_TYPE,
    TEXT_HTML,
    load_page,
    render_html,
    render_json,
    render_names_html,
    render_names_json,
    with_prefix,
)
from localpi.web.answers import answer_body, answer_redirect
from localpi.web.context import index_name, prefix, quoted, the_context, the_library, when_asked
from localpi.web.hot import NOT_WORTH_ZIPPING, Kept
from localpi.web.parked import Parked
from localpi.web.ranges import etag_matches

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from localpi.index.pages import PageAnswer
    from localpi.simple.names import ProjectName
    from localpi.web.hot import Body, Headers

blueprint = Blueprint("simple_pages", __name__)

INSTALLERS = re.compile(r"(?:[^ ]* )*(?:distribute|setuptools|pip|pex|uv)/")
"""devpi's rule for User-Agents that get simple pages where browsers get others."""

_KEPT_QUERY = re.compile(r"(?:format=[a-z0-9.+/%_-]{1,80})?", re.IGNORECASE)
"""Only such queries are part of a hot key: others would fill the memory with one page."""


def wants_simple() -> bool:
    """Say whether the client takes simple pages at URLs that other clients get something else from."""
    accept = request.headers.get("Accept", "")
    if "application/vnd.pypi.simple." in accept:
        return True
    return INSTALLERS.match(request.headers.get("User-Agent", "")) is not None


@blueprint.get("/<user>/<index>/+simple/")
def list_projects(user: str, index: str) -> Response:
    """Answer the project list of an index."""
    if not request.path.endswith("/") and not wants_simple():
        return _redirect_here(user, index, "+simple", "")
    return answer_projects(index_name(user, index))


@blueprint.get("/<user>/<index>/+simple/<project>/")
def show_project(user: str, index: str, project: str) -> Response:
    """Answer a project page; other spellings of the name are redirected, browsers to the slash as well."""
    name = normalize(project)
    if name != project or not (request.path.endswith("/") or wants_simple()):
        return _redirect_here(user, index, "+simple", name, "")
    return answer_project(index_name(user, index), name)


@blueprint.post("/<user>/<index>/+simple/<project>/refresh")
def refresh_project(user: str, index: str, project: str) -> Response:
    """Make the mirrors look again, as `devpi refresh` asks; what is stored stays until they answer."""
    name = normalize(project)
    the_context().check_may_read(request.environ)
    the_library().pages.refresh(index_name(user, index), name)
    return _redirect_here(user, index, "+simple", name, "")


def answer_projects(index: str) -> Response:
    """Return the names of all projects that the index knows of, in the form the client takes."""
    form = choose(request.headers.get("Accept"), request.args.get("format"))
    names = the_library().pages.names(index)
    body = render_names_json(names) if form == JSON_TYPE else render_names_html(names)
    etag = _etag(body)
    headers = _headers(form, etag)
    if etag_matches(request.headers.get("If-None-Match", ""), etag):
        return _unchanged(headers)
    return answer_body(BytesIO(body), len(body), headers, request.environ)


def answer_project(index: str, project: ProjectName) -> Response:
    """Return a project page in the form the client takes, and keep it as hot bytes while it is fresh."""
    form = choose(request.headers.get("Accept"), request.args.get("format"))
    page = find_page(index, project)
    hot = the_context().hot
    links = prefix()
    digest = blake2b(page.body, digest_size=16).digest()
    body = hot.share((digest, form == JSON_TYPE, links), lambda: _render(page.body, form, links))
    sent, headers = _encoded(body, form, page.serial)
    if sent is not None:
        _keep(project, page, body, sent, headers)
    if etag_matches(request.headers.get("If-None-Match", ""), body.etag):
        return _unchanged(headers)
    data = body.identity if sent is None else sent
    return answer_body(BytesIO(data), len(data), headers, request.environ)


def find_page(index: str, project: ProjectName) -> PageAnswer:
    """Return the page of a project; where it has to be waited for, give the thread back (raises Parked)."""
    revalidate = "no-cache" in request.headers.get("Cache-Control", "")
    page = the_library().pages.project(index, project, asked_at=when_asked(), revalidate=revalidate)
    if isinstance(page, Waiting):
        raise Parked(page.ready, page.until)
    return page


def _render(body: bytes, form: str, links: str) -> bytes:
    """Return a canonical JSON body in another form, or with a prefix in front of its links."""
    if form == JSON_TYPE and not links:
        return body
    page = load_page(body)
    if links:
        page = with_prefix(page, links)
    return render_json(page) if form == JSON_TYPE else render_html(page)


def _encoded(body: Body, form: str, serial: int | None) -> tuple[bytes | None, Headers]:
    """Return the bytes to send and their headers.

    None for the bytes means: identity this time, since gzip is made for the second request only.
    """
    headers = _headers(form, body.etag)
    if serial is not None:
        headers.append(("X-PyPI-Last-Serial", str(serial)))
    if len(body.identity) < NOT_WORTH_ZIPPING or not request.accept_encodings["gzip"]:
        return body.identity, headers
    zipped = the_context().hot.zip(body)
    if zipped is not None:
        headers[1] = ("ETag", f'{body.etag[:-1]}-gz"')
        headers.append(("Content-Encoding", "gzip"))
    return zipped, headers


def _keep(project: ProjectName, page: PageAnswer, body: Body, sent: bytes, headers: Headers) -> None:
    """Keep the answer under the request as it came, where nothing else of the request shaped it."""
    path, query, get = request.environ["PATH_INFO"], request.environ.get("QUERY_STRING", ""), request.environ.get
    if "/+simple/" not in path and "application/vnd.pypi.simple." not in get("HTTP_ACCEPT", ""):
        return  # decided by the User-Agent
    if not _KEPT_QUERY.fullmatch(query):
        return
    variant = (
        query, get("HTTP_ACCEPT"), get("HTTP_ACCEPT_ENCODING"),
        get("HTTP_X_FORWARDED_PREFIX"), get("HTTP_X_OUTSIDE_URL"),
    )  # fmt: skip
    context = the_context()
    complete = [*headers, ("Content-Length", str(len(sent))), *context.headers_for(headers)]
    kept = Kept.page(body, sent, complete, ((project, page.stamp),), page.fresh_until)
    context.hot.keep_page(path, variant, kept)


def _headers(form: str, etag: str) -> Headers:
    """Return the headers of a page; clients ask each time (`no-cache`), so that a fresh upload is seen at once."""
    return [
        ("Content-Type", "text/html; charset=utf-8" if form == TEXT_HTML else form),
        ("ETag", etag),
        ("Cache-Control", "no-cache"),
        ("Vary", "Accept, Accept-Encoding"),
    ]


def _unchanged(headers: Headers) -> Response:
    response = answer_body(BytesIO(), 0, headers, request.environ)
    response.status_code = 304
    return response


def _etag(body: bytes) -> str:
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def _redirect_here(*segments: str) -> Response:
    query = request.environ.get("QUERY_STRING", "")
    return answer_redirect(quoted(*segments) + (f"?{query}" if query else ""))
