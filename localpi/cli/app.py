"""The `localpi` command: its subcommands by name, each module imported when it is called."""

from __future__ import annotations

import importlib
import os

import click

from localpi import __version__
from localpi.cli.listing import ListedGroup
from localpi.cli.scene import Scene

COMMANDS = {
    "up": "localpi.cli.running",
    "down": "localpi.cli.running",
    "serve": "localpi.cli.running",
    "status": "localpi.cli.status",
    "doctor": "localpi.cli.doctor",
    "logs": "localpi.cli.status",
    "tui": "localpi.cli.tui",
    "wire-pip": "localpi.cli.wiring",
    "unwire-pip": "localpi.cli.wiring",
    "wire": "localpi.cli.wiring",
    "unwire": "localpi.cli.wiring",
    "env": "localpi.cli.env",
    "service": "localpi.cli.service",
    "uninstall": "localpi.cli.leaving",
    "config": "localpi.cli.config",
    "index": "localpi.cli.indexes",
    "base": "localpi.cli.bases",
    "user": "localpi.cli.users",
    "token": "localpi.cli.tokens",
    "cache": "localpi.cli.cache",
    "list": "localpi.cli.packages",
    "upload": "localpi.cli.upload",
    "remove": "localpi.cli.removing",
    "offline": "localpi.cli.offline",
    "why": "localpi.cli.why",
    "yank": "localpi.cli.packages",
    "unyank": "localpi.cli.packages",
    "push": "localpi.cli.push",
    "backup": "localpi.cli.backup",
    "restore": "localpi.cli.backup",
    "import": "localpi.cli.transfer",
    "export": "localpi.cli.transfer",
}
"""Command to the module that holds it, as `NAME_command` (with `_` for `-`), in the order of the help."""


class LazyGroup(ListedGroup):
    """A group that imports what is called alone: `localpi --version` costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Name the commands in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as above
        """Import the module of a command."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: click.Command = getattr(importlib.import_module(module), f"{cmd_name.replace('-', '_')}_command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; the refusal of another name says which one is near."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 -- for this alone

            near = get_close_matches(name, COMMANDS, 1)
            ctx.fail(f"No such command '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="localpi", message="%(prog)s %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Keep a Python package index of your own, on your own machine."""
    context.obj = context.obj or Scene(os.environ)
