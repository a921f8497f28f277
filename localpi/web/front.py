"""The front page: for browsers what this is and how to use it, for everyone else devpi's list of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from localpi.simple.negotiate import names_html
from localpi.web.answers import answer_html, answer_json
from localpi.web.context import prefix, root, the_context
from localpi.web.people import render_front

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("front", __name__)


@blueprint.get("/")
def show_front() -> Response:
    """Answer the front page or `list:userconfig`."""
    context = the_context()
    library, site = context.library, context.site
    if names_html(request.headers.get("Accept")):
        page = render_front(
            site.version,
            root(),
            site.default_index,
            indexes=library.registry.all(),
            bases=library.bases(),
            prefix=prefix(),
        )
        response = answer_html(page)
    else:
        response = answer_json(library.users.all(), "list:userconfig")
    response.headers["Vary"] = "Accept"
    return response
