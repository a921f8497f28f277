"""`user`: who may log in."""

from __future__ import annotations

import sys
from urllib.parse import quote

import click

from localpi.cli.listing import ListedGroup
from localpi.cli.output import json_option, print_json, print_table, say
from localpi.cli.scene import Scene, pass_scene


@click.group("user", cls=ListedGroup)
def user_command() -> None:
    """Show, make and change users."""


@user_command.command("list")
@json_option
@pass_scene
def list_(scene: Scene, *, as_json: bool) -> None:
    """List users and their indexes."""
    users = scene.daemon.front()
    if as_json:
        print_json({"users": [users[name] for name in sorted(users)]})
        return
    print_table(
        [
            (name, ", ".join(sorted(row.get("indexes") or {})) or "-", str(row.get("email", "")))
            for name, row in sorted(users.items())
        ]
    )


@user_command.command("create")
@click.argument("name")
@click.option("--email")
@click.option("--title")
@pass_scene
def create(scene: Scene, *, name: str, email: str | None, title: str | None) -> None:
    """Make a user; the password is asked for, or the first line of stdin."""
    given = {"email": email, "title": title}
    body = {"password": _password(scene)} | {key: value for key, value in given.items() if value is not None}
    scene.daemon.api("PUT", f"/{quote(name)}", body)
    say(f"made user {name}")


@user_command.command("set")
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE...")
@pass_scene
def set_(scene: Scene, *, name: str, changes: tuple[str, ...]) -> None:
    """Change email, title or description of a user."""
    body = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or key not in {"email", "title", "description"}:
            raise click.UsageError(f"{change!r} is not email=, title= or description=")
        body[key] = value
    scene.daemon.api("PATCH", f"/{quote(name)}", body)
    say(f"changed user {name}")


@user_command.command("passwd")
@click.argument("name", default="root")
@pass_scene
def passwd(scene: Scene, *, name: str) -> None:
    """Set a password (of root, if no NAME is given); it is asked for, or the first line of stdin.

    Login tokens made with the old one end.
    """
    _ = scene.daemon
    scene.daemon.admin("POST", f"/users/{quote(name)}/password", {"password": _password(scene)})
    say(f"the password of {name} is set")


@user_command.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_scene
def delete(scene: Scene, *, name: str, yes: bool) -> None:
    """Delete a user and all their indexes."""
    if not yes and scene.may_ask():
        click.confirm(f"Delete {name}, their indexes and packages?", abort=True, err=True)
    scene.daemon.api("DELETE", f"/{quote(name)}")
    say(f"deleted user {name}")


def _password(scene: Scene) -> str:
    if scene.may_ask():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.readline(4097)
    if not line:
        raise click.UsageError("no terminal to ask at: give the password as the first line of stdin")
    return line.rstrip("\r\n")
