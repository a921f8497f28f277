"""`up`, `down`, `serve`: starting and stopping."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from localpi.cli import exits
from localpi.cli.output import data, say
from localpi.cli.scene import Scene, pass_scene
from localpi.settings.load import load_settings
from localpi.settings.pypi import PYPI_SIMPLE
from localpi.settings.schema import find_setting

if TYPE_CHECKING:
    from localpi.remote.daemon import Daemon


@click.command("up")
@pass_scene
def up_command(scene: Scene) -> int:
    """Make what is missing, start the daemon, wait until it answers.

    Prints the URL that pip needs, and what to do next.
    """
    from localpi.setup.gather import index_url, wired_tools  # noqa: PLC0415 -- psutil and subprocess, for this alone
    from localpi.setup.start import Start, StartFailed, start  # noqa: PLC0415 -- as above

    settings = scene.settings
    try:
        started = start(scene.paths, scene.environ)
    except StartFailed as failed:
        if not failed.said or failed.status is None:
            raise
        say(failed.said)  # the daemon has already said title, reason and remedy
        return failed.status or exits.CANNOT_START
    url = index_url(started.daemon.url, settings.default_index)
    already = started.outcome is Start.ALREADY_RUNNING
    say(f"localpi {'already runs' if already else 'runs'} at {started.daemon.url}")
    _offer_base(scene, started.daemon, ask=started.first_run and scene.may_ask())
    data(url)
    if not wired_tools(started.daemon.url, scene.environ, sys.platform):
        say(f"next: pip install --index-url {url} NAME")
        say(f"      for good: pip config --user set global.index-url {url}")
    return exits.DONE


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
    say("to have localpi ask it too:")
    for command in offer.commands:
        say(f"  {command}")


@click.command("down")
@pass_scene
def down_command(scene: Scene) -> int:
    """Stop the daemon; running downloads may end first (10 s)."""
    from localpi.setup.stop import Stop, stop  # noqa: PLC0415 -- psutil, for this alone

    if stop(scene.paths) is Stop.NOT_RUNNING:
        say("localpi was not running")
    else:
        say("localpi has stopped")
    say(f"to install meanwhile: pip install --index-url {PYPI_SIMPLE} NAME")
    say("to start it again: localpi up")
    return exits.DONE


@click.command("serve")
@click.option("--host", help=find_setting("host").sentence)
@click.option("--port", help=find_setting("port").sentence)
@click.option("--threads", help=find_setting("threads").sentence)
@click.option("--debug", is_flag=True, help="Log everything, on stderr as well.")
@pass_scene
def serve_command(scene: Scene, *, host: str | None, port: str | None, threads: str | None, debug: bool) -> int:
    """Run the daemon in the foreground; SIGTERM and SIGINT drain and stop it."""
    flags = {"host": host, "port": port, "threads": threads, "log_level": "debug" if debug else None}
    settings = load_settings(scene.paths, scene.environ, flags)
    from localpi.daemon import serve  # noqa: PLC0415 -- Flask and SQLite, for this command alone

    return serve(settings, scene.paths)
