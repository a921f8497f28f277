"""`token`: credentials for tools that upload, and for machines that read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

import click

from localpi.cli.listing import ListedGroup
from localpi.cli.output import data, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, index_option_of, pass_scene
from localpi.settings.values import parse_duration


@click.group("token", cls=ListedGroup)
def token_command() -> None:
    """Make, show and revoke tokens."""


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@token_command.command("create")
@index_option_of("The only index that it is good for; default: all.")
@click.option("--scope", type=click.Choice(["read", "upload"]), default="upload", show_default=True)
@click.option("--expires", metavar="SPAN", callback=_seconds, help="30d, 12h, ...; default: never.")
@click.option("--user", default="root", show_default=True, help="Whose token it is.")
@click.option("--description", default="", help="What it is for.")
@json_option
@pass_scene
def create(
    scene: Scene, *, index: str | None, scope: str, expires: int | None, user: str, description: str, as_json: bool
) -> None:
    """Make a token and print it, alone, on stdout; it cannot be shown again.

    Tools take it as the password of user __token__.
    """
    body = {"user": user, "index": index, "scope": scope, "expires_s": expires, "description": description}
    made = scene.daemon.admin("POST", "/tokens", body)
    if as_json:
        print_json(made)
    else:
        data(str(made["token"]))
        say("user name: __token__")


@token_command.command("list")
@json_option
@pass_scene
def list_(scene: Scene, *, as_json: bool) -> None:
    """List tokens; the secrets are not kept."""
    tokens = scene.daemon.admin("GET", "/tokens").get("tokens", [])
    if as_json:
        print_json({"tokens": tokens})
        return
    print_table([_row(token) for token in tokens])
    if not tokens:
        say("no token has been made: localpi token create")


def _row(token: dict[str, object]) -> tuple[str, ...]:
    expires = token.get("expires_us")
    until = (
        f"until {datetime.fromtimestamp(expires / 1e6, UTC):%Y-%m-%d %H:%M}Z" if isinstance(expires, int) else "no end"
    )
    index = str(token.get("index") or "all indexes")
    return (
        str(token["id"]),
        str(token["user"]),
        str(token["scope"]),
        index,
        until,
        str(token.get("description") or ""),
    )


@token_command.command("revoke")
@click.argument("token_id", metavar="ID")
@pass_scene
def revoke(scene: Scene, *, token_id: str) -> None:
    """Revoke a token by the id that `token list` shows; a whole token does as well."""
    whole = re.match(r"lp1_([^_]+)_.", token_id)
    scene.daemon.admin("DELETE", f"/tokens/{quote(whole[1] if whole else token_id, safe='')}")
    say("revoked")
