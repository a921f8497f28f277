"""The `localpi` command: its subcommands by name, each module imported when it is called."""

from __future__ import annotations

import importlib
import os

import click

from localpi import __version__
from localpi.cli.listing import ListedGroup
from localpi.cli.scene import Scene

SECTIONS = {
    "Every day": {
        "up": "running", "down": "running", "status": "status", "tui": "tui", "why": "why", "doctor": "doctor",
        "logs": "status",
    },
    "Tools, containers, login": {
        "wire-pip": "wiring", "unwire-pip": "wiring", "wire": "wiring", "unwire": "wiring", "env": "env",
        "service": "service", "serve": "running",
    },
    "Indexes, bases, cache": {"index": "indexes", "base": "bases", "offline": "offline", "cache": "cache"},
    "Packages": {
        "list": "packages", "upload": "upload", "push": "push", "yank": "packages", "unyank": "packages",
        "remove": "removing",
    },
    "People": {"user": "users", "token": "tokens"},
    "Settings, safety, moving": {
        "config": "config", "backup": "backup", "restore": "backup", "import": "transfer", "export": "transfer",
        "uninstall": "leaving",
    },
}  # fmt: skip
"""Section of the help to its commands, and each of them to the module that holds it, as `NAME_command`."""

COMMANDS = {name: f"localpi.cli.{module}" for section in SECTIONS.values() for name, module in section.items()}


class LazyGroup(ListedGroup):
    """A group that imports what is called alone: `localpi --version` costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Name the commands in the table's order."""
        return list(COMMANDS)

    def sections(self, ctx: click.Context) -> dict[str, list[str]]:  # noqa: ARG002 -- as above
        """Name the commands by what they are about."""
        return {title: list(commands) for title, commands in SECTIONS.items()}

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
