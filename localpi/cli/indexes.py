"""`index`: the indexes and their settings."""

from __future__ import annotations

import click

from localpi.cli.listing import ListedGroup
from localpi.cli.output import json_option, print_json, print_table, say
from localpi.cli.scene import Scene, index_argument, pass_scene
from localpi.settings.values import mask_userinfo


@click.group("index", cls=ListedGroup)
def index_command() -> None:
    """Show, make and change indexes: stages that hold packages, mirrors that cache an upstream."""


@index_command.command("list")
@json_option
@pass_scene
def list_(scene: Scene, *, as_json: bool) -> None:
    """List every index: its type, and its bases or its upstream."""
    users = scene.daemon.front()
    indexes = {
        f"{user}/{name}": config
        for user, row in sorted(users.items())
        for name, config in sorted((row.get("indexes") or {}).items())
    }
    if as_json:
        print_json({"indexes": [{"index": name, **config} for name, config in indexes.items()]})
        return
    print_table([(name, str(config.get("type", "")), _short(config)) for name, config in indexes.items()])


def _short(config: dict[str, object]) -> str:
    bases = config.get("bases")
    return ", ".join(bases) if isinstance(bases, list) else mask_userinfo(config.get("mirror_url", ""))


@index_command.command("show")
@index_argument
@json_option
@pass_scene
def show(scene: Scene, *, index: str, as_json: bool) -> None:
    """Show the settings of an index."""
    config = scene.daemon.api("GET", f"/{index}", no_projects="")
    config.pop("projects", None)
    if as_json:
        print_json({"index": index, **config})
        return
    print_table([(key, _text(value)) for key, value in config.items()])


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else mask_userinfo(value)


@index_command.command("create")
@index_argument
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@pass_scene
def create(scene: Scene, *, index: str, settings: tuple[str, ...]) -> None:
    """Make an index: a stage, or with type=mirror mirror_url=URL a mirror.

    \b
    localpi index create root/dev bases=root/pypi volatile=false
    localpi index create root/acme type=mirror mirror_url=https://acme.example/simple/

    `localpi index set --help` names the settings.
    """  # noqa: D301 -- \b is click's own mark
    config = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key or key[-1] in "+-":
            raise click.UsageError(f"{setting!r} is not KEY=VALUE")
        config[key] = value
    scene.daemon.api("PUT", f"/{index}", config)
    say(f"made {index}")


@index_command.command("set")
@index_argument
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE...")
@pass_scene
def set_(scene: Scene, *, index: str, changes: tuple[str, ...]) -> None:
    """Change settings of an index: KEY=VALUE sets, KEY+=VALUE adds to a list, KEY-=VALUE takes from it, KEY-= unsets.

    \b
    localpi index set root/local bases+=root/acme

    A stage has volatile, bases, acl_upload, acl_toxresult_upload, mirror_whitelist, mirror_whitelist_inheritance
    (intersection or union) and resolution (first or merge).

    A mirror has mirror_url, volatile, claims, unseen (next or hold), mirror_cache_expiry (seconds),
    mirror_use_external_urls, mirror_no_project_list, mirror_provides_core_metadata, mirror_ignore_serial_header and
    mirror_web_url_fmt.

    Both have title, description and custom_data.
    """  # noqa: D301 -- \b is click's own mark
    wrong = next((change for change in changes if "=" not in change), None)
    if wrong:
        raise click.UsageError(f"{wrong!r} is not KEY=VALUE")
    scene.daemon.api("PATCH", f"/{index}", list(changes))
    say(f"changed {index}")


@index_command.command("delete")
@index_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_scene
def delete(scene: Scene, *, index: str, yes: bool) -> None:
    """Delete an index and every package that it holds."""
    if not yes and scene.may_ask():
        click.confirm(f"Delete {index} and what it holds?", abort=True, err=True)
    scene.daemon.api("DELETE", f"/{index}")
    say(f"deleted {index}")
