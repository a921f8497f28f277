"""What every blueprint works with: the library, the site, the hot bytes, and who asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import orjson
from flask import current_app, request

from localpi.errors import BadRequest, InvalidName, NotAllowed, NotAuthenticated, NotFound
from localpi.index.errands import Errands
from localpi.index.permissions import is_root, may_read
from localpi.simple.links import parse_ref
from localpi.web.answers import HTML_POLICY
from localpi.web.guard import SAFE_METHODS
from localpi.web.outside import link_prefix, root_url
from localpi.web.parked import asked_at
from localpi.web.site import OPEN_READING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from werkzeug.wrappers import Response

    from localpi.index.library import Library
    from localpi.index.permissions import Principal
    from localpi.simple.links import FileRef
    from localpi.web.guard import Refusals
    from localpi.web.hot import Headers, HotAnswers
    from localpi.web.site import Site


KEY = "localpi"
PRINCIPAL = "localpi.principal"
LONGEST_JSON = 1 << 20  # bytes of a JSON body
_FORMS = frozenset({"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})


class Context:
    """One per application."""

    def __init__(self, library: Library, site: Site, hot: HotAnswers, refusals: Refusals) -> None:
        self.library, self.site, self.hot, self.refusals = library, site, hot, refusals
        self.started = time.monotonic()
        self.errands: Errands[Any] = Errands("this push")
        self.backups: Errands[Any] = Errands("this backup")
        self.headers: Headers = [
            ("X-Devpi-Api-Version", "2"),
            ("X-Devpi-Server-Version", site.version),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ]

    def principal(self, environ: dict[str, Any]) -> Principal:
        """Return who asks; worked out once for each request. A bad credential is anonymous, and marked so."""
        known = environ.get(PRINCIPAL)
        if known is None:
            known = environ[PRINCIPAL] = self.library.accounts.authenticate(
                environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_DEVPI_AUTH")
            )
        return cast("Principal", known)

    def check_reader(self, environ: dict[str, Any]) -> None:
        """Demand a credential for reading where reading is not open; raise NotAuthenticated.

        `+health` and devpi's `+api` stay open: they say where to log in.
        """
        if self._is_open(environ) or environ["REQUEST_METHOD"] not in SAFE_METHODS:
            return
        path = environ["PATH_INFO"]
        if path == "/+health" or path.endswith("/+api"):
            return
        self.check_may_read(environ)

    def check_may_read(self, environ: dict[str, Any]) -> None:
        """Raise NotAuthenticated for those nobody knows where reading is not open."""
        if not may_read(self.principal(environ), loopback=self._is_open(environ)):
            raise NotAuthenticated("reading needs a credential here")

    def _is_open(self, environ: dict[str, Any]) -> bool:
        return bool(environ.get(OPEN_READING, self.site.reading_open))

    def add_headers(self, response: Response) -> Response:
        """Add what every answer carries."""
        response.headers.extend(self.headers_for(response.headers.items()))
        response.headers.extend(self.changing_headers())
        return response

    def headers_for(self, headers: Iterable[tuple[str, str]]) -> Headers:
        """Return what is added to an answer with these headers, whenever it is sent."""
        added = [*self.headers]
        given = dict(headers)
        if "html" in given.get("Content-Type", "") and "Content-Security-Policy" not in given:
            added.append(("Content-Security-Policy", HTML_POLICY))
        return added

    def changing_headers(self) -> Headers:
        """Return what every answer carries as it is at this moment; costs nothing."""
        return [("X-Devpi-Serial", str(self.library.serial()))]


def the_context() -> Context:
    """Return the context of the application that is answering."""
    return cast("Context", current_app.extensions[KEY])


def the_library() -> Library:
    """Return the library of the application that is answering."""
    return the_context().library


def who_asks() -> Principal:
    """Return the principal of the request that is being answered."""
    return the_context().principal(request.environ)


def demand_root() -> Principal:
    """Return the principal when it is root or the owner; raise NotAuthenticated or NotAllowed."""
    principal = who_asks()
    if is_root(principal):
        return principal
    if principal.kind == "anonymous":
        raise NotAuthenticated("this is for root and the owner")
    raise NotAllowed("this is for root and the owner")


def when_asked() -> float:
    """Return the monotonic second at which the client asked first."""
    return asked_at(request.environ, time.monotonic())


def file_ref(area: str, rest: str) -> FileRef:
    """Return what a path below an index, `{area}/{rest}`, asks for; raise NotFound where no file can be."""
    try:
        return parse_ref(area, *rest.split("/"))
    except InvalidName as error:
        raise NotFound(f"no file {error.name[:200]}") from None


def index_name(user: str, index: str) -> str:
    """Return "user/index" as the other rooms name it."""
    return f"{user}/{index}"


def prefix() -> str:
    """Return the path in front of every link of this answer."""
    return link_prefix(request.environ, the_context().site.outside_url)


def root() -> str:
    """Return the absolute URL of the daemon's root, without a trailing slash."""
    return root_url(request.environ, the_context().site.outside_url)


def quoted(*segments: str) -> str:
    """Return the path of the segments, behind the prefix, percent-quoted."""
    return prefix() + "".join("/" + quote(segment, safe="+!@~-._") for segment in segments)


def json_body(*, empty: bool = False) -> Any:
    """Return the JSON that was sent; raise BadRequest. A browser's form types are not taken for JSON."""
    if request.mimetype in _FORMS:
        raise BadRequest("send JSON with the header Content-Type: application/json")
    length = request.content_length or 0
    if length > LONGEST_JSON:
        raise BadRequest(f"JSON bodies have at most {LONGEST_JSON:,} bytes")
    data = request.stream.read(LONGEST_JSON + 1)
    if len(data) > LONGEST_JSON:
        raise BadRequest(f"JSON bodies have at most {LONGEST_JSON:,} bytes")
    if not data.strip():
        if empty:
            return {}
        raise BadRequest("Bad request: could not decode json")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadRequest("Bad request: could not decode json") from None


def json_object(*, empty: bool = False) -> Mapping[str, Any]:
    """Return the JSON object that was sent; raise BadRequest."""
    value = json_body(empty=empty)
    if not isinstance(value, dict):
        raise BadRequest("a JSON object is needed")
    return value
