"""Asks before something is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.widgets import Button, Static

from localpi.tui.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Confirm(Dialog[bool]):
    """A question; `y` is yes, `n` and escape are no, and no is where the focus is."""

    BINDINGS: ClassVar = [Binding("y", "accept", "Yes"), Binding("n", "leave", "No"),
                Binding("left,right", "app.focus_next", show=False)]  # fmt: skip

    def __init__(self, title: str, question: str, *, yes: str = "Yes", danger: bool = True) -> None:
        super().__init__()
        self.title_shown = title
        self.classes_shown = "danger" if danger else ""
        self._question, self._yes, self._danger = question, yes, danger

    def inside(self) -> ComposeResult:
        """Put the question above the buttons."""
        yield Static(self._question, classes="text", markup=False)
        yield self.buttons(f"{self._yes} (y)", danger=self._danger, no="Cancel (n)")

    def on_mount(self) -> None:
        """Make an enter that came too early harmless."""
        self.query_one("#refuse", Button).focus()

    def accept(self) -> None:
        """Say yes."""
        self.end(value=True)
