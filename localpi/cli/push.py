"""`push`: a release from index to index, or to an index elsewhere."""

from __future__ import annotations

import os
import sys
from configparser import ConfigParser, Error
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from localpi.cli import exits
from localpi.cli.output import data, json_option, print_json, say
from localpi.cli.scene import Scene, index_option, pass_scene
from localpi.settings.pypi import PYPI_UPLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command("push")
@click.argument("release", metavar="PROJECT==VERSION")
@click.argument("target")
@index_option
@click.option("--no-docs", is_flag=True, help="Leave the documentation out.")
@click.option("--only-docs", is_flag=True, help="The documentation alone.")
@click.option("--pypirc", type=click.Path(path_type=Path), help="For a TARGET pypi:NAME; default ~/.pypirc.")
@json_option
@pass_scene
def push_command(scene: Scene, /, *, release: str, target: str, index: str | None, **how: Any) -> int:
    """Copy a release to the index TARGET (USER/NAME): the same bytes, all files or none.

    With pypi:NAME it is uploaded to the repository NAME of ~/.pypirc; TWINE_USERNAME and TWINE_PASSWORD count as well.

    \b
    localpi push demo==1.0 root/stable
    localpi push demo==1.0 pypi:testpypi
    """  # noqa: D301 -- \b is click's own mark
    project, equals, version = release.partition("==")
    if not (project and equals and version):
        raise click.UsageError("expected PROJECT==VERSION")
    if how["no_docs"] and how["only_docs"]:
        raise click.UsageError("--no-docs and --only-docs exclude each other")
    asked: dict[str, Any] = {"name": project, "version": version}
    asked |= {key: True for key in ("no_docs", "only_docs") if how[key]}
    if target.startswith("pypi:"):
        asked |= repository(target.removeprefix("pypi:"), how["pypirc"] or Path.home() / ".pypirc", os.environ)
    else:
        asked["targetindex"] = target.strip("/")
    source = scene.index(index)
    actions = scene.daemon.push(f"/{quote(source)}", asked)
    failed = [action for action in actions if action[0] not in (200, 201, 410)]
    if how["as_json"]:
        print_json({"index": source, "target": target, "actions": actions})
    else:
        for action in actions:
            data(" ".join(str(part) for part in action).rstrip())
    if failed:
        say(f"not all of it was taken: {failed[0][-1]}")
        return exits.REFUSED
    say(f"pushed {release} from {source} to {target}")
    return exits.DONE


def repository(name: str, pypirc: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return `posturl`, `username` and `password` for a repository of a .pypirc; UsageError when there is none."""
    known = ConfigParser(interpolation=None)
    try:
        known.read(pypirc, "utf-8")
    except (Error, UnicodeDecodeError):
        raise click.UsageError(f"{pypirc} cannot be read") from None
    section = known[name] if known.has_section(name) else {}
    url = section.get("repository", PYPI_UPLOAD if name == "pypi" else "")
    if not url:
        raise click.UsageError(f"{pypirc} has no repository {name}")
    username = environ.get("TWINE_USERNAME") or section.get("username", "")
    password = environ.get("TWINE_PASSWORD") or section.get("password", "")
    if not password and sys.stdin.isatty():
        username = username or str(click.prompt("Username", err=True))
        password = str(click.prompt("Password", hide_input=True, err=True))
    if not (username and password):
        raise click.UsageError(f"no username and password for {name}: in {pypirc}, or TWINE_USERNAME, TWINE_PASSWORD")
    return {"posturl": url, "username": username, "password": password}
