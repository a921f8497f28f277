"""The WSGI application: hot bytes first, then the guard, then Flask."""

from __future__ import annotations

import logging
import secrets
import traceback
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from localpi.errors import LocalpiError
from localpi.index.permissions import ANYONE
from localpi.web import (
    admin,
    admin_cache,
    api,
    backup,
    bases,
    docs,
    files,
    front,
    importing,
    indexes,
    metrics,
    mirroring,
    push,
    removal,
    simple_pages,
    upload,
    users,
    why,
)
from localpi.web.answers import answer_error, answer_status, status_of
from localpi.web.context import KEY, Context
from localpi.web.guard import Guard
from localpi.web.hot import Hot, HotAnswers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from werkzeug.wrappers import Response

    from localpi.index.library import Library
    from localpi.web.site import Site

log = logging.getLogger(__name__)

BLUEPRINTS = (
    front.blueprint, api.blueprint, admin.blueprint, admin_cache.blueprint, metrics.blueprint,
    users.blueprint, indexes.blueprint, simple_pages.blueprint, files.blueprint, upload.blueprint, removal.blueprint,
    mirroring.blueprint, why.blueprint, bases.blueprint, docs.blueprint, push.blueprint, importing.blueprint,
    backup.blueprint,
)  # fmt: skip


class Application:
    """What the server calls for each request, and asks on its loop thread whether the answer is ready."""

    def __init__(self, flask: Flask, context: Context, guard: Guard) -> None:
        self._flask, self._context, self._guard = flask, context, guard
        self._hot = context.hot
        self._reading_open = context.site.reading_open

    def find_hot(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Hot | None:
        """Return the ready answer, None when a worker has to look. For the loop thread: never blocks.

        `path` is decoded as PATH_INFO is; `headers` are waitress's (upper case, underscores).
        """
        if not (self._reading_open and self._guard.knows(headers.get("HOST"))):
            return None
        return self._hot.find(method, path, query, headers)

    def changing_head(self) -> bytes:
        """Return the header lines of a ready answer that are not kept with it. For the loop thread: never blocks."""
        return "".join(f"{name}: {value}\r\n" for name, value in self._context.changing_headers()).encode("latin-1")

    def wants_body(self, method: str, headers: Mapping[str, str]) -> bool:
        """Say whether a large body is worth waiting for. For the loop thread: never blocks.

        Without a credential, from another site or for another host it is refused whatever is in it.
        """
        environ = {f"HTTP_{name}": value for name, value in headers.items()}
        try:
            self._guard.check_host(environ.get("HTTP_HOST"))
            self._guard.check_site(method, environ)
        except LocalpiError:
            return False
        if "HTTP_AUTHORIZATION" in environ or "HTTP_X_DEVPI_AUTH" in environ:
            return True
        return self._lets_anyone_upload()

    def make_room(self, method: str, headers: Mapping[str, str], size: int) -> Callable[[], bool] | None:
        """Have room made on the disk for a body; None when there is enough, else what says whether it was tried.

        Nothing goes for who may not upload anywhere. For the loop thread: never blocks. The body lies there twice while
        it is taken in.
        """
        room = self._context.library.uploads.room
        if room is None or not self.wants_body(method, headers):
            return None
        return room.ask(2 * size, lambda: self._may_upload(headers))

    def _may_upload(self, headers: Mapping[str, str]) -> bool:
        """Say whether a request comes from somebody who may upload; may check a password, which takes 0.1 s."""
        asks = self._context.library.accounts.authenticate(headers.get("AUTHORIZATION"), headers.get("X_DEVPI_AUTH"))
        return (asks.kind != "anonymous" and asks.scope != "read") or self._lets_anyone_upload()

    def _lets_anyone_upload(self) -> bool:
        stages = (index.stage for index in self._context.library.registry.all())
        return any(stage is not None and ANYONE in stage.acl_upload for stage in stages)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        try:
            self._guard.check_host(environ.get("HTTP_HOST"))
            self._guard.check_site(environ["REQUEST_METHOD"], environ)
            self._context.check_reader(environ)
        except LocalpiError as error:
            response = answer_error(error, environ)
            return self._context.add_headers(response)(environ, start_response)
        hot = self._hot.find(
            environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), environ, "HTTP_"
        )
        if hot is not None and "wsgi.file_wrapper" in environ:
            try:
                return hot.send(environ, start_response, self._context.changing_headers())
            except OSError:
                self._hot.forget_file(environ["PATH_INFO"])
        return self._flask(environ, start_response)


def create_app(library: Library, site: Site) -> Application:
    """Make the application; nothing is kept outside of what it returns."""
    flask = Flask("localpi.web", static_folder=None)
    flask.url_map.strict_slashes = False
    flask.url_map.merge_slashes = False  # it would redirect uploads
    flask.config["MAX_CONTENT_LENGTH"] = site.max_upload
    guard = Guard(site)
    context = Context(library, site, HotAnswers(library.stamps, site.max_hot), guard.refusals)
    flask.extensions[KEY] = context
    for blueprint in BLUEPRINTS:
        flask.register_blueprint(blueprint)
    flask.register_error_handler(LocalpiError, _answer_refusal)
    flask.register_error_handler(HTTPException, _answer_http)
    flask.register_error_handler(Exception, _answer_fault)
    flask.after_request(context.add_headers)
    return Application(flask, context, guard)


def _answer_refusal(error: LocalpiError) -> Response:
    return _answer_fault(error) if status_of(error) == 500 else answer_error(error, request.environ)


def _answer_http(error: HTTPException) -> Response:
    """Answer what routing and form parsing found: 404, 405, 413."""
    status = error.code or 500
    message = {404: "there is nothing at this URL", 405: f"{request.method} is not for this URL"}.get(status)
    response = answer_status(status, error.name, message or error.description or error.name, request.environ)
    if status == 405:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response


def _answer_fault(error: Exception) -> Response:
    """Answer a fault of ours: one log line with an id, and the id to the client, never a traceback."""
    number = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("fault %s: %s %s: %r in %s", number, request.method, request.path, error, where)
    return answer_status(
        500, "Internal error", f"something went wrong here; the log has it as {number}", request.environ
    )
