"""`wire-pip`, `unwire-pip`, `wire`, `unwire`: what pip, uv and the others are told; none of it needs the daemon."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from localpi.cli import exits
from localpi.cli.output import data, json_option, print_json, print_table, say, show_error
from localpi.cli.scene import Scene, index_option, pass_scene
from localpi.cli.wiring_wish import Asked, end_token, make_wish, own_port
from localpi.wiring.difference import mask
from localpi.wiring.edits import NotEditable
from localpi.wiring.places import PUBLISHERS, TOOLS, is_used, places
from localpi.wiring.records import Records
from localpi.wiring.shadows import Shadow, find_shadows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localpi.wiring.unwire import Undoing
    from localpi.wiring.wire import Prepared

SCOPES = click.Choice(["user", "global", "site"])
scope_option = click.option("--scope", type=SCOPES, default="user", show_default=True, help="Which pip.conf.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")


def _wiring_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what both `wire` and `wire-pip` take."""
    for option in (
        json_option,
        click.option("--replace", is_flag=True, help="Take over what `devpi use --set-cfg` wrote."),
        click.option("--print", "print_only", is_flag=True, help="Print the file as it would be, change nothing."),
        dry_run_option,
        click.option("--host", metavar="NAME", help="Reach the daemon by this name, on its port."),
        scope_option,
        index_option,
    ):
        command = option(command)
    return command


@click.command("wire-pip")
@_wiring_options
@pass_scene
def wire_pip_command(scene: Scene, /, *, as_json: bool, **asked: Any) -> int:
    """Make pip install from this index: `index-url` in its own file, and nothing else.

    The change is shown first; comments stay. `localpi unwire-pip` restores the file to the byte.
    """
    return _wire(scene, ("pip",), Asked(project_wide=False, **asked), as_json=as_json)


@click.command("wire")
@click.argument("tool", type=click.Choice([*TOOLS, "all"]), required=False)
@click.option("--status", is_flag=True, help="Show how every tool is wired, and what shadows that.")
@click.option(
    "--project-wide",
    is_flag=True,
    help="uv: the default index of projects too. Their uv.lock will name it: `uv sync --locked` fails for others.",
)
@_wiring_options
@pass_scene
def wire_command(scene: Scene, /, *, tool: str | None, status: bool, as_json: bool, **asked: Any) -> int:
    """Make TOOL use this index: pip, uv, pdm and pixi to install, twine and poetry to publish (with a token).

    `all` is those that are there.
    """
    if status:
        return _show_status(scene, as_json=as_json)
    if tool is None:
        raise click.UsageError(f"give a tool ({', '.join(TOOLS)}, all) or --status")
    tools: tuple[str, ...] = (tool,)
    if tool == "all":
        tools = tuple(one for one in TOOLS if is_used(one, scene.environ, sys.platform))
        if left := [one for one in TOOLS if one not in tools]:
            say(f"not found here, left alone: {', '.join(left)}")
    return _wire(scene, tools, Asked(**asked), as_json=as_json)


@click.command("unwire-pip")
@click.option("--scope", type=SCOPES, help="Which pip.conf; default: all that were wired.")
@dry_run_option
@json_option
@pass_scene
def unwire_pip_command(scene: Scene, *, scope: str | None, dry_run: bool, as_json: bool) -> int:
    """Take back what `wire-pip` did; to the byte, or where the file was edited since, our lines alone."""
    return _unwire(scene, ("pip",), scope, dry_run=dry_run, as_json=as_json)


@click.command("unwire")
@click.argument("tool", type=click.Choice([*TOOLS, "all"]))
@dry_run_option
@json_option
@pass_scene
def unwire_command(scene: Scene, *, tool: str, dry_run: bool, as_json: bool) -> int:
    """Take back what `wire TOOL` did; to the byte, or where the file was edited since, our lines alone."""
    return _unwire(scene, TOOLS if tool == "all" else (tool,), None, dry_run=dry_run, as_json=as_json)


# -- wiring ---------------------------------------------------------------------------------------------------------


def _wire(scene: Scene, tools: Sequence[str], asked: Asked, *, as_json: bool) -> int:
    rows: list[dict[str, Any]] = []
    code = exits.DONE
    for tool in tools:
        try:
            rows += _wire_tool(scene, tool, asked, as_json=as_json)
        except NotEditable as refused:
            show_error(refused)
            code = exits.exit_code(refused)
            rows.append({"tool": tool, "refused": refused.message, "code": refused.code})
    if as_json:
        print_json({"tools": rows, "dry_run": asked.looks_only})
    return code


def _wire_tool(scene: Scene, tool: str, asked: Asked, *, as_json: bool) -> list[dict[str, Any]]:
    from localpi.wiring.wire import commit, prepare, with_trust_from_below  # noqa: PLC0415 -- parsers, not for help

    records = Records(scene.paths)
    files = places(tool, scene.environ, sys.platform, asked.scope)
    with make_wish(scene, tool, asked, records) as (wish, replaced):
        wishes = [(place, with_trust_from_below(place, wish, scene.environ, sys.platform)) for place in files]
        prepared = [prepare(place, one, records) for place, one in wishes]
        for one in prepared:
            _show(one, asked, quiet=as_json)
        if not asked.looks_only:
            for one in prepared:
                commit(one, records)
            if replaced:
                end_token(scene, replaced)
    url = wish.publish_url if tool in PUBLISHERS else wish.index_url
    shadows = find_shadows(tool, files[0].path, wish.index_url, scene.environ, sys.platform)
    _tell(tool, url, prepared, shadows, asked)
    return [_row(one, url, shadows) for one in prepared]


def _show(prepared: Prepared, asked: Asked, *, quiet: bool) -> None:
    if asked.print_only and not quiet:
        data(prepared.text.removesuffix("\n"))
    elif prepared.difference:
        say(prepared.difference)


def _tell(tool: str, url: str, prepared: Sequence[Prepared], shadows: Sequence[Shadow], asked: Asked) -> None:
    for note in dict.fromkeys(note for one in prepared for note in one.notes):
        say(f"  {note}")
    does = "publishes to" if tool in PUBLISHERS else "installs from"
    where = prepared[0].place.path
    if asked.looks_only:
        say(
            f"{tool} would {does.replace('es ', ' ').replace('s from', ' from')} {url}   ({where}); nothing was changed"
        )
    elif any(one.changed for one in prepared):
        say(f"{tool} {does} {url}   ({where})")
        say(f"  to undo: localpi {'unwire-pip' if tool == 'pip' else f'unwire {tool}'}")
    else:
        say(f"{tool} already {does} {url}   ({where})")
    for shadow in shadows:
        say(f"  {'but' if shadow.beats else 'note'}: {shadow.what}" + _place_of(shadow))


def _place_of(shadow: Shadow) -> str:
    return "" if shadow.where in shadow.what else f"   ({shadow.where})"


def _row(prepared: Prepared, url: str, shadows: Sequence[Shadow]) -> dict[str, Any]:
    return {
        "tool": prepared.place.tool,
        "scope": prepared.place.scope,
        "path": str(prepared.place.path),
        "url": url,
        "changed": prepared.changed,
        "difference": prepared.difference,
        "notes": [mask(note) for note in prepared.notes],
        "shadows": [asdict(shadow) for shadow in shadows],
    }


def _show_status(scene: Scene, *, as_json: bool) -> int:
    from localpi.wiring.survey import survey  # noqa: PLC0415 -- parsers, for this alone

    rows = survey(Records(scene.paths), scene.environ, sys.platform)
    if as_json:
        print_json({"tools": [asdict(row) for row in rows]})
        return exits.DONE
    print_table([(row.tool, row.state, row.url or row.reason or "-", row.path) for row in rows])
    for row in rows:
        for shadow in row.shadows:
            say(f"{row.tool}: {shadow.what}" + _place_of(shadow))
    return exits.DONE


# -- taking it back -------------------------------------------------------------------------------------------------


def _unwire(scene: Scene, tools: Sequence[str], scope: str | None, *, dry_run: bool, as_json: bool) -> int:
    from localpi.wiring.unwire import carry_out, plan_undo  # noqa: PLC0415 -- parsers, not for help

    records = Records(scene.paths)
    wanted = [one for one in records.all() if one.tool in tools and scope in {None, one.scope}]
    rows: list[dict[str, Any]] = []
    code = exits.DONE
    for record in wanted:
        try:
            undoing = plan_undo(record)
            _tell_undoing(undoing, dry_run=dry_run)
            if not dry_run:
                carry_out(undoing, records)
                if record.token:
                    end_token(scene, record.token)
            rows.append(_undone(undoing))
        except (NotEditable, OSError) as refused:
            code = _refused(refused, record.tool, rows)
    if "pip" in tools and not any(record.tool == "pip" for record in wanted):
        port = own_port(scene) if len(tools) > 1 else None  # of several instances each takes back its own
        code = _forget(scene, records, rows, port, dry_run=dry_run) or code
    if not rows:
        say(f"{tools[0]} was not wired by localpi" if len(tools) == 1 else "nothing was wired by localpi")
    if as_json:
        print_json({"tools": rows, "dry_run": dry_run})
    return code


def _forget(scene: Scene, records: Records, rows: list[dict[str, Any]], port: int | None, *, dry_run: bool) -> int:
    """Without a record: take out what looks like ours, wherever pip would read it; with `port`, this daemon's alone."""
    from localpi.wiring.pip_files import pip_files  # noqa: PLC0415 -- for this alone
    from localpi.wiring.unwire import carry_out, plan_forgetting  # noqa: PLC0415 -- as above

    code = exits.DONE
    user = places("pip", scene.environ, sys.platform)[0].path
    read = [file.path for file in pip_files(scene.environ, sys.platform) if file.scope != "global"]
    for path in dict.fromkeys((user, *read)):
        try:
            undoing = plan_forgetting(path, port)
            if undoing is not None:
                _tell_undoing(undoing, dry_run=dry_run)
                if not dry_run:
                    carry_out(undoing, records)
                rows.append(_undone(undoing))
        except (NotEditable, OSError) as refused:
            code = _refused(refused, "pip", rows)
    return code


def _tell_undoing(undoing: Undoing, *, dry_run: bool) -> None:
    if undoing.difference:
        say(undoing.difference)
    say(f"{undoing.tool}: {undoing.kind.value}{' (not done)' if dry_run else ''}   ({undoing.path})")
    for note in undoing.notes:
        say(f"  {note}")


def _undone(undoing: Undoing) -> dict[str, Any]:
    return {
        "tool": undoing.tool,
        "path": str(undoing.path),
        "outcome": undoing.kind.value,
        "notes": list(undoing.notes),
        "difference": undoing.difference,
    }


def _refused(refused: NotEditable | OSError, tool: str, rows: list[dict[str, Any]]) -> int:
    if isinstance(refused, NotEditable):
        show_error(refused)
        rows.append({"tool": tool, "refused": refused.message, "code": refused.code})
        return exits.exit_code(refused)
    said = f"{refused.strerror or refused}" + (f": {refused.filename}" if refused.filename else "")
    say(f"{tool}: {said}")
    rows.append({"tool": tool, "refused": said, "code": "not-editable"})
    return exits.REFUSED
