"""`why`: the reasons."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import click

from localpi.cli import exits
from localpi.cli.health_text import local_time
from localpi.cli.output import data, json_option, print_json, say
from localpi.cli.scene import Scene, index_option, pass_scene
from localpi.reports import plural

EXITS = {"found": exits.DONE, "absent": exits.NO, "unknown": exits.UNREACHABLE}
MOST_VERSIONS = 8


@click.command("why")
@click.argument("name", required=False)
@click.argument("version", required=False)
@click.option("--accept", is_flag=True, help="Take other bytes that a mirror has by now under names known before.")
@index_option
@json_option
@pass_scene
def why_command(
    scene: Scene, *, name: str | None, version: str | None, accept: bool, index: str | None, as_json: bool
) -> int:
    """Explain why NAME resolves as it does: each base, whether it was asked, what it said, what is shown or hidden.

    Without NAME the last refused request is explained. Exits with 0 when the project is found, 1 when it is known to
    be absent, 5 when that cannot be known now.
    """
    refused: dict[str, Any] | None = None
    if name is None:
        refused = _get(scene, "/+why").get("refused")
        if refused is None:
            if as_json:
                print_json({"refused": None})
            else:
                say("nothing has been refused yet")
            return exits.DONE
        name, index = str(refused["project"]), index or str(refused["index"])
    query = "?" + urlencode({"version": version}) if version else ""
    path = f"/+why/{quote(scene.index(index))}/{quote(name)}{query}"
    why = _get(scene, path)
    if accept:
        _accept(scene, why)
        why = _get(scene, path)
    if as_json:
        print_json(({"refused": refused} if refused else {}) | why)
    else:
        if refused:
            data(f"last refused, at {local_time(refused['at'], seconds=True)}: {name} on {index}")
            data(f"     {refused['reason']}")
        _print(why, version)
    if version and why["answer"] == "found" and not any(_shown(base) for base in why["bases"]):
        return exits.NO
    return EXITS[why["answer"]]


def _accept(scene: Scene, why: dict[str, Any]) -> None:
    for base in why["bases"]:
        if base["state"]:
            asked = {"index": base["index"], "project": why["project"]}
            count = scene.daemon.admin("POST", "/accept", asked)["files"]
            if count:
                say(f"{base['index']}: took {plural(count, 'file')} as they are now")


def _get(scene: Scene, path: str) -> dict[str, Any]:
    return scene.daemon.ask(path)


def _print(why: dict[str, Any], version: str | None) -> None:
    data(_headline(why))
    for number, base in enumerate(why["bases"], 1):
        state = f" ({base['state']})" if base["state"] not in {"", "ok"} else ""
        asked = f", asked last at {local_time(base['at'], seconds=True)}" if base["said"] and base["at"] else ""
        data(f"{number}. {base['index']}{state}{asked}: {base['rule']}")
        if version:
            for file in base["files"]:
                data(f"     {file['filename']}: {_fate(file, base['index'])}")
        elif base["versions"]:
            data(f"     versions: {_versions(base['versions'])}")
        for rule, count in base["hidden"].items():
            data(f"     {plural(count, 'file')}: {rule}")
        if not version:
            for told in _times(base):
                data(f"     {told}")
    if version and why["answer"] == "found" and not any(base["files"] for base in why["bases"]):
        data(f"no base lists a file of {version}")
    for note in why["notes"]:
        data(f"note: {note}")


def _headline(why: dict[str, Any]) -> str:
    project, index, reason = why["project"], why["index"], why["reason"]
    match why["answer"]:
        case "found":
            having = [base["index"] for base in why["bases"] if base["versions"]]
            return f"{project} is found on {index}: {reason or 'from ' + ' and '.join(having)}"
        case "absent":
            return f"{project} is not on {index}: {reason}"
    return f"{project} cannot be had from {index} now: {reason}"


def _fate(file: dict[str, Any], index: str) -> str:
    parts = ["listed" if file["shown"] else "not listed", file["rule"]]
    if not file["upload_time"]:
        parts.append("upload time not known")
    elif file["told_by"] == index:
        parts.append(f"uploaded {file['upload_time']}")
    else:
        parts.append(f"uploaded {file['upload_time']} (copied from {file['told_by']}, which has the same sha256)")
    return ", ".join(part for part in parts if part)


def _times(base: dict[str, Any]) -> tuple[str, ...]:
    """Say whose word upload times are that are not the base's own."""
    return tuple(
        f"{plural(count, 'file')}: upload time copied from {name}, which has the same sha256"
        if name
        else f"{plural(count, 'file')}: upload time not known, left out by uv --exclude-newer"
        for name, count in base["upload_times"].items()
        if name != base["index"]
    )


def _versions(versions: list[str]) -> str:
    """Return the newest of ascending versions."""
    more = len(versions) - MOST_VERSIONS
    return ", ".join(versions[-MOST_VERSIONS:]) + (f" and {more} older" if more > 0 else "")


def _shown(base: dict[str, Any]) -> list[Any]:
    return [file for file in base["files"] if file["shown"]]
