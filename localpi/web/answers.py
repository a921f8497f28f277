"""Answers: the JSON envelope, errors to statuses (once, here), and bodies that leave by the file wrapper."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import orjson
from werkzeug.wrappers import Response

from localpi import errors
from localpi.simple.negotiate import names_html
from localpi.web.people import render_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

JSON_CONTENT = "application/json"
"""devpi's client compares the whole Content-Type with this: no charset."""

STATUSES: Mapping[type[errors.LocalpiError], int] = {
    errors.NotFound: 404,
    errors.FileGone: 410,
    errors.CannotKnow: 424,
    errors.BadRequest: 400,
    errors.NotAcceptable: 406,
    errors.TooLarge: 413,
    errors.Conflict: 409,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.HostRefused: 421,
    errors.DiskFull: 507,
    errors.LocalpiError: 500,
}
"""The nearest class in an error's line of ancestors decides."""

HTML_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""Content-Security-Policy of every HTML answer: no script, nothing loaded, our one inline style sheet."""

_LONGEST_REASON = 200


def status_of(error: errors.LocalpiError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def status_line(status: int, reason: str) -> str:
    """Return "409 the reason": one line of printable ASCII, since RFC 9112 (4) wants it and clients show it."""
    phrase = " ".join(reason.split()).encode("ascii", "replace").decode()[:_LONGEST_REASON]
    printable = "".join(letter if letter.isprintable() else "?" for letter in phrase)
    return f"{status} {printable or 'Unknown'}"


def answer_json(
    result: object = None, kind: str = "", *, message: str = "", status: int = 200, reason: str = ""
) -> Response:
    """Return devpi's envelope: `result`, `type` and `message`, each only when there is one."""
    envelope: dict[str, object] = {}
    if result is not None:
        envelope["result"] = result
    if kind:
        envelope["type"] = kind
    if message:
        envelope["message"] = message
    return answer_plain_json(envelope, status=status, reason=reason)


def answer_plain_json(value: object, *, status: int = 200, reason: str = "") -> Response:
    """Return any value as JSON; what may be sent again from a cache must be asked for first."""
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=_plain)
    response = Response(body, status=status_line(status, reason) if reason else status)
    response.headers["Content-Type"] = JSON_CONTENT
    response.headers["Cache-Control"] = "no-store" if status >= 400 else "no-cache"
    return response


def answer_error(error: errors.LocalpiError, environ: Mapping[str, Any]) -> Response:
    """Return an error as its status, the message in the reason phrase too (pip, uv, twine show that alone).

    devpi's client asks for JSON and shows both: it gets the usual phrase.
    """
    status = status_of(error)
    message = error.message or error.title
    if _is_page_for_people(environ):
        response = _error_page(status, error.title, message, error.hint)
    else:
        body = {"message": message, "code": error.code}
        response = answer_plain_json({**body, "hint": error.hint} if error.hint else body)
    shown_twice = "application/json" in environ.get("HTTP_ACCEPT", "")
    response.status = status_line(status, HTTPStatus(status).phrase if shown_twice else message)
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="pypi"'
    return response


def answer_status(status: int, title: str, message: str, environ: Mapping[str, Any]) -> Response:
    """Return a status that no error of ours stands for: an unknown URL, a method, a fault of the program."""
    if _is_page_for_people(environ):
        response = _error_page(status, title, message, "")
    else:
        response = answer_plain_json({"message": message, "code": title.lower().replace(" ", "-")})
    response.status = status_line(status, title if status >= 500 else message)
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_html(text: str, *, status: int = 200) -> Response:
    """Return a page for people."""
    response = Response(text, status=status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


def answer_redirect(location: str, status: int = 302) -> Response:
    """Return a redirect; `location` is a path on this host or a whole URL, already quoted."""
    return Response(b"", status=status, headers={"Location": location, "Cache-Control": "no-store"})


def answer_body(
    file: BinaryIO, length: int, headers: Sequence[tuple[str, str]], environ: Mapping[str, Any], status: int = 200
) -> Response:
    """Return `length` bytes of a file from where it stands; the server closes it.

    They leave by `wsgi.file_wrapper` (waitress takes them on its loop, without copying or holding a worker). A HEAD
    never gets the wrapper: waitress would send the body.
    """
    sent = [*headers, ("Content-Length", str(length))]
    if environ["REQUEST_METHOD"] == "HEAD":
        file.close()
        return Response(status=status, headers=sent)
    wrap = environ.get("wsgi.file_wrapper")
    body = cast("Iterable[bytes]", wrap(file) if wrap else _limited(file, length))
    return Response(body, status=status, headers=sent, direct_passthrough=True)


def _limited(file: BinaryIO, length: int) -> Iterator[bytes]:
    """Read the bytes for servers that have no file wrapper."""
    with file:
        while length > 0 and (chunk := file.read(min(length, 1 << 16))):
            length -= len(chunk)
            yield chunk


def _is_page_for_people(environ: Mapping[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] in {"GET", "HEAD"} and names_html(environ.get("HTTP_ACCEPT"))


def _error_page(status: int, title: str, message: str, hint: str) -> Response:
    remedy = f"<p>What helps: <code>{escape(hint)}</code></p>" if hint else ""
    body = f"<h1>{escape(title)}</h1>\n<p>{escape(message)}</p>\n{remedy}"
    return answer_html(render_page(f"{status} {title}", body))


def _plain(value: object) -> object:
    """Make JSON of the containers that orjson does not know."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "items"):
        return dict(value.items())
    raise TypeError(f"{type(value).__name__} is not JSON")
