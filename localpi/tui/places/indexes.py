"""Indexes: the tree of users, indexes and bases; the projects of one; the releases and files of one of those."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static, Tree

from localpi.errors import DaemonNotRunning
from localpi.reports import plural
from localpi.tui import wording
from localpi.tui.app import bindings_of
from localpi.tui.place import AWAY, SETTLE_S, NothingSelected, Place
from localpi.tui.widgets.index_tree import IndexTree
from localpi.tui.widgets.release_rows import release_lines, version_of
from localpi.tui.widgets.row import Column, Row
from localpi.tui.widgets.rows import Rows
from localpi.tui.widgets.search import Search

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from localpi.remote.told import IndexRow, Release


class Indexes(Place):
    """Three panels, each about what is selected in the one before it."""

    group = "indexes"
    BINDINGS = bindings_of("indexes")

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[IndexRow, ...] = ()
        self._projects: tuple[str, ...] | None = None
        self._releases: tuple[Release, ...] = ()

    def middle(self) -> ComposeResult:
        """Put them side by side."""
        with Horizontal(classes="middle"):
            with Vertical(classes="panel", id="tree") as panel:
                panel.border_title = "Indexes"
                yield Static("Loading …", id="tree-note", markup=False)
                yield IndexTree()
            with Vertical(classes="panel", id="names") as panel:
                panel.border_title = "Projects"
                yield Search("Search: /")
                yield Rows(Column(""), id="projects", empty="Nothing here yet: u uploads.")
            with Vertical(classes="panel", id="files") as panel:
                panel.border_title = "Releases"
                yield Rows(
                    Column("release, file"), Column("size", 8, right=True, drop_below=32), Column("", 1),
                    Column("uploaded", 12, drop_below=48), id="releases", empty="No project is selected.",
                )  # fmt: skip

    def on_mount(self) -> None:
        """Begin in the tree."""
        self.query_one(IndexTree).focus()

    async def load(self) -> None:
        """Read all indexes; what was selected stays so."""
        self._rows = await self.ask(self.room.desk.indexes.index_rows)
        default = self.room.status.index_url.removesuffix("/+simple/") if self.room.status else ""
        self.query_one(IndexTree).show(self._rows, prefer="/".join(default.split("/")[-2:]))
        self._note("" if self._rows else "No index yet: n makes one.")
        await self._load_projects()

    def fail(self, error: Exception) -> None:
        """Show no tree of a daemon that has gone."""
        super().fail(error)
        if isinstance(error, DaemonNotRunning):
            self._rows, self._projects, self._releases = (), None, ()
            self.query_one(IndexTree).clear()
        if not self._rows:
            self._note(AWAY if isinstance(error, DaemonNotRunning) else "Nothing is known: f5 tries again.")

    def _note(self, text: str) -> None:
        note = self.query_one("#tree-note", Static)
        note.update(text)
        note.display = bool(text)

    @on(Tree.NodeHighlighted)
    def show_index(self) -> None:
        """Read the projects of the index under the cursor."""
        self.begin(self._settled_projects, group="projects")

    @on(Input.Changed)
    def filter_projects(self) -> None:
        """Filter as a person types."""
        self._show_projects()

    @on(Rows.Moved, "#projects")
    def show_project(self) -> None:
        """Read the releases of the project under the cursor."""
        self.begin(self._settled_releases, group="releases")

    def index(self) -> IndexRow:
        """Return the index under the cursor; raises NothingSelected."""
        name = self.query_one(IndexTree).index
        found = next((row for row in self._rows if row.name == name), None)
        if found is None:
            raise NothingSelected("an index")
        return found

    def project(self) -> str:
        """Return the project under the cursor; raises NothingSelected."""
        name = self.query_one("#projects", Rows).key
        if name is None:
            raise NothingSelected("a project")
        return name

    def release(self) -> Release:
        """Return the release under the cursor; raises NothingSelected."""
        version = version_of(self.query_one("#releases", Rows).key)
        found = next((release for release in self._releases if release.version == version), None)
        if found is None:
            raise NothingSelected("a release")
        return found

    def all_indexes(self) -> tuple[IndexRow, ...]:
        """Return every index."""
        return self._rows

    async def _settled_projects(self) -> None:
        await asyncio.sleep(SETTLE_S)
        await self._load_projects()

    async def _settled_releases(self) -> None:
        await asyncio.sleep(SETTLE_S)
        await self._load_releases()

    async def _load_projects(self) -> None:
        name = self.query_one(IndexTree).index
        if not self._rows:
            return
        self._projects = await self.ask(self.room.desk.packages.projects, name) if name else ()
        self._show_projects()
        await self._load_releases()

    def _show_projects(self) -> None:
        if self._projects is None:
            return
        needle = self.query_one(Input).value.strip().lower().replace("_", "-")
        found = [name for name in self._projects if needle in name]
        note = f"No project has {needle!r} in its name." if needle and self._projects else None
        self.query_one("#projects", Rows).show([Row(name, (name,)) for name in found], note=note)
        count = f"{len(found):,} of {len(self._projects):,}" if needle else f"{len(found):,}"
        self.query_one("#names").border_subtitle = count

    async def _load_releases(self) -> None:
        index, project = self.query_one(IndexTree).index, self.query_one("#projects", Rows).key
        rows, panel = self.query_one("#releases", Rows), self.query_one("#files")
        if index is None or project is None:
            self._releases = ()
            rows.show(())
            panel.border_title = "Releases"
            return
        self._releases = await self.ask(self.room.desk.packages.releases, index, project)
        rows.show(release_lines(self._releases, index, self.room.now()), note=f"{project} has no file here.")
        panel.border_title = wording.plain(project)
        panel.border_subtitle = f"{plural(len(self._releases), 'release')} · ● is here"
