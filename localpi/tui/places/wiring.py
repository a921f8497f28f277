"""Wiring: which tools install from here, by what file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from localpi.errors import LocalpiError
from localpi.tui import wording
from localpi.tui.app import bindings_of, explain
from localpi.tui.dialogs.shown import difference, labelled
from localpi.tui.place import SETTLE_S, NothingSelected, Place
from localpi.tui.widgets.row import Column, Row
from localpi.tui.widgets.rows import Rows
from localpi.tui.wording import plain

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from localpi.tui.desk import Tool


class Wiring(Place):
    """A table of tools, and what there is to know of the selected one."""

    group = "wiring"
    BINDINGS = bindings_of("wiring")

    def __init__(self) -> None:
        super().__init__()
        self._tools: tuple[Tool, ...] = ()

    def middle(self) -> ComposeResult:
        """Put the table above its explanation."""
        with Vertical(classes="panel upper", id="tools-panel") as panel:
            panel.border_title = "Tools"
            yield Rows(
                Column("tool", 8), Column("state", 12), Column("file"), Column("names", drop_below=100),
                id="tools", empty="No tool is known here.",
            )  # fmt: skip
        with VerticalScroll(classes="panel lower", id="tool-about", can_focus=False) as about:
            about.border_title = "Selected"
            yield Static(Content.styled("Loading …", "dim"), id="about", markup=False)
            yield Static("", id="change", markup=False)

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one("#tools", Rows).focus()

    def on_rows_moved(self) -> None:
        """Explain the tool under the cursor, and what wiring it would change."""
        tool = self._under_cursor()
        shown = labelled(about_tool(tool)) if tool else Content.styled("No tool is selected.", "dim")
        self.query_one("#about", Static).update(shown)
        self.query_one("#change", Static).update("")
        self.begin(self._preview, group="preview")

    async def load(self) -> None:
        """Look at each tool's file."""
        self._tools = await self.ask(self.room.desk.wiring.tools)
        self.query_one("#tools", Rows).show([_line(tool) for tool in self._tools])
        self.query_one("#tools-panel").styles.height = max(LEAST, len(self._tools)) + 3
        self.on_rows_moved()

    def fail(self, error: Exception) -> None:
        """Nothing is selected of what could not be read."""
        super().fail(error)
        if not self._tools:
            self.on_rows_moved()

    def selected(self) -> Tool:
        """Return the tool under the cursor; raises NothingSelected."""
        found = self._under_cursor()
        if found is None:
            raise NothingSelected("a tool")
        return found

    def _under_cursor(self) -> Tool | None:
        key = self.query_one("#tools", Rows).key
        return next((tool for tool in self._tools if _key(tool) == key), None)

    async def _preview(self) -> None:
        await asyncio.sleep(SETTLE_S)
        tool = self._under_cursor()
        if tool is None or tool.state == "broken":
            return
        try:
            plan = await self.ask(self.room.desk.wiring.plan_wiring, tool.name)
        except LocalpiError as error:  # that it cannot be wired is worth a line, no alarm
            title, reason, remedy = explain(error)
            self.query_one("#change", Static).update(
                Content.styled(plain(f"\n{title}: {reason}\n→ {remedy}"), "$text-warning")
            )
            return
        if plan.difference:
            head = Content.styled("\nWiring it would change this (w):\n\n", "dim")
            self.query_one("#change", Static).update(Content.assemble(head, difference(plan.difference, plan.notes)))


def _key(tool: Tool) -> str:
    return f"{tool.name} {tool.file}"


def _line(tool: Tool) -> Row:
    state = wording.state(tool.state) if tool.present else ("- not here", "dim")
    return Row(_key(tool), (tool.name, state, (tool.file, "dim"), tool.url))


LEAST = 3
"""Lines of the table."""
MEANINGS = {
    "wired": "it installs from here",
    "drifted": "it was wired, and the file has been edited since: d shows what w would change",
    "by-hand": "it names an index that localpi did not write",
    "unwired": "it does not install from here: w changes that",
    "broken": "its file cannot be read as it is; nothing will be written",
}


def about_tool(tool: Tool) -> list[tuple[str, str]]:
    """Return what there is to know of a tool's wiring, as labels and values."""
    rows = [
        ("file", tool.file),
        ("names", tool.url or "no index of its own"),
        ("state", MEANINGS.get(tool.state, tool.state)),
    ]
    if not tool.present:
        rows.append(("tool", "not installed here; wiring it does no harm"))
    return [*rows, *(("note", note) for note in tool.notes)]
