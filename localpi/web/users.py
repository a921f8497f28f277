"""Users as devpi's client manages them: /{user}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from localpi.errors import BadRequest
from localpi.web.answers import answer_json
from localpi.web.context import json_object, the_context, the_library, who_asks

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("users", __name__)


@blueprint.get("/<user>/")
def show_user(user: str) -> Response:
    """Answer devpi's `userconfig`."""
    return answer_json(the_library().users.get(user), "userconfig")


@blueprint.put("/<user>/")
def create_user(user: str) -> Response:
    """Create a user from `{"password": …, "email": …}`."""
    made = the_library().users.create(who_asks(), user, json_object(empty=True))
    return answer_json(made, "userconfig", status=201)


@blueprint.patch("/<user>/")
def modify_user(user: str) -> Response:
    """Change a user; a new password answers with a new login token."""
    principal, library = who_asks(), the_library()
    changes = dict(json_object())
    password = changes.pop("password", None)
    if password is not None and not isinstance(password, str):
        raise BadRequest("the password must be a text")
    library.users.modify(principal, user, changes)
    if password is None:
        return answer_json(message="user updated")
    library.accounts.set_password(principal, user, password)
    token = library.accounts.renew_login(user)
    proxy = {"password": token, "expiration": the_context().site.login_ttl_s}
    return answer_json(proxy, "userpassword", message="user updated, new proxy auth")


@blueprint.delete("/<user>/")
def delete_user(user: str) -> Response:
    """Delete a user with its indexes."""
    the_library().users.delete(who_asks(), user)
    return answer_json(message=f"user {user!r} deleted")
