"""The offline cache: what installs without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, ProgressBar, Static

from localpi.reports import plural
from localpi.tui import wording
from localpi.tui.app import bindings_of
from localpi.tui.place import NothingSelected, Place
from localpi.tui.places.overview import cache_words
from localpi.tui.widgets.row import Column, Row
from localpi.tui.widgets.rows import Rows
from localpi.tui.widgets.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from textual.app import ComposeResult

    from localpi.remote.told import CachedProject, Meter

SORTS: dict[str, Callable[[CachedProject], object]] = {
    "size": lambda row: (-row.bytes, row.project),
    "last use": lambda row: (tuple(-ord(sign) for sign in row.last_used) or (0,), row.project),
    "name": lambda row: row.project,
    "pinned": lambda row: (not row.pinned, row.project),
}
METER_S = 0.2


class Cache(Place):
    """A table of projects that can be searched and sorted."""

    group = "cache"
    BINDINGS = bindings_of("cache")

    def __init__(self) -> None:
        super().__init__()
        self._projects: tuple[CachedProject, ...] = ()
        self.order = "size"

    def middle(self) -> ComposeResult:
        """Put what it takes above what it holds."""
        with Vertical(classes="panel", id="cache-head") as head:
            head.border_title = "Cache"
            yield Static(Content.styled("Loading …", "dim"), id="use", markup=False)
            yield ProgressBar(id="verifying", show_eta=False)
        with Vertical(classes="panel") as panel:
            panel.border_title = "Installs without a network"
            yield Search("Search: / and a part of the name")
            yield Rows(
                Column("project"), Column("files", 6, right=True), Column("size", 9, right=True),
                Column("last use", 12), Column("pin", 8), Column("from", 12, drop_below=76, fit=30), id="cached",
                empty="Nothing yet: what pip and uv install through localpi is kept here.",
            )  # fmt: skip

    def on_mount(self) -> None:
        """Begin in the table; the bar of a verification shows while there is one."""
        self.query_one("#verifying").display = False
        self.query_one("#cached", Rows).focus()

    def on_input_changed(self) -> None:
        """Filter as a person types."""
        self.show()

    def fail(self, error: Exception) -> None:
        """Say nothing of what is not known any more."""
        super().fail(error)
        if not self.query_one("#cached", Rows).rows:
            self.query_one("#use", Static).update(Content.styled("Nothing is known of it.", "dim"))

    async def load(self) -> None:
        """Read what it takes and what it holds."""
        cache = self.room.desk.cache
        use, saved = await self.ask(cache.cache_use), await self.ask(cache.saved)
        words = cache_words(use, saved) + ([] if use.budget else [("budget", "none: it takes what there is (b)")])
        parts = [Content.assemble((f"{label} ", "dim"), value) for label, value in words]
        lines = [Content("   ").join(parts[:2]), Content("   ").join(parts[2:])]
        self.query_one("#use", Static).update(Content("\n").join(lines))
        self._projects = await self.ask(cache.cached_projects)
        self.show()

    def show(self) -> None:
        """Draw what the search leaves, in the order that was chosen."""
        needle = self.query_one(Input).value.strip().lower()
        now = self.room.now()
        found = sorted((row for row in self._projects if needle in row.project), key=SORTS[self.order])  # type: ignore[arg-type]  # each key compares with itself
        note = f"No project has {needle!r} in its name." if needle and self._projects else None
        self.query_one("#cached", Rows).show([_line(row, now) for row in found], note=note)
        panel = self.query_one("#cached").parent
        if isinstance(panel, Vertical):
            panel.border_subtitle = f"{plural(len(found), 'project')}, by {self.order}"

    def selected(self) -> CachedProject:
        """Return the project under the cursor; raises NothingSelected."""
        key = self.query_one("#cached", Rows).key
        found = next((row for row in self._projects if _key(row) == key), None)
        if found is None:
            raise NothingSelected("a project")
        return found

    def follow(self, meter: Meter | None) -> None:
        """Show how far a verification has come, or None that it has ended."""
        bar = self.query_one("#verifying", ProgressBar)
        bar.display = meter is not None
        if meter is not None:
            bar.update(total=meter.total or None, progress=meter.done)


def _key(row: CachedProject) -> str:
    return f"{row.index} {row.project}"


def _line(row: CachedProject, now: datetime) -> Row:
    pin: tuple[str, wording.Tone] = ("◆ pinned", "good") if row.pinned else ("", "")
    used = wording.ago(row.last_used, now)
    cells = (row.project, f"{row.files:,}", wording.size(row.bytes), (used, "dim"), pin, (row.index, "dim"))
    return Row(_key(row), cells)  # type: ignore[arg-type]  # the literals above are tones
