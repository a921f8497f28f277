"""What dialogs have in common: a frame, buttons in a row, escape."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from localpi.tui.wording import plain

if TYPE_CHECKING:
    from textual.app import ComposeResult

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """A frame with a title; those below fill it. Escape leaves with None, ctrl+s accepts."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Leave"), Binding("ctrl+s", "accept", "Accept")]
    title_shown = ""
    classes_shown = ""

    def compose(self) -> ComposeResult:
        """Make the frame and what is in it."""
        with Vertical(classes=f"dialog {self.classes_shown}") as frame:
            frame.border_title = self.title_shown
            frame.border_subtitle = "esc leaves"
            yield from self.inside()

    def inside(self) -> ComposeResult:
        """Make what is in the frame."""
        raise NotImplementedError

    def buttons(self, yes: str, *, danger: bool = False, no: str = "Cancel") -> Vertical:
        """Return the row of buttons; pressing `yes` calls `accept`. Without a word for yes there is one button."""
        if not yes:
            return self.foot(Button(no, id="refuse", variant="primary"))
        return self.foot(Button(no, id="refuse"), Button(yes, variant="error" if danger else "primary", id="accept"))

    def foot(self, *buttons: Button) -> Vertical:
        """Return the lines that stay below what scrolls: what is not right yet, and buttons."""
        trouble = Static("", classes="trouble", markup=False)
        return Vertical(trouble, Horizontal(*buttons, classes="buttons"), classes="foot")

    def end(self, value: T | None) -> None:
        """End with a value; a second press that comes before the frame is gone means nothing."""
        if self.is_current:
            self.dismiss(value)

    def object_to(self, trouble: str) -> None:
        """Say what is not right yet; "" takes that back."""
        shown = self.query_one(".trouble", Static)
        shown.update(plain(trouble))
        shown.set_class(bool(trouble), "told")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Accept, or leave."""
        event.stop()
        if event.button.id == "accept":
            self.accept()
        elif event.button.id == "refuse":
            self.end(None)

    def accept(self) -> None:
        """End with a value."""
        raise NotImplementedError

    def action_accept(self) -> None:
        """Accept from wherever the focus is."""
        self.accept()

    def action_leave(self) -> None:
        """End without one."""
        self.end(None)
