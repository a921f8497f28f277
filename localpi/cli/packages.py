"""`list`, `yank`, `unyank`: what an index holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from localpi.cli.output import data, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, index_option, pass_scene
from localpi.errors import InvalidName
from localpi.reports import ProjectRow
from localpi.simple.names import normalize, parse_filename, version_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


MOST_FILES = 3
"""Files of a release that are named on its line; --json names all."""


@click.command("list")
@click.argument("project", required=False)
@index_option
@click.option("-v", "--versions", is_flag=True, help="Of each project the newest version that the index itself holds.")
@json_option
@pass_scene
def list_command(scene: Scene, *, project: str | None, index: str | None, versions: bool, as_json: bool) -> None:
    """List the projects that an index itself holds, or the releases of PROJECT, its bases' too."""
    index = scene.index(index)
    if project is None and versions:
        newest = list(_newest(scene, index))
        _say_where_nothing_is(index, newest)
        if as_json:
            print_json(
                {"index": index, "projects": [{"project": name, "version": version} for name, version in newest]}
            )
            return
        print_table(newest)
        return
    if project is None:
        projects = scene.daemon.api("GET", f"/{index}").get("projects", [])
        _say_where_nothing_is(index, projects)
        if as_json:
            print_json({"index": index, "projects": projects})
        for name in () if as_json else projects:
            data(name)
        return
    releases = release_rows(normalize(project), scene.daemon.project(index, normalize(project)))
    if as_json:
        print_json({"index": index, "project": normalize(project), "releases": [_as_dict(row) for row in releases]})
        return
    print_table([(row.version, _yanked(row), _files(row)) for row in releases])


def _say_where_nothing_is(index: str, projects: Sequence[object]) -> None:
    if not projects:
        say(f"{index} itself holds nothing yet: localpi upload FILE")


def _newest(scene: Scene, index: str) -> Iterator[tuple[str, str]]:
    for name in scene.daemon.api("GET", f"/{index}").get("projects", []):
        held = scene.daemon.api("GET", f"/{index}/{quote(name)}/", ignore_bases="")
        if held:
            yield name, max(held, key=version_key)


def release_rows(project: str, page: Mapping[str, Any]) -> tuple[ProjectRow, ...]:
    """Return the releases on a PEP 691 page, ascending; files that are no wheel or sdist are passed over."""
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
        ProjectRow(project, version, tuple(files[version]), _reason(yanked[version]))
        for version in sorted(files, key=version_key)
    )


def _reason(marks: list[object]) -> str | None:
    """Return why a release is yanked: it is when all its files are (PEP 592 yanks files)."""
    if not all(marks):
        return None
    return next((mark for mark in marks if isinstance(mark, str)), "")


def _as_dict(row: ProjectRow) -> dict[str, object]:
    return {"version": row.version, "files": list(row.files), "yanked": row.yanked}


def _files(row: ProjectRow) -> str:
    return ", ".join(row.files) if len(row.files) <= MOST_FILES else f"{len(row.files)} files"


def _yanked(row: ProjectRow) -> str:
    return "" if row.yanked is None else f"yanked {row.yanked}".strip()


def parse_release(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, str | None]:
    """Take PROJECT or PROJECT==VERSION for an argument of click's; BadParameter."""
    project, equals, version = value.partition("==")
    if not project or (equals and not version):
        raise click.BadParameter("expected PROJECT==VERSION")
    return normalize(project), version or None


def _one_release(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, str]:
    project, version = parse_release(context, parameter, value)
    if version is None:
        raise click.BadParameter("expected PROJECT==VERSION")
    return project, version


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
