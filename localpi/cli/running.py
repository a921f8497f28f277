"""`up`, `down`, `serve`: starting and stopping."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

import click

from localpi import __version__
from localpi.cli import exits
from localpi.cli.output import data, say, show_error
from localpi.cli.scene import Scene, pass_scene
from localpi.errors import DiskFull, LocalpiError
from localpi.settings.load import load_settings
from localpi.settings.pypi import PYPI_SIMPLE
from localpi.settings.schema import find_setting

if TYPE_CHECKING:
    from localpi.remote.daemon import Daemon
    from localpi.setup.start import Started


@click.command("up")
@click.option("--wire", is_flag=True, help="Make pip install from it too, as `localpi wire-pip` does.")
@click.option("--no-service", is_flag=True, help="Do not make a service at the first start: run in the background.")
@pass_scene
def up_command(scene: Scene, *, wire: bool, no_service: bool) -> int:
    """Make what is missing, start the daemon, wait until it answers.

    The first start makes a service of it, where systemd or launchd can have one, so that it starts at login; with
    LOCALPI_HOME and elsewhere it runs in the background. Prints the URL that pip needs, and what to do next.
    """
    from localpi.setup.answering import StartFailed  # noqa: PLC0415 -- as above
    from localpi.setup.gather import index_url, wired_tools  # noqa: PLC0415 -- psutil and subprocess, for this alone
    from localpi.setup.start import start  # noqa: PLC0415 -- as above

    settings = scene.settings
    try:
        started = start(scene.paths, scene.environ, may_install=not no_service)
    except StartFailed as failed:
        if not failed.said or failed.status is None:
            raise
        say(failed.said)  # the daemon has already said title, reason and remedy
        return failed.status or exits.CANNOT_START
    _tell_started(scene, started)
    _offer_base(scene, started.daemon, ask=started.first_run and scene.may_ask())
    url = index_url(started.daemon.url, settings.default_index)
    data(url)
    if wire:
        from localpi.cli.wiring import wire_pip_command  # noqa: PLC0415 -- as above

        return int(click.get_current_context().invoke(wire_pip_command) or exits.DONE)
    if not wired_tools(started.daemon.url, scene.environ, sys.platform):
        say(f"next: pip install --index-url {url} NAME")
        say("      for good: localpi wire-pip")
    return exits.DONE


def _tell_started(scene: Scene, started: Started) -> None:
    from localpi.cli.service import offer_linger, tell_kept  # noqa: PLC0415 -- as above
    from localpi.setup.service import can_be_service  # noqa: PLC0415 -- as above
    from localpi.setup.start import Start  # noqa: PLC0415 -- as above

    already = started.outcome is Start.ALREADY_RUNNING
    say(f"localpi {'already runs' if already else 'runs'} at {started.daemon.url}")
    tell_kept(started.kept)
    if started.installed:
        say(f"it starts at login from now on: {started.service}   (not so: localpi service uninstall)")
        offer_linger(scene, ask=False)
    elif started.hindrance:
        say(f"it runs in the background, its service cannot be reached from here: {started.hindrance}")
    elif not started.service and started.first_run:
        usable = can_be_service(scene.paths, scene.environ)
        say("it runs until the next boot" + ("; to start at login: localpi service install" if usable else ""))
    running = started.daemon.running
    if already and running is not None and running.version != __version__:
        again = "localpi service restart" if started.service else "localpi down && localpi up"
        say(f"it is still version {running.version}; this is {__version__}: {again}")


def _offer_base(scene: Scene, daemon: Daemon, *, ask: bool) -> None:
    from localpi.setup.offer import accept, find_offer  # noqa: PLC0415 -- as above

    offer = find_offer(daemon, scene.settings.default_index, scene.environ, sys.platform)
    if offer is None:
        return
    say(f"pip installs from {offer.found.shown} ({offer.found.where})")
    if ask and click.confirm(
        f"Put it in front of the bases of {offer.index}, as {offer.mirror}?", default=True, err=True
    ):
        accept(daemon, offer)
        say(f"{offer.index} has the bases {', '.join(offer.bases)}")
        return
    say(f"to have localpi ask it too: {offer.command}")


@click.command("down")
@pass_scene
def down_command(scene: Scene) -> int:
    """Stop the daemon; running downloads may end first (10 s)."""
    from localpi.setup.service import find_service  # noqa: PLC0415 -- psutil and subprocess, for this alone
    from localpi.setup.stop import Stop, stop  # noqa: PLC0415 -- as above

    stopped = stop(scene.paths, scene.environ)
    service = find_service(scene.paths, scene.environ)
    again = ", until the next login" if service is not None and service.state.enabled else ""
    say("localpi was not running" if stopped is Stop.NOT_RUNNING else f"localpi has stopped{again}")
    say(f"to install meanwhile: pip install --index-url {PYPI_SIMPLE} NAME")
    say("to start it again: localpi up")
    return exits.DONE


@click.command("serve")
@click.option("--host", help=find_setting("host").sentence)
@click.option("--port", help=find_setting("port").sentence)
@click.option("--threads", help=find_setting("threads").sentence)
@click.option("--debug", is_flag=True, help="Log everything, on stderr as well.")
@click.option("--agent", is_flag=True, hidden=True, help="Run under launchd.")
@pass_scene
def serve_command(scene: Scene, /, *, agent: bool, debug: bool, **flags: str | None) -> int:
    """Run the daemon in the foreground; SIGTERM and SIGINT drain and stop it."""
    if agent:
        return _serve_as_agent(scene)
    settings = load_settings(scene.paths, scene.environ, {**flags, "log_level": "debug" if debug else None})
    from localpi.daemon import serve  # noqa: PLC0415 -- Flask and SQLite, for this command alone

    return serve(settings, scene.paths)


def _serve_as_agent(scene: Scene) -> int:
    """Serve, and end with 0 where starting again would not help: launchd starts again whatever ends otherwise.

    What is printed goes to a file that nobody rotates: it begins anew, and the log says the rest.
    """
    with contextlib.suppress(OSError):
        if stat.S_ISREG(os.fstat(2).st_mode):
            os.ftruncate(2, 0)
    try:
        from localpi.daemon import serve  # noqa: PLC0415 -- as above

        return serve(load_settings(scene.paths, scene.environ), scene.paths, quiet=True)
    except DiskFull:
        raise
    except LocalpiError as error:
        show_error(error)
        return exits.DONE
