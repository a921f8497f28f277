"""`cache`: what is held of mirrors' files, what stays and what goes."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import click

from localpi.cli import exits
from localpi.cli.listing import ListedGroup
from localpi.cli.output import data, human_size, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, check_index, pass_scene
from localpi.reports import plural
from localpi.settings.values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUPS = ("project", "release", "file", "index", "user")
LOOK_S = 0.2

names_argument = click.argument("names", nargs=-1, metavar="[NAME]...")
mirror_option = click.option(
    "--index",
    metavar="USER/NAME",
    callback=check_index,
    help="Only files of this mirror, or of the mirrors behind a stage.",
)


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int:
    try:
        return 0 if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


unused_option = click.option(
    "--unused", "unused_s", metavar="SPAN", callback=_seconds, help="Only what was not used for 30d, 12h, ..."
)


@click.group("cache", cls=ListedGroup)
def cache_command() -> None:
    """Show and tend the files that are kept of mirrors.

    A NAME is a project, project==version, a file name or a sha256.
    """


@cache_command.command("show")
@names_argument
@click.option("--by", type=click.Choice(GROUPS), help="Add up by this; default: project, or file with a NAME.")
@mirror_option
@unused_option
@click.option("-n", "--lines", type=click.IntRange(0, 1_000_000), default=30, show_default=True, help="0: all.")
@json_option
@pass_scene
def show(
    scene: Scene, *, names: tuple[str, ...], by: str | None, index: str | None, unused_s: int, lines: int, as_json: bool
) -> None:
    """Show what is held, the largest first, and what the cache was good for."""
    query: list[tuple[str, str]] = [("by", by or ("file" if names else "project")), ("unused_s", str(unused_s))]
    query += [("index", index)] if index else []
    query += [("name", name) for name in names]
    report = scene.daemon.admin("GET", "/cache?" + urlencode(query))
    if as_json:
        print_json(report)
        return
    rows = report["rows"]
    shown = rows[:lines] if lines else rows
    print_table([_row(row) for row in shown])
    if len(shown) < len(rows):
        say(f"... and {len(rows) - len(shown)} more (-n 0 shows all)")
    if names or index or unused_s:
        files, size = sum(row["files"] for row in rows), sum(row["bytes"] for row in rows)
        say(f"{plural(files, 'file')}, {human_size(size)}; of all:" if rows else "nothing cached is that; of all:")
    for line in _totals(report):
        say(line)


@cache_command.command("pin")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@mirror_option
@json_option
@pass_scene
def pin(scene: Scene, *, names: tuple[str, ...], index: str | None, as_json: bool) -> None:
    """Keep what is cached under these names for good, even when the cache folder is emptied."""
    moved = scene.daemon.admin("POST", "/cache/pin", {"names": names, "index": index})
    _tell(moved, "pinned", as_json=as_json)


@cache_command.command("unpin")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@mirror_option
@json_option
@pass_scene
def unpin(scene: Scene, *, names: tuple[str, ...], index: str | None, as_json: bool) -> None:
    """Let pinned files be evicted again."""
    moved = scene.daemon.admin("POST", "/cache/unpin", {"names": names, "index": index})
    _tell(moved, "unpinned", as_json=as_json)


@cache_command.command("evict")
@names_argument
@mirror_option
@unused_option
@click.option("--all", "everything", is_flag=True, help="All that is not pinned.")
@json_option
@pass_scene
def evict(
    scene: Scene, *, names: tuple[str, ...], index: str | None, unused_s: int, everything: bool, as_json: bool
) -> None:
    """Remove cached files; pinned ones and own packages stay."""
    if not (names or index or unused_s or everything):
        raise click.UsageError("say what is to go: NAMEs, --index, --unused or --all")
    asked = {"names": names, "index": index, "unused_s": unused_s, "all": everything}
    _tell(scene.daemon.admin("POST", "/cache/evict", asked), "evicted", as_json=as_json)


@cache_command.command("verify")
@json_option
@pass_scene
def verify(scene: Scene, *, as_json: bool) -> int:
    """Read all files again; damaged ones are set aside and fetched anew.

    Exits with 1 when one of them cannot be fetched now.
    """
    found = scene.daemon.admin("POST", "/cache/verify", {})
    while found["running"]:
        time.sleep(LOOK_S)
        found = scene.daemon.admin("GET", "/cache/verify")
        _show_progress(found)
    if as_json:
        print_json(found)
    else:
        for name in found["damaged"]:
            data(f"{name}  {'lost' if name in found['lost'] else 'damaged, fetched again'}")
        damaged = len(found["damaged"])
        say(f"{plural(found['read'], 'file')} read, {human_size(found['bytes'])}: {damaged or 'none'} damaged")
    return exits.NO if found["lost"] else exits.DONE


@cache_command.command("gc")
@json_option
@pass_scene
def gc(scene: Scene, *, as_json: bool) -> None:
    """Clear away what nothing can use: files of mirrors that are no more, halves, damaged ones."""
    found = scene.daemon.admin("POST", "/cache/gc", {})
    if as_json:
        print_json(found)
        return
    stray, pages = plural(found["stray"], "file"), plural(found["pages"], "page")
    say(f"cleared away {stray} ({human_size(found['stray_bytes'])}) and {pages} of mirrors that are no more,")
    halves, damaged = plural(found["halves"], "half file"), plural(found["set_aside"], "damaged file")
    say(f"{halves}, {damaged}, {plural(found['evicted'], 'file')} beyond the budget")


def _show_progress(found: Mapping[str, Any]) -> None:
    if sys.stderr.isatty():
        done = f"{found['read']:,} of {plural(found['files'], 'file')}, {human_size(found['bytes'])}"
        click.echo(f"\r\x1b[K{done if found['running'] else ''}", nl=False, err=True)


def _tell(moved: Mapping[str, Any], what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(moved)
        return
    say(f"{what} {plural(moved['files'], 'file')}, {human_size(moved['bytes'])}")
    if what == "evicted" and moved["pinned"]:
        say(f"{plural(moved['pinned'], 'pinned file')} kept (localpi cache unpin)")


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    marks = [f"{row['pinned']} pinned"] if row["pinned"] else []
    marks += [f"{row['last_copies']} gone upstream"] if row["last_copies"] else []
    return (
        str(row["name"]),
        human_size(row["bytes"]),
        plural(row["files"], "file"),
        f"used {row['last_used'][:16].replace('T', ' ')}Z",
        ",".join(row["indexes"]) or "-",
        ", ".join(marks),
    )


def _totals(report: Mapping[str, Any]) -> Sequence[str]:
    gain = report["gain"]
    budget = f" of {human_size(report['max_size'])}" if report["max_size"] else ""
    held = f"{human_size(report['bytes'])}{budget} in {plural(report['files'], 'file')}"
    if report["pinned_files"]:
        held += f", {human_size(report['pinned_bytes'])} in {report['pinned_files']} of them pinned"
    free = f"{human_size(report['disk_free'])} free on the disk, of which {human_size(report['keep_free'])} stay so"
    asked = gain["hits"] + gain["misses"]
    share = f"{gain['hits'] / asked:.0%}" if asked else ""
    rate = f"{share} of {plural(asked, 'file')} came from here" if asked else "no file was asked for yet"
    saved = f"saved {human_size(gain['bytes_saved'])} and {_span(gain['seconds_saved'])}"
    lines = [held, free, f"{rate}, {saved}" if gain["hits"] else rate]
    if gain["unkept"]:
        lines.append(f"handed on without room to keep: {plural(gain['unkept'], 'download')}")
    return lines


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"about {seconds:.0f} s" if seconds >= 1 else "less than 1 s"
    return f"about {seconds / 60:.0f} min" if seconds < 7200 else f"about {seconds / 3600:.1f} h"
