"""Bases: the mirrors, how each is doing, and what is set on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from localpi.settings.values import mask_userinfo
from localpi.tui import wording
from localpi.tui.app import bindings_of
from localpi.tui.place import NothingSelected, Place
from localpi.tui.places.overview import BASE_COLUMNS, base_lines
from localpi.tui.widgets.rows import Rows

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from localpi.remote.told import Base

AGAIN_S = 5.0
EMPTY = "No mirror yet. n adds one: an intranet index, a proxy, anything that pip installs from."


class Bases(Place):
    """A table of mirrors, and what there is to know of the selected one."""

    group = "bases"
    BINDINGS = bindings_of("bases")

    def __init__(self) -> None:
        super().__init__()
        self._bases: dict[str, Base] = {}

    def middle(self) -> ComposeResult:
        """Put the table above its explanation."""
        with Vertical(classes="panel") as panel:
            panel.border_title = "Bases"
            yield Rows(*BASE_COLUMNS, id="bases", empty=EMPTY)
        with Vertical(classes="panel", id="base-about") as about:
            about.border_title = "Selected"
            yield Static("", id="about", markup=False)

    def on_mount(self) -> None:
        """Look again now and then: a base comes and goes by itself."""
        self.query_one("#bases", Rows).focus()
        self.set_interval(AGAIN_S, self._look_again)

    def on_rows_moved(self) -> None:
        """Explain the base under the cursor."""
        self._explain()

    async def load(self) -> None:
        """Read the mirrors."""
        bases: tuple[Base, ...] = await self.ask(self.room.desk.bases.base_rows)
        self._bases = {base.health.index: base for base in bases}
        self.query_one("#bases", Rows).show(base_lines(bases, self.room.now()))
        self._explain()

    def selected(self) -> Base:
        """Return the base under the cursor; raises NothingSelected."""
        base = self._bases.get(self.query_one("#bases", Rows).key or "")
        if base is None:
            raise NothingSelected("a base")
        return base

    def all_bases(self) -> tuple[Base, ...]:
        """Return all of them."""
        return tuple(self._bases.values())

    def _look_again(self) -> None:
        if self.is_current and self.room.status is not None and self.room.status.running:
            self.reload()

    def _explain(self) -> None:
        base = self._bases.get(self.query_one("#bases", Rows).key or "")
        rows = about_base(base) if base else [("", "Nothing is selected.")]
        text = [Content.assemble((f"{label:<12}" if label else "", "$text-muted"), value) for label, value in rows]
        self.query_one("#about", Static).update(Content("\n").join(text))


def about_base(base: Base) -> list[tuple[str, str]]:
    """Return what there is to know of a mirror, as labels and values."""
    health = base.health
    word, _ = wording.state(health.state)
    offline = {
        "on": "on: never contacted, only what is here is offered",
        "off": "off: always contacted, everything is offered",
        "auto": "auto: offline while it cannot be reached",
    }
    return [
        ("upstream", mask_userinfo(base.url)),
        ("state", f"{word}{', ' + health.reason if health.reason else ''}"),
        ("offline", offline.get(health.offline, health.offline)),
        ("claims", ", ".join(base.claims) or "none: names are asked of it in the order of the bases"),
        ("base of", ", ".join(base.used_by) or "no index: nothing inherits from it"),
    ]
