"""The help of a group: what each command does, as a whole sentence."""

from __future__ import annotations

import click

_WHOLE = 200
"""Characters of a sentence, far more than any has: click itself cuts at the width of the terminal."""


class ListedGroup(click.Group):
    """A group whose commands are listed with their first sentences, wrapped instead of cut."""

    def sections(self, ctx: click.Context) -> dict[str, list[str]]:
        """Name the commands below the titles that they have in the help."""
        return {"Commands": self.list_commands(ctx)}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections of the commands, all in the same columns."""
        sections = self.sections(ctx)
        widest = max(len(name) for names in sections.values() for name in names)
        for title, names in sections.items():
            named = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name.ljust(widest), command.get_short_help_str(_WHOLE))
                        for name, command in named
                        if command is not None
                    ]
                )
