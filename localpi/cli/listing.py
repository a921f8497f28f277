"""The help of a group: what each command does, as a whole sentence."""

from __future__ import annotations

import click

_WHOLE = 200
"""Characters of a sentence, far more than any has: click itself cuts at the width of the terminal."""


class ListedGroup(click.Group):
    """A group whose commands are listed with their first sentences, wrapped instead of cut."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the section of the commands."""
        named = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(_WHOLE)) for name, command in named if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
