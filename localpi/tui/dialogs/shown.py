"""A text to look at: a diff to agree to, metadata, the reasons for an answer, lines to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from localpi.tui.dialogs.dialog import Dialog
from localpi.tui.wording import plain

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from localpi.tui.desk import Pasted


class Shown(Dialog[bool]):
    """A text that scrolls. With `yes` it asks, without it only shows; `copied` is what c copies."""

    BINDINGS: ClassVar = [
        Binding("c", "copy", "Copy"),
        Binding("y", "accept", "Yes"),
        Binding("enter", "accept", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]
    classes_shown = "wide"

    def __init__(self, title: str, text: Content | Group, *, yes: str = "", copied: str = "") -> None:
        super().__init__()
        self.title_shown = title
        self._text, self._yes, self._copied = text, yes, copied

    def inside(self) -> ComposeResult:
        """Put the text above the buttons."""
        with VerticalScroll(classes="scroll", can_focus=False):
            yield Static(self._text, classes="text")
        if self._yes:
            yield self.buttons(f"{self._yes} (y)", no="Cancel")
        else:
            yield self.buttons("Copy (c)" if self._copied else "", no="Close")

    def accept(self) -> None:
        """Agree; where there is nothing to agree to, copy or close."""
        if self._copied and not self._yes:
            self.action_copy()
        else:
            self.end(bool(self._yes))

    def action_copy(self) -> None:
        """Copy what there is to copy."""
        if self._copied:
            self.app.copy_to_clipboard(self._copied)
            self.notify("It is on the clipboard.", title="Copied", markup=False)

    def action_scroll(self, by: int) -> None:
        """Move the text."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


def difference(text: str, notes: tuple[str, ...] = ()) -> Content:
    """Return a unified diff with its added and removed lines told apart, and notes below it."""
    lines = []
    for line in text.splitlines() or ["(nothing changes)"]:
        style = "dim"
        if line.startswith("+") and not line.startswith("+++"):
            style = "$text-success"
        elif line.startswith("-") and not line.startswith("---"):
            style = "$text-error"
        lines.append(Content.styled(plain(line), style))
    if notes:
        lines += [Content(""), *(Content.assemble(("note  ", "$text-warning"), plain(note)) for note in notes)]
    return Content("\n").join(lines)


def labelled(rows: list[tuple[str, str]], *, below: str = "") -> Group:
    """Return labels and values in two columns, long values wrapped in theirs, and a text below them."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    before = ""
    for label, value in rows:
        table.add_row(Text("" if label == before else plain(label)), Text(plain(value)))
        before = label
    lines = [Text(), *(Text(plain(line)) for line in below.splitlines())] if below else []
    return Group(table, *lines)


def to_paste(pasted: Pasted) -> Content:
    """Return a text to copy as it is, and what there is to know about it."""
    lines = [Content(plain(line)) for line in pasted.text.splitlines()]
    notes = [Content.styled(f"# {plain(note)}", "dim") for note in pasted.notes]
    return Content("\n").join([*lines, Content(""), *notes] if notes else lines)
