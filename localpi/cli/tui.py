"""`tui`: the terminal UI."""

from __future__ import annotations

import sys

import click

from localpi.cli.scene import Scene, pass_scene


@click.command("tui")
@pass_scene
def tui_command(scene: Scene) -> None:
    """Look at everything and do everything from the terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on stderr
        raise click.UsageError("the terminal UI needs a terminal; localpi status --json is for programs")
    from localpi.tui.app import LocalpiApp  # noqa: PLC0415 -- Textual, for this command alone
    from localpi.tui.machine import open_desk  # noqa: PLC0415 -- as above

    LocalpiApp(open_desk(scene.paths, scene.settings, scene.environ)).run()
