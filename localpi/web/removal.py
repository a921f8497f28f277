"""Taking files, releases and projects away, as `devpi remove` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from localpi.simple.names import normalize
from localpi.web.answers import answer_json
from localpi.web.context import file_ref, index_name, the_library, who_asks

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("removal", __name__)


@blueprint.delete("/<user>/<index>/<any('+f', '+e'):area>/<path:rest>")
def remove_file(user: str, index: str, area: str, rest: str) -> Response:
    """Delete one file by its URL."""
    ref = file_ref(area, rest)
    name = index_name(user, index)
    the_library().removal.remove_file(name, who_asks(), ref.key, ref.filename, force=_forced())
    return answer_json(message=f"package '{name}/{area}/{rest}' deleted")


@blueprint.delete("/<user>/<index>/<project>/")
def remove_project(user: str, index: str, project: str) -> Response:
    """Delete all releases of a project."""
    name = index_name(user, index)
    the_library().removal.remove_project(name, who_asks(), normalize(project), force=_forced())
    return answer_json(message=f"project {normalize(project)} deleted from stage {name}")


@blueprint.delete("/<user>/<index>/<project>/<version>/")
def remove_release(user: str, index: str, project: str, version: str) -> Response:
    """Delete one release."""
    name = index_name(user, index)
    the_library().removal.remove_release(name, who_asks(), normalize(project), version, force=_forced())
    return answer_json(message=f"project {normalize(project)!r} version {version!r} deleted")


def _forced() -> bool:
    """Say whether the query has devpi's bare `?force`."""
    return request.args.get("force", "no").lower() not in {"no", "false", "0"}
