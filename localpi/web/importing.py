"""`/+admin/import/…` and `/+admin/export/…`: moving from another devpi and to one, for root and the owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, request

from localpi.errors import BadRequest
from localpi.index.importing import read_import
from localpi.web.answers import answer_plain_json
from localpi.web.context import demand_root, index_name, json_object, the_library
from localpi.web.form import read_form

if TYPE_CHECKING:
    from typing import BinaryIO

    from werkzeug.wrappers import Response

blueprint = Blueprint("importing", __name__, url_prefix="/+admin")


@blueprint.before_request
def demand_owner() -> None:
    """Let nobody else in."""
    demand_root()


@blueprint.put("/import/users/<user>")
def import_user(user: str) -> Response:
    """Add a user as devpi-export writes one, with `pwhash`, `email`, `created` and the like."""
    return answer_plain_json({"outcome": the_library().releasing.importing.add_user(user, json_object())})


@blueprint.get("/import/present/<user>/<index>")
def show_present(user: str, index: str) -> Response:
    """Answer file name -> sha256 of what the index holds."""
    return answer_plain_json({"files": the_library().releasing.importing.present(index_name(user, index))})


@blueprint.post("/import/releases")
def import_release() -> Response:
    """Add a release without files: `{index, name, version, metadata}`."""
    asked = json_object()
    index, name, version, metadata = (asked.get(key) for key in ("index", "name", "version", "metadata"))
    if not (isinstance(index, str) and isinstance(name, str) and isinstance(version, str)):
        raise BadRequest("index, name and version are texts")
    said = metadata if isinstance(metadata, dict) else {}
    the_library().releasing.importing.add_release(index, name, version, said)
    return answer_plain_json({"outcome": "made"})


@blueprint.post("/import/files")
def import_file() -> Response:
    """Add a file, documentation or a test result, from a form like that of an upload."""
    library = the_library()
    receiving = library.uploads.receive(request.content_length)
    try:
        form = read_form(cast("BinaryIO", request.stream), request.headers.get("Content-Type", ""), receiving)
        wanted = read_import(form.fields, form.filename or "")
        outcome = library.releasing.importing.add_file(wanted, receiving)
    finally:
        receiving.close()
    return answer_plain_json({"outcome": outcome})


@blueprint.get("/export")
def show_export() -> Response:
    """Answer users with their password hashes, and the settings of all indexes, as devpi-import reads them."""
    response = answer_plain_json(the_library().releasing.exporting.overview())
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/export/<user>/<index>")
def show_index_export(user: str, index: str) -> Response:
    """Answer the projects and files of an index, each with the path of its bytes here."""
    return answer_plain_json(the_library().releasing.exporting.index(index_name(user, index)))
