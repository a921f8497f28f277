"""`service`: the daemon started at login, and again when it fails, by systemd or launchd."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from localpi.cli import exits
from localpi.cli.listing import ListedGroup
from localpi.cli.output import data, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, pass_scene
from localpi.reports import plural
from localpi.settings.schema import find_setting
from localpi.settings.values import mask_userinfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localpi.reports import ServiceReport
    from localpi.service.shell import ShellSetting
    from localpi.setup.service import Service


@click.group("service", cls=ListedGroup)
def service_command() -> None:
    """Have the daemon start at login, and again when it fails."""


@service_command.command("install")
@click.option("--dry-run", is_flag=True, help="Print the files as they would be, change nothing.")
@click.option("--linger", is_flag=True, help="Have it run from boot on and after logout too (loginctl enable-linger).")
@pass_scene
def install(scene: Scene, *, dry_run: bool, linger: bool) -> int:
    """Make the service, or bring it up to date, and start it.

    What is set in this shell alone (LOCALPI_*, proxies, CAs) goes into config.toml: services see no shell.
    """
    from localpi.setup.serving import install_service  # noqa: PLC0415 -- psutil and subprocess, for this alone

    if dry_run:
        return _print_files(scene)
    installed = install_service(scene.paths, scene.environ)
    tell_kept(installed.kept)
    say(f"{installed.name}: {installed.what.value}, runs at {installed.daemon.url}, and starts at login")
    offer_linger(scene, wanted=linger)
    return exits.DONE


def _print_files(scene: Scene) -> int:
    from localpi.setup.service import make_spec, shell_settings, usable_manager  # noqa: PLC0415 -- as above

    manager = usable_manager(scene.paths, scene.environ)
    kept = shell_settings(manager, scene.paths, scene.environ)
    for each in kept:
        say(f"would keep {_shown(each)}")
    for path, content in manager.render(make_spec(scene.paths, scene.environ, {each.key: each.value for each in kept})):
        say(f"would write {path}")
        data(content.decode())
    return exits.DONE


def tell_kept(kept: Iterable[ShellSetting]) -> None:
    """Say what went from this shell into config.toml."""
    for each in kept:
        say(f"kept in config.toml: {_shown(each)}: a service sees no shell")


def _shown(each: ShellSetting) -> str:
    return f"{each.key} = {mask_userinfo(find_setting(each.key).kind.show(each.value))} (from {each.variable})"


def offer_linger(scene: Scene, *, wanted: bool = False, ask: bool = True) -> None:
    """Explain linger where it is off; turn it on where that is wanted, or said at the terminal when it `ask`s."""
    from localpi.service.linger import EXPLAINED, enable_linger, is_lingering  # noqa: PLC0415 -- subprocess

    if sys.platform != "linux" or is_lingering():
        return
    if not wanted:
        say(EXPLAINED)
        wanted = ask and scene.may_ask() and click.confirm("Turn it on?", default=False, err=True)
    if wanted:
        outcome = enable_linger(scene.environ)
        if outcome.good:
            say("linger is on: it starts at boot and outlives the last logout")
        else:
            say(f"linger could not be turned on: {outcome.reason}\n  → {outcome.hint}")


@service_command.command("uninstall")
@pass_scene
def uninstall(scene: Scene) -> int:
    """Stop the service and remove its files; settings, packages and cache stay."""
    from localpi.setup.removal import remove_service  # noqa: PLC0415 -- as above

    name = remove_service(scene.paths, scene.environ)
    say(f"{name}: stopped and removed" if name else "there was no service")
    return exits.DONE


@service_command.command("start")
@pass_scene
def start(scene: Scene) -> int:
    """Start the service and wait until it answers."""
    from localpi.setup.serving import start_service  # noqa: PLC0415 -- as above

    daemon = start_service(_installed(scene), scene.paths, scene.environ)
    say(f"localpi runs at {daemon.url}")
    return exits.DONE


@service_command.command("stop")
@pass_scene
def stop(scene: Scene) -> int:
    """Stop the service until the next login."""
    from localpi.setup import stop as stopping  # noqa: PLC0415 -- as above

    _installed(scene)
    stopped = stopping.stop(scene.paths, scene.environ) is stopping.Stop.STOPPED
    say("localpi has stopped; it starts again at the next login" if stopped else "localpi was not running")
    return exits.DONE


@service_command.command("restart")
@pass_scene
def restart(scene: Scene) -> int:
    """Restart the service; under systemd requests wait meanwhile and none is lost."""
    from localpi.setup.serving import restart_service  # noqa: PLC0415 -- as above

    daemon = restart_service(_installed(scene), scene.paths, scene.environ)
    say(f"localpi runs at {daemon.url}")
    return exits.DONE


def _installed(scene: Scene) -> Service:
    from localpi.setup.service import NotInstalledError, find_service  # noqa: PLC0415 -- as above

    service = find_service(scene.paths, scene.environ)
    if service is None:
        raise NotInstalledError(f"no service works on {scene.paths.data}")
    return service


@service_command.command("status")
@json_option
@pass_scene
def status(scene: Scene, *, as_json: bool) -> int:
    """Show how the service is; changes nothing. Exits with 3 when it does not run."""
    from localpi.setup.service import report_service  # noqa: PLC0415 -- as above

    report = report_service(scene.paths, scene.environ)
    if as_json:
        print_json(report)
    else:
        print_table(_rows(report))
        for remedy in _remedies(report):
            say(f"→ {remedy}")
    return exits.DONE if report.activity == "running" else exits.NOT_RUNNING


def _rows(report: ServiceReport) -> list[tuple[str, str]]:
    if not report.installed:
        return [("service", report.unavailable or "not installed")]
    state = report.activity + (f", pid {report.pid}" if report.pid else "")
    if report.restarts:
        state += f", started again {plural(report.restarts, 'time')}"
    rows = [("service", report.name), ("state", state)]
    if report.ended:
        rows.append(("ended", report.ended))
    when = "at boot" if report.lingers else "at login"
    rows.append(("starts", when if report.enabled else "by hand alone"))
    rows.append(("program", " ".join(report.program)))
    if report.listen:
        rows.append(("listens", ", ".join(report.listen)))
    return rows + [("file", each) for each in report.files]


def _remedies(report: ServiceReport) -> list[str]:
    if not report.installed:
        return [] if report.unavailable else ["localpi service install"]
    found = []
    if report.fault:
        found.append(f"{report.fault}: localpi service install")
    elif not report.enabled:
        found.append("it does not start at login: localpi service install")
    if not report.current:
        found.append("settings have changed since: localpi service restart")
    if report.activity == "failed":
        found.append("why it failed: localpi logs")
    return found
