"""`offline`: what may be contacted, by hand."""

from __future__ import annotations

from typing import Any

import click

from localpi.cli.output import data, json_option, print_json
from localpi.cli.scene import Scene, pass_scene


@click.command("offline")
@click.argument("mode", type=click.Choice(["on", "off", "auto"]), required=False)
@click.argument("base", required=False)
@json_option
@pass_scene
def offline_command(scene: Scene, *, mode: str | None, base: str | None, as_json: bool) -> None:
    """Say by hand which upstreams may be contacted: all, or those of BASE. Kept over restarts.

    \b
    on    never contact it; pages list only what is here
    off   always contact it; pages list everything
    auto  by how it is doing, which is looked at now

    Alone it says how they are, and changes nothing.
    """  # noqa: D301 -- \b is click's own mark
    asked = {"mode": mode} | ({"index": full_name(base)} if base else {})
    told = scene.daemon.admin("POST", "/offline", asked) if mode else scene.daemon.admin("GET", "/status")
    if as_json:
        print_json({"bases": told.get("bases", [])})
        return
    for row in told.get("bases", []):
        data(_row(row))


def full_name(base: str) -> str:
    """Return a mirror's whole name: `pypi` is `root/pypi`."""
    return base.strip("/") if "/" in base.strip("/") else f"root/{base}"


def _row(row: dict[str, Any]) -> str:
    mode, state = row.get("offline", "auto"), row["state"]
    if mode == "on":
        return f"{row['index']} is not contacted; its pages list what is here"
    if mode == "off":
        return f"{row['index']} is contacted whatever happens; its pages list everything (it is {state})"
    return f"{row['index']} is {state}"
