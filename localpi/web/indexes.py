"""Indexes as devpi's client manages them: /{user}/{index}; pip finds projects below the same URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, request

from localpi.errors import InvalidIndexConfig
from localpi.index.config import to_json
from localpi.index.versions import spelled
from localpi.index.waiting import Waiting
from localpi.simple.names import normalize
from localpi.simple.negotiate import names_html
from localpi.web.answers import answer_html, answer_json, answer_redirect
from localpi.web.context import (
    index_name,
    json_body,
    json_object,
    prefix,
    quoted,
    root,
    the_library,
    when_asked,
    who_asks,
)
from localpi.web.parked import Parked
from localpi.web.people import render_index
from localpi.web.simple_pages import answer_project, answer_projects, wants_simple

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from localpi.simple.names import ProjectName

blueprint = Blueprint("indexes", __name__)


@blueprint.get("/<user>/<index>/")
def show_index(user: str, index: str) -> Response:
    """Answer devpi's `indexconfig`, the project list to installers, a page to browsers."""
    name = index_name(user, index)
    if wants_simple():
        return answer_projects(name)
    library = the_library()
    found = library.registry.get(name)
    if names_html(request.headers.get("Accept")):
        order = [base for base, _ in library.registry.order(name)]
        return answer_html(render_index(found, root(), order, library.pages.own_names(name), prefix()))
    result = to_json(found.config)
    if "no_projects" not in request.args:
        result["projects"] = list(library.pages.own_names(name))
    return answer_json(result, "indexconfig")


@blueprint.put("/<user>/<index>/")
def create_index(user: str, index: str) -> Response:
    """Create an index from devpi's keys."""
    made = the_library().registry.create(who_asks(), index_name(user, index), json_object(empty=True))
    return answer_json(to_json(made.config), "indexconfig")


@blueprint.patch("/<user>/<index>/")
def modify_index(user: str, index: str) -> Response:
    """Change settings: a list of "key=value", "key+=value", "key-=value", or an object of keys."""
    patch = json_body()
    if isinstance(patch, dict) and patch.get("type") == "indexconfig" and isinstance(patch.get("result"), dict):
        patch = patch["result"]
    is_list = isinstance(patch, list) and all(isinstance(item, str) for item in patch)
    if not (is_list or isinstance(patch, dict)):
        raise InvalidIndexConfig('a list of settings like "key=value" is needed, or an object')
    noop = "error_on_noop" in request.args
    changed = the_library().registry.modify(who_asks(), index_name(user, index), patch, error_on_noop=noop)
    return answer_json(to_json(changed.config), "indexconfig")


@blueprint.delete("/<user>/<index>/")
def delete_index(user: str, index: str) -> Response:
    """Delete an index and its files."""
    name = index_name(user, index)
    the_library().registry.delete(who_asks(), name)
    return answer_json(message=f"index {name} deleted", status=201)


@blueprint.get("/<user>/<index>/<project>/")
def show_project(user: str, index: str, project: str) -> Response:
    """Answer the page to installers (`pip install -i http://host/root/pypi`), devpi's `projectconfig` to others."""
    name = normalize(project)
    if names_html(request.headers.get("Accept")) and not wants_simple():
        return answer_redirect(quoted(user, index, "+simple", name, ""))
    if name != project:
        query = request.environ.get("QUERY_STRING", "")
        return answer_redirect(quoted(user, index, name, "") + (f"?{query}" if query else ""))
    if wants_simple():
        return answer_project(index_name(user, index), name)
    return answer_json(_releases(index_name(user, index), name), "projectconfig")


@blueprint.get("/<user>/<index>/<project>/<version>/")
def show_release(user: str, index: str, project: str, version: str) -> Response:
    """Answer devpi's `versiondata`."""
    name = normalize(project)
    releases = _releases(index_name(user, index), name)
    return answer_json(releases[spelled(name, releases, version)], "versiondata")


def _releases(index: str, project: ProjectName) -> dict[str, Any]:
    """Return the releases of a project; with `?ignore_bases` those of this very index."""
    own = "ignore_bases" in request.args
    found = the_library().releasing.views.project(index, project, root=root(), asked_at=when_asked(), own=own)
    if isinstance(found, Waiting):
        raise Parked(found.ready, found.until)
    return found
