"""`config`: the settings, where each comes from, and the file that holds them."""

from __future__ import annotations

import click

from localpi.cli.listing import ListedGroup
from localpi.cli.output import data, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, pass_scene
from localpi.errors import DaemonNotRunning
from localpi.settings.file import set_in_file, unset_in_file
from localpi.settings.load import Origin, value_of
from localpi.settings.schema import TABLE, find_setting
from localpi.settings.values import mask_userinfo


@click.group("config", cls=ListedGroup)
def config_command() -> None:
    """Show and change settings; works without the daemon."""


@config_command.command("show")
@json_option
@pass_scene
def show(scene: Scene, *, as_json: bool) -> None:
    """Show every setting, its value and where that came from."""
    settings = scene.settings
    rows = []
    for setting in TABLE:
        origin = settings.origins[setting.key]
        shown = mask_userinfo(setting.kind.show(value_of(settings, setting.key)))
        rows.append(
            {
                "key": setting.key,
                "value": shown,
                "origin": origin.kind,
                "where": origin.name,
                "variable": setting.variable,
                "default": setting.kind.show(setting.default),
                "about": setting.sentence,
            }
        )
    if as_json:
        print_json({"file": str(scene.paths.config_file), "settings": rows})
        return
    print_table([(row["key"], row["value"] or '""', _origin(settings.origins[row["key"]])) for row in rows])


def _origin(origin: Origin) -> str:
    return f"{origin.kind} {origin.name}" if origin.name else origin.kind


@config_command.command("get")
@click.argument("key")
@json_option
@pass_scene
def get(scene: Scene, *, key: str, as_json: bool) -> None:
    """Print the value of KEY, as it can be given to `set`."""
    setting = find_setting(key)
    shown = setting.kind.show(value_of(scene.settings, key))
    if not as_json:
        data(shown)
        return
    origin = scene.settings.origins[key]
    print_json({"key": key, "value": mask_userinfo(shown), "origin": origin.kind, "where": origin.name})


@config_command.command("set")
@click.argument("key")
@click.argument("value", required=False)
@pass_scene
def set_(scene: Scene, *, key: str, value: str | None) -> None:
    """Set KEY to VALUE in the file; KEY=VALUE does too, and KEY+=VALUE, KEY-=VALUE add to a list and take from it."""
    if value is None:
        if "=" not in key:
            raise click.UsageError("the value is missing")
        key, _, value = key.partition("=")
    key, sign = (key[:-1], key[-1]) if key.endswith(("+", "-")) else (key, "")
    setting = find_setting(key)
    wanted: object = value
    if sign:
        wanted = _changed_list(value_of(scene.settings, key), setting.parse(value, "given"), sign)
    parsed = set_in_file(scene.paths.config_file, key, wanted)
    say(f"{key} = {mask_userinfo(setting.kind.show(parsed))}   ({scene.paths.config_file})")
    if scene.environ.get(setting.variable):
        say(f"but {setting.variable} is set in this environment and wins")
    _say_restart(scene)


def _changed_list(now: object, change: object, sign: str) -> tuple[object, ...]:
    if not isinstance(now, tuple) or not isinstance(change, tuple):
        raise click.UsageError("only a list can be added to")
    if sign == "+":
        return (*now, *(word for word in change if word not in now))
    return tuple(word for word in now if word not in change)


@config_command.command("unset")
@click.argument("key")
@pass_scene
def unset(scene: Scene, *, key: str) -> None:
    """Take KEY out of the file, so that its default counts again."""
    if unset_in_file(scene.paths.config_file, key):
        say(f"{key} is no longer set in {scene.paths.config_file}")
        _say_restart(scene)
    else:
        say(f"{key} was not set in {scene.paths.config_file}")


def _say_restart(scene: Scene) -> None:
    try:
        _ = scene.daemon
    except DaemonNotRunning:
        return
    say("the running daemon takes it up at its next start: localpi down && localpi up")
