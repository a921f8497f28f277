"""`remove`: releases by name, or those that have had their time."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from localpi.cli.output import data, json_option, print_json, say
from localpi.cli.packages import parse_release
from localpi.cli.retention import choose_old
from localpi.cli.scene import Scene, index_option, pass_scene
from localpi.remote.daemon import RemoteError
from localpi.reports import plural
from localpi.settings.values import parse_duration
from localpi.simple.names import normalize, parse_filename

if TYPE_CHECKING:
    from collections.abc import Mapping


def _span(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    return None if value is None else parse_duration(value)


@click.command("remove")
@click.argument("release", metavar="PROJECT[==VERSION]", callback=parse_release)
@index_option
@click.option("--older-than", metavar="SPAN", callback=_span, help="Releases whose last file is older: 30d, 12h, ...")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Never the N newest versions; alone: all others.")
@click.option("--force", is_flag=True, help="From a non-volatile index too.")
@click.option("--dry-run", is_flag=True, help="Say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_scene
def remove_command(scene: Scene, /, *, release: tuple[str, str | None], index: str | None, **how: Any) -> None:
    """Delete a release, a whole project, or its old releases, from an index.

    \b
    localpi remove demo==1.0
    localpi remove demo --older-than 30d --keep 3 --index root/nightly --dry-run
    """  # noqa: D301 -- \b is click's own mark
    index = scene.index(index)
    project, version = release
    by_age = how["older_than"] is not None or how["keep"] is not None
    if version is not None and by_age:
        raise click.UsageError("a single version has no --older-than and --keep")
    held = own_releases(scene, index, normalize(project))
    if by_age:
        chosen = choose_old(held, time.time(), older_than_s=how["older_than"], keep=how["keep"])
    else:
        chosen = (version,) if version is not None else tuple(held)
    if how["dry_run"]:
        _say_what_would_go(index, project, chosen, held, as_json=how["as_json"])
        return
    whole = version is None and not by_age
    what = f"{project}, all releases," if whole else f"{project} {', '.join(chosen)}"
    if chosen and not how["yes"] and scene.may_ask():
        click.confirm(f"Delete {what} from {index}?", abort=True, err=True)
    force = {"force": ""} if how["force"] else {}
    paths = [f"/{index}/{quote(project)}/"] if whole else [f"/{index}/{quote(project)}/{quote(one)}" for one in chosen]
    for path in paths:
        scene.daemon.api("DELETE", path, **force)
    if how["as_json"]:
        print_json({"index": index, "project": project, "removed": list(chosen)})
    say(f"deleted {what} from {index}" if paths else _none_to_go(index, project))


def _none_to_go(index: str, project: str) -> str:
    return f"{index} itself holds no release of {project} that is to go"


def own_releases(scene: Scene, index: str, project: str) -> Mapping[str, float]:
    """Return version -> when its latest file came (seconds since the epoch), of what the index itself holds."""
    try:
        page = scene.daemon.project(index, project)
        known = scene.daemon.api("GET", f"/{index}/{quote(project)}/", ignore_bases="")
    except RemoteError as error:
        if error.status == 404:
            return {}
        raise
    times: dict[str, float] = {}
    for file in page.get("files", []):
        if str(file.get("url", "")).startswith(f"/{index}/") and file.get("upload-time"):
            version = parse_filename(file["filename"]).version
            at = datetime.fromisoformat(str(file["upload-time"])).timestamp()
            times[version] = max(at, times.get(version, 0.0))
    return {version: times.get(str(_normal(version)), 0.0) for version in known}


def _normal(version: str) -> str:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 -- the help of all commands imports this

    try:
        return str(Version(version))
    except InvalidVersion:
        return version


def _say_what_would_go(
    index: str, project: str, chosen: tuple[str, ...], held: Mapping[str, float], *, as_json: bool
) -> None:
    there = [version for version in chosen if version in held or _normal(version) in map(_normal, held)]
    if as_json:
        print_json({"index": index, "project": project, "would_remove": there})
        return
    for version in there:
        data(f"{project}=={version}")
    say(f"would delete {plural(len(there), 'release')} from {index}" if there else _none_to_go(index, project))
