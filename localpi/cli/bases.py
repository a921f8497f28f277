"""`base`: mirrors as bases. What is looked at and changed, the daemon looks at and changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from localpi.cli import exits
from localpi.cli.health_text import describe
from localpi.cli.listing import ListedGroup
from localpi.cli.offline import full_name
from localpi.cli.output import data, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, index_option, index_option_of, pass_scene
from localpi.errors import Conflict, LocalpiError
from localpi.remote.indexes import RemoteBases
from localpi.remote.told import NewBase
from localpi.settings.values import mask_userinfo

if TYPE_CHECKING:
    from localpi.remote.told import Base

claims_option = click.option(
    "--claims", multiple=True, metavar="PATTERN", help="Names that are its alone, such as 'acme-*'; again for more."
)
credentials_option = click.option(
    "--credentials", is_flag=True, help="Give a user and password: asked for, or USER:PASSWORD on stdin."
)
append_option = click.option("--append", is_flag=True, help="Behind the other bases, not in front of them.")


class NoBase(LocalpiError):  # noqa: N818 -- as in errors.py
    """What was given is no mirror here."""

    code = "no-base"
    title = "No such base"
    hint = "localpi base list"


@click.group("base", cls=ListedGroup)
def base_command() -> None:
    """Show, add and check bases: the indexes that yours inherit from.

    A base is a mirror of an index elsewhere; NAME alone stands for root/NAME.
    """


@base_command.command("list")
@json_option
@pass_scene
def list_(scene: Scene, *, as_json: bool) -> None:
    """List the bases: where each points, whose names it claims, who inherits from it, how it is doing."""
    rows = RemoteBases(scene.paths).base_rows()
    if as_json:
        print_json({"bases": [_as_json(row) for row in rows]})
        return
    print_table(
        [
            (
                row.health.index,
                mask_userinfo(row.url),
                f"claims {', '.join(row.claims)}" if row.claims else "no claims",
                f"in {', '.join(row.used_by)}" if row.used_by else "no index inherits from it",
                describe(row.health),
            )
            for row in rows
        ]
    )


def _as_json(row: Base) -> dict[str, Any]:
    health = row.health
    return {
        "index": health.index,
        "state": health.state,
        "reason": health.reason,
        "since": health.since,
        "next_probe": health.next_probe,
        "offline": health.offline,
        "url": mask_userinfo(row.url),
        "claims": row.claims,
        "used_by": row.used_by,
    }


@base_command.command("add")
@click.argument("name")
@click.argument("url")
@index_option
@claims_option
@click.option("--pass-through", is_flag=True, help="Redirect clients to it for files, and store none.")
@append_option
@credentials_option
@json_option
@pass_scene
def add(scene: Scene, *, name: str, url: str, index: str | None, claims: tuple[str, ...], pass_through: bool,
        append: bool, credentials: bool, as_json: bool) -> int:  # fmt: skip
    """Look at URL, and make it the mirror root/NAME and the first base of the index.

    \b
    localpi base add acme https://pypi.acme.example/simple/ --claims 'acme-*'
    """  # noqa: D301 -- \b is click's own mark
    bases, whole_name, index = RemoteBases(scene.paths), full_name(name), scene.index(index)
    _check_place(scene, bases, whole_name, index)
    user, password = _read_credentials(scene) if credentials else ("", "")
    say(f"looking at {mask_userinfo(url)} …")
    found = bases.check(url, user, password, names=claims)
    if not found["good"]:
        if as_json:
            print_json({"added": False, "index": whole_name, "of": index, "check": found})
        else:
            _show(found, name, hints=False)
        return _code(found)
    if not as_json:
        _show(found, name, hints=False)
    suggested = () if claims else tuple(found["claims"])
    if suggested and not as_json and scene.may_ask():
        question = f"Claim {', '.join(suggested)}: ask nobody else for these names?"
        claims, suggested = (suggested, ()) if click.confirm(question, default=True, err=True) else ((), ())
    where = _with_userinfo_of(url, found["url"])
    bases.add_base(NewBase(whole_name, where, index, claims, append=append), user, password)
    if pass_through:
        scene.daemon.api("PATCH", f"/{quote(whole_name)}", ["mirror_use_external_urls=true"])
    if as_json:
        print_json({"added": True, "index": whole_name, "of": index, "claims": claims, "check": found})
        return exits.DONE
    say(f"made {whole_name}; it is the {'last' if append else 'first'} base of {index}")
    if suggested:
        quoted = " ".join(f"--claims '{claim}'" for claim in suggested)
        say(f"  → its names look like its own; so that nobody else is asked for them: localpi base set {name} {quoted}")
    return exits.DONE


def _check_place(scene: Scene, bases: RemoteBases, name: str, index: str) -> None:
    """Refuse a name that is taken, and an index that has no bases, before anything is asked or looked at."""
    if "bases" not in scene.daemon.api("GET", f"/{quote(index)}", no_projects=""):
        raise click.UsageError(f"{index} is a mirror: it has no bases")
    if any(row.health.index == name for row in bases.base_rows()):
        taken = Conflict(f"there is a base {name}")
        taken.hint = f"to change it: localpi base set {name.removeprefix('root/')}"
        raise taken


@base_command.command("set")
@click.argument("name")
@click.argument("url", required=False)
@index_option_of("Make it the first base of this index, with --append the last.")
@claims_option
@click.option("--pass-through/--no-pass-through", default=None, help="Redirect clients to it for files, or keep them.")
@append_option
@credentials_option
@pass_scene
def set_(scene: Scene, *, name: str, url: str | None, index: str | None, claims: tuple[str, ...],
         pass_through: bool | None, append: bool, credentials: bool) -> None:  # fmt: skip
    """Change a base: its URL, claims (these instead of those before; '' for none), credentials, or its place.

    With --index it becomes the first base of that index, with --append the last.
    """
    bases, whole_name = RemoteBases(scene.paths), full_name(name)
    row = _find(bases, whole_name)
    changes: dict[str, Any] = {}
    if url:
        changes["mirror_url"] = url
    if claims:
        changes["claims"] = [claim for claim in claims if claim]
    if pass_through is not None:
        changes["mirror_use_external_urls"] = pass_through
    if not (changes or credentials or index or append):
        raise click.UsageError("nothing to change was given: a URL or one of the options")
    if changes:
        scene.daemon.api("PATCH", f"/{quote(whole_name)}", changes)
    if credentials:
        bases.set_credentials(whole_name, *_read_credentials(scene))
        scene.daemon.admin("POST", "/probe", {"index": whole_name})
    for owner in [scene.index(index)] if index or (append and not row.used_by) else row.used_by if append else ():
        _place(scene, owner, whole_name, append=append)
    say(f"changed {whole_name}")


def _place(scene: Scene, index: str, name: str, *, append: bool) -> None:
    """Make it the first or the last base of an index."""
    before = scene.daemon.api("GET", f"/{quote(index)}", no_projects="").get("bases")
    if before is None:
        raise click.UsageError(f"{index} is a mirror: it has no bases")
    others = [base for base in before if base != name]
    scene.daemon.api("PATCH", f"/{quote(index)}", {"bases": [*others, name] if append else [name, *others]})


@base_command.command("remove")
@click.argument("name")
@index_option_of("Take it out of this index alone; default: remove it altogether.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_scene
def remove(scene: Scene, *, name: str, index: str | None, yes: bool) -> None:
    """Remove a base from every index and forget it; with --index it only stops being a base of that one."""
    bases, whole_name = RemoteBases(scene.paths), full_name(name)
    row = _find(bases, whole_name)
    if index is not None:
        if index not in row.used_by:
            raise NoBase(f"{whole_name} is no base of {index}")
        scene.daemon.api("PATCH", f"/{quote(index)}", [f"bases-={whole_name}"])
        say(f"{whole_name} is no base of {index} any more")
        return
    if not yes and scene.may_ask():
        click.confirm(f"Remove {whole_name} ({mask_userinfo(row.url)})?", abort=True, err=True)
    bases.remove_base(whole_name)
    say(f"removed {whole_name}")


@base_command.command("check")
@click.argument("what", metavar="[NAME|URL]", required=False)
@credentials_option
@json_option
@pass_scene
def check(scene: Scene, *, what: str | None, credentials: bool, as_json: bool) -> int:
    """Look at a base, or at a URL that could be one: what it speaks and has; all bases when none is named.

    Exit code 1: it is no simple index; 4: it wants other credentials; 5: it cannot be reached.
    """
    bases = RemoteBases(scene.paths)
    if what is not None and "://" in what:
        places: list[tuple[str, str, tuple[str, ...], str]] = [("", what, (), "")]
    else:
        rows = [_find(bases, full_name(what))] if what else list(bases.base_rows())
        places = [(row.health.index, row.url, row.claims, row.health.state) for row in rows]
    user, password = _read_credentials(scene) if credentials else ("", "")
    checks = []
    for index, url, claims, state in places:
        found = bases.check(url, user, password, names=claims)
        found["claims"] = [] if claims else found["claims"]  # what was decided is no question any more
        checks.append(({"index": index} if index else {}) | found)
        if not as_json:
            data(index or mask_userinfo(found["url"]))
            _show(found, index.partition("/")[2], hints=bool(index))
        if found["good"] and state not in {"", "ok", "off"}:
            say(f"  it counts as {state}; looked at again now")
            scene.daemon.admin("POST", "/probe", {"index": index})
    if as_json:
        print_json({"checks": checks})
    return max(map(_code, checks), default=exits.DONE)


def _find(bases: RemoteBases, name: str) -> Base:
    for row in bases.base_rows():
        if row.health.index == name:
            return row
    raise NoBase(f"there is no base {name}")


def _show(found: dict[str, Any], name: str, *, hints: bool = True) -> None:
    """Print what a check found, and what helps."""
    if found["good"]:
        for fact in (f"simple index at {mask_userinfo(found['url'])}", *found["facts"]):
            data(f"  {fact}")
        if hints and found["claims"]:
            data(f"  its names look like its own: {', '.join(found['claims'])}")
        return
    away = not (found["reachable"] or found["needs_credentials"])
    say(f"{'it cannot be looked at' if away else 'that is no base'}: {found['reason']}")
    if found["needs_credentials"]:
        command = f"localpi base set {name} --credentials" if hints and name else "the same again with --credentials"
        say(f"  → {command}")
    elif not found["reachable"]:
        say("  → is the network there, or the VPN? what was fetched before is served meanwhile")
    elif not hints:
        say("  → if it is one all the same, name a project that it has: --claims PROJECT")


def _code(found: dict[str, Any]) -> int:
    if found["good"]:
        return exits.DONE
    if not found["reachable"]:
        return exits.UNREACHABLE
    return exits.REFUSED if found["needs_credentials"] else exits.NO


def _read_credentials(scene: Scene) -> tuple[str, str]:
    """Return user and password."""
    if scene.may_ask():
        user = str(click.prompt("User (__token__ for a token)", err=True))
        return user, str(click.prompt("Password", hide_input=True, err=True))
    user, colon, password = sys.stdin.readline(4097).rstrip("\r\n").partition(":")
    if not (user and colon):
        raise click.UsageError("no terminal to ask at: give USER:PASSWORD as the first line of stdin")
    return user, password


def _with_userinfo_of(given: str, found: str) -> str:
    """Put the user and password of the URL that was given into the one that was found."""
    userinfo, at, _ = given.partition("://")[2].partition("/")[0].rpartition("@")
    scheme, _, rest = found.partition("://")
    return f"{scheme}://{userinfo}@{rest}" if at else found
