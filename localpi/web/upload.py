"""Uploads: the legacy upload API, as twine, uv, poetry, pdm, hatch, flit and devpi speak it.

The answer's message is in the reason phrase: that is what those clients show. Success is 200 and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, request

from localpi.errors import BadRequest, InvalidUpload, TooLarge
from localpi.web.answers import answer_json
from localpi.web.context import index_name, the_context, the_library, who_asks
from localpi.web.form import read_fields, read_form
from localpi.web.push import push
from localpi.web.search import answer_search

if TYPE_CHECKING:
    from typing import BinaryIO

    from werkzeug.wrappers import Response

    from localpi.web.form import Form

blueprint = Blueprint("upload", __name__)

REGISTERING = frozenset({"submit", "submit_pkg_info"})
SAID = {"SAME": "Upload of identical file.", "REPLACED": "file replaced", "NEW": "file uploaded"}


@blueprint.post("/<user>/<index>/")
def take_post(user: str, index: str) -> Response:
    """Take an upload in, or what else is posted there: a push as JSON, a search as XML-RPC.

    A path with and without its slash is the same, since a redirect would lose the body.
    """
    if request.mimetype == "application/json":
        return push(user, index)
    if request.mimetype in ("text/xml", "application/xml"):
        return answer_search(index_name(user, index))
    return take_form(index_name(user, index))


def take_form(name: str) -> Response:
    """Take in a file, documentation, or the announcement of a release."""
    context, principal = the_context(), who_asks()
    uploads = context.library.uploads
    uploads.check(name, principal)  # before the body is looked at
    if request.mimetype == "application/x-www-form-urlencoded":
        return _announce(name, read_fields(cast("BinaryIO", request.stream)))
    limit = context.site.max_upload
    if (request.content_length or 0) > limit:
        raise TooLarge("the upload", limit)
    receiving = uploads.receive(request.content_length)
    try:
        form = read_form(cast("BinaryIO", request.stream), request.headers.get("Content-Type", ""), receiving)
        action = form.action()
        if action in REGISTERING:
            return _announce(name, form)
        if action not in ("file_upload", "doc_upload"):
            raise BadRequest(f"action {action[:60]!r} not supported" if action else ":action field not found")
        if form.filename is None:
            raise InvalidUpload("content file field not found")
        if action == "doc_upload":
            docs = context.library.releasing.docs.accept(name, principal, form.fields, receiving)
            return answer_json(message=f"{docs.filename}: documentation of {docs.project} {docs.version}")
        accepted = uploads.accept(name, principal, form.fields, form.filename, receiving)
    finally:
        receiving.close()
    said = SAID.get(accepted.outcome.name, "")
    return answer_json(
        message=f"{accepted.row.filename}: {said}", reason="OK" if accepted.outcome.name == "NEW" else said
    )


def _announce(name: str, form: Form) -> Response:
    """Register a release; a form that announces none has a file, which urlencoded ones cannot have."""
    if form.action() not in REGISTERING:
        raise InvalidUpload("an upload is a multipart/form-data body")
    the_library().uploads.announce(name, who_asks(), form.fields)
    return answer_json(message="registered")
