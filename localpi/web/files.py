"""Package files: whole, in parts, still growing, or by a redirect."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from flask import Blueprint, request
from werkzeug.http import http_date

from localpi.index.files import Redirect
from localpi.index.waiting import Waiting
from localpi.simple.names import project_candidates
from localpi.web.answers import answer_body, answer_json, answer_plain_json, answer_redirect
from localpi.web.context import file_ref, index_name, the_context, the_library, when_asked
from localpi.web.hot import Kept
from localpi.web.parked import Parked
from localpi.web.ranges import Unsatisfiable, choose_part, etag_matches

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from localpi.index.files import FileAnswer
    from localpi.simple.links import FileRef
    from localpi.web.hot import Headers
    from localpi.web.ranges import Part

blueprint = Blueprint("files", __name__)

FOR_EVER = "max-age=365000000, immutable"
"""The hash is in the URL; PyPI and devpi say the same."""


@blueprint.get("/<user>/<index>/<any('+f', '+e'):area>/<path:rest>")
def send_file(user: str, index: str, area: str, rest: str) -> Response:
    """Send a file of an index, or its core metadata."""
    ref = file_ref(area, rest)
    context = the_context()
    stamps = tuple((project, context.hot.stamp(project)) for project in project_candidates(ref.filename))
    if "application/json" in request.headers.get("Accept", "") and not ref.is_metadata:
        return _describe(index_name(user, index), ref)
    head = request.method == "HEAD"
    answer = the_library().files.open(index_name(user, index), ref, asked_at=when_asked(), head=head)
    if isinstance(answer, Waiting):
        raise Parked(answer.ready, answer.until)
    if isinstance(answer, Redirect):
        return answer_redirect(answer.url)
    headers = _headers(answer, ref)
    etag = f'"{answer.etag}"'
    if answer.path is not None and not request.environ.get("QUERY_STRING"):
        complete = [*headers, ("Content-Length", str(answer.size)), *context.headers_for(headers)]
        kept = Kept.file(str(answer.path), complete, etag, stamps, context.library.cache.uses.open)
        context.hot.keep_file(request.environ["PATH_INFO"], kept)
    file = answer.file if answer.file is not None else BytesIO()
    if etag_matches(request.headers.get("If-None-Match", ""), etag):
        file.close()
        response = answer_body(BytesIO(), 0, headers, request.environ)
        response.status_code = 304
        return response
    try:
        part = choose_part(
            request.headers.get("Range"), answer.size, if_range=request.headers.get("If-Range"), etag=etag
        )
    except Unsatisfiable as error:
        file.close()
        response = answer_plain_json({"message": "the file ends before that range"}, status=416)
        response.headers["Content-Range"] = str(error)
        return response
    if part is None:
        return answer_body(file, answer.size, headers, request.environ)
    ranged = [*headers, ("Content-Range", part.content_range)]
    return answer_body(_cut(file, part), part.length, ranged, request.environ, 206)


def _describe(index: str, ref: FileRef) -> Response:
    """Answer devpi's `releasefilemeta`."""
    facts = the_library().releasing.facts.find(index, ref)
    result: dict[str, object] = {"project": facts.project, "version": facts.version, "hashes": {}}
    if facts.sha256 is not None:
        result |= {"hash_spec": f"sha256={facts.sha256}", "hashes": {"sha256": facts.sha256}}
    if facts.stored_us is not None:
        result["last_modified"] = http_date(facts.stored_us // 1_000_000)
    response = answer_json(result, "releasefilemeta")
    response.headers["Vary"] = "Accept"
    return response


def _cut(file: BinaryIO, part: Part) -> BinaryIO:
    """Return the file as a reader of that part: by itself while it grows, else where it stands (the length cuts it)."""
    growing: Any = getattr(file, "part", None)
    if growing is None:
        file.seek(part.start)
        return file
    cut: BinaryIO = growing(part.start, part.length)
    file.close()
    return cut


def _headers(answer: FileAnswer, ref: FileRef) -> Headers:
    """Return the headers of a file. Never a Content-Encoding: clients would unpack `.tar.gz` and break its hash."""
    return [
        ("Content-Type", "text/plain; charset=utf-8" if ref.is_metadata else "application/octet-stream"),
        ("ETag", f'"{answer.etag}"'),
        ("Cache-Control", FOR_EVER),
        ("Accept-Ranges", "bytes"),
    ]
