"""`list`, `remove`, `yank`, `unyank`: what an index holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from localpi.cli.output import data, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, index_option, pass_scene
from localpi.errors import InvalidName
from localpi.reports import ProjectRow
from localpi.simple.names import normalize, parse_filename

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command("list")
@click.argument("project", required=False)
@index_option
@json_option
@pass_scene
def list_command(scene: Scene, *, project: str | None, index: str | None, as_json: bool) -> None:
    """List the projects that an index itself holds, or the releases of PROJECT, its bases' too."""
    index = scene.index(index)
    if project is None:
        projects = scene.daemon.api("GET", f"/{index}").get("projects", [])
        if as_json:
            print_json({"index": index, "projects": projects})
        for name in () if as_json else projects:
            data(name)
        return
    rows = release_rows(normalize(project), scene.daemon.project(index, normalize(project)))
    if as_json:
        print_json({"index": index, "project": normalize(project), "releases": [_as_dict(row) for row in rows]})
        return
    print_table([(row.version, _yanked(row), ", ".join(row.files)) for row in rows])


def release_rows(project: str, page: Mapping[str, Any]) -> tuple[ProjectRow, ...]:
    """Return the releases on a PEP 691 page in the page's order; files that are no wheel or sdist are passed over."""
    files: dict[str, list[str]] = {}
    yanked: dict[str, list[object]] = {}
    for file in page.get("files", []):
        try:
            version = parse_filename(file["filename"]).version
        except InvalidName:
            continue
        files.setdefault(version, []).append(file["filename"])
        yanked.setdefault(version, []).append(file.get("yanked", False))
    return tuple(
        ProjectRow(project, version, tuple(names), _reason(yanked[version])) for version, names in files.items()
    )


def _reason(marks: list[object]) -> str | None:
    """Return why a release is yanked: it is when all its files are (PEP 592 yanks files)."""
    if not all(marks):
        return None
    return next((mark for mark in marks if isinstance(mark, str)), "")


def _as_dict(row: ProjectRow) -> dict[str, object]:
    return {"version": row.version, "files": list(row.files), "yanked": row.yanked}


def _yanked(row: ProjectRow) -> str:
    return "" if row.yanked is None else f"yanked {row.yanked}".strip()


def _release(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, str | None]:
    project, equals, version = value.partition("==")
    if not project or (equals and not version):
        raise click.BadParameter("expected PROJECT==VERSION")
    return normalize(project), version or None


def _one_release(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, str]:
    project, version = _release(context, parameter, value)
    if version is None:
        raise click.BadParameter("expected PROJECT==VERSION")
    return project, version


@click.command("remove")
@click.argument("release", metavar="PROJECT[==VERSION]", callback=_release)
@index_option
@click.option("--force", is_flag=True, help="From a non-volatile index too.")
@click.option("--dry-run", is_flag=True, help="Say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_scene
def remove_command(
    scene: Scene, *, release: tuple[str, str | None], index: str | None, force: bool, dry_run: bool, yes: bool
) -> None:
    """Delete a release, or a whole project, from an index."""
    index = scene.index(index)
    project, version = release
    what = f"{project}=={version}" if version else f"{project}, all releases,"
    if dry_run:
        held = scene.daemon.api("GET", f"/{index}").get("projects", [])
        say(f"would delete {what} from {index}" if project in held else f"{index} itself holds no {project}")
        return
    if not yes and scene.may_ask():
        click.confirm(f"Delete {what} from {index}?", abort=True, err=True)
    path = f"/{index}/{quote(project)}" + (f"/{quote(version)}" if version else "/")
    scene.daemon.api("DELETE", path, **({"force": ""} if force else {}))
    say(f"deleted {what} from {index}")


@click.command("yank")
@click.argument("release", metavar="PROJECT==VERSION", callback=_one_release)
@index_option
@click.option("--reason", default="", help="Shown by installers that take it nevertheless.")
@pass_scene
def yank_command(scene: Scene, *, release: tuple[str, str], index: str | None, reason: str) -> None:
    """Yank a release: installers take it only when that very version is asked for (PEP 592)."""
    _yank(scene, release, scene.index(index), reason)
    say(f"yanked {'=='.join(release)} on {scene.index(index)}")


@click.command("unyank")
@click.argument("release", metavar="PROJECT==VERSION", callback=_one_release)
@index_option
@pass_scene
def unyank_command(scene: Scene, *, release: tuple[str, str], index: str | None) -> None:
    """Take a yank back."""
    _yank(scene, release, scene.index(index), None)
    say(f"unyanked {'=='.join(release)} on {scene.index(index)}")


def _yank(scene: Scene, release: tuple[str, str], index: str, reason: str | None) -> None:
    project, version = release
    scene.daemon.admin("POST", "/yank", {"index": index, "project": project, "version": version, "reason": reason})
