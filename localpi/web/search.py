"""XML-RPC `search`, as `pip search --index URL` asks for it; no other method, and no DTD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.wrappers import Response

from localpi.errors import BadRequest, TooLarge
from localpi.web.context import the_library

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 1 << 16  # bytes of a call


def answer_search(index: str) -> Response:
    """Answer a methodCall with a methodResponse: the hits, or a fault."""
    import xmlrpc.client  # noqa: PLC0415 -- 30 ms at the start, for what few ask for

    try:
        names, summaries, operator = _read_search()
        hits = the_library().releasing.search.find(index, names, summaries, both=operator != "or")
        found = [
            {"name": hit.project, "version": hit.version, "summary": _said(hit.index, hit.summary), "_pypi_ordering": 0}
            for hit in hits
        ]
        body = xmlrpc.client.dumps((found,), methodresponse=True, allow_none=False)
    except BadRequest as error:
        body = xmlrpc.client.dumps(xmlrpc.client.Fault(1, error.message))
    return Response(body.encode(), content_type="text/xml; charset=utf-8", headers={"Cache-Control": "no-store"})


def _read_search() -> tuple[list[str], list[str], object]:
    """Return the words to look for in names and summaries, and whether both must fit ("and") or one ("or")."""
    method, arguments = _read_call()
    if method != "search" or not arguments or not isinstance(arguments[0], dict):
        raise BadRequest(f"there is no method {str(method)[:40]!r}, only search({{name, summary}}, operator)")
    spec = arguments[0]
    return _words(spec.get("name")), _words(spec.get("summary")), arguments[1] if len(arguments) > 1 else "and"


def _read_call() -> tuple[str | None, Sequence[Any]]:
    import xmlrpc.client  # noqa: PLC0415 -- as above

    if (request.content_length or 0) > LONGEST:
        raise TooLarge("the call", LONGEST)
    body = request.get_data()
    if len(body) > LONGEST:
        raise TooLarge("the call", LONGEST)
    if b"<!" in body:  # a document type could define entities that grow without end
        raise BadRequest("an XML-RPC call has no document type")
    try:
        arguments, method = xmlrpc.client.loads(body)
    except Exception as error:
        raise BadRequest("the XML-RPC call cannot be read") from error
    return method, arguments


def _words(value: object) -> list[str]:
    found = value if isinstance(value, list) else [value] if value else []
    words = [word for word in found if isinstance(word, str) and word]
    if len(words) < len([word for word in found if word]):
        raise BadRequest("the words of a search are texts")
    return words


def _said(index: str, summary: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in summary)
    return f"[{index}] {printable}"
