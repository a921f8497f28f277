"""The line that filters a table."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.widgets import Input

from localpi.tui.widgets.rows import Rows


class Search(Input):
    """An input whose down and enter go to the table below, and whose escape empties it first."""

    BINDINGS: ClassVar = [
        Binding("down,enter", "to_rows", show=False),
        Binding("escape", "give_up", show=False),
    ]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, classes="search", select_on_focus=False)

    def action_to_rows(self) -> None:
        """Go to the table that is filtered."""
        if self.parent is not None:
            self.parent.query(Rows).first().focus()

    def action_give_up(self) -> None:
        """Show everything again and go to the table."""
        self.value = ""
        self.action_to_rows()
