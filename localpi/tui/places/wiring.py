"""Wiring: which tools install from here, by what file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from localpi.tui import wording
from localpi.tui.app import bindings_of
from localpi.tui.place import NothingSelected, Place
from localpi.tui.widgets.row import Column, Row
from localpi.tui.widgets.rows import Rows

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
        with Vertical(classes="panel") as panel:
            panel.border_title = "Tools"
            yield Rows(
                Column("tool", 8), Column("state", 12), Column("file"), Column("installs from", drop_below=100),
                id="tools", empty="No tool is known here.",
            )  # fmt: skip
        with Vertical(classes="panel", id="base-about") as about:
            about.border_title = "Selected"
            yield Static("", id="about", markup=False)

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one("#tools", Rows).focus()

    def on_rows_moved(self) -> None:
        """Explain the tool under the cursor."""
        tool = next((tool for tool in self._tools if _key(tool) == self.query_one("#tools", Rows).key), None)
        rows = about_tool(tool) if tool else [("", "Nothing is selected.")]
        text = [Content.assemble((f"{label:<12}" if label else "", "$text-muted"), value) for label, value in rows]
        self.query_one("#about", Static).update(Content("\n").join(text))

    async def load(self) -> None:
        """Look at each tool's file."""
        self._tools = await self.ask(self.room.desk.wiring.tools)
        self.query_one("#tools", Rows).show([_line(tool) for tool in self._tools])
        self.on_rows_moved()

    def selected(self) -> Tool:
        """Return the tool under the cursor; raises NothingSelected."""
        key = self.query_one("#tools", Rows).key
        found = next((tool for tool in self._tools if _key(tool) == key), None)
        if found is None:
            raise NothingSelected("a tool")
        return found


def _key(tool: Tool) -> str:
    return f"{tool.name} {tool.file}"


def _line(tool: Tool) -> Row:
    state = wording.state(tool.state) if tool.present else ("- not here", "dim")
    return Row(_key(tool), (tool.name, state, (tool.file, "dim"), tool.url))


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
        rows.append(("", "the tool is not installed here; wiring it does no harm"))
    return [*rows, *(("note", note) for note in tool.notes)]
