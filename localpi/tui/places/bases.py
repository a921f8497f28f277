"""Bases: the mirrors, how each is doing, and what is set on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from localpi.settings.values import mask_userinfo
from localpi.tui import wording
from localpi.tui.app import bindings_of
from localpi.tui.dialogs.shown import labelled
from localpi.tui.place import NothingSelected, Place
from localpi.tui.places.overview import BASE_COLUMNS, base_lines
from localpi.tui.widgets.rows import Rows

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult

    from localpi.remote.told import Base

AGAIN_S = 5.0
LEAST = 3
"""Lines of the table; where there are many it scrolls."""
NONE = "A base that is selected is explained here."
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
        with Vertical(classes="panel upper", id="bases-panel") as panel:
            panel.border_title = "Bases"
            yield Rows(*BASE_COLUMNS, id="bases", empty=EMPTY)
        with Vertical(classes="panel lower") as about:
            about.border_title = "Selected"
            yield Static(Content.styled("Loading …", "dim"), id="about", markup=False)

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
        self.query_one("#bases-panel").styles.height = max(LEAST, len(bases)) + 3
        self._explain()

    def fail(self, error: Exception) -> None:
        """Forget what was there before the daemon went."""
        super().fail(error)
        if not self.query_one("#bases", Rows).rows:
            self._bases = {}
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
        shown = labelled(about_base(base, self.room.now())) if base else Content.styled(NONE, "dim")
        self.query_one("#about", Static).update(shown)


MEANINGS = {
    "ok": "It answers.",
    "slow": "It answers late. What is here goes out at once, and is refreshed behind it.",
    "down": "Nobody waits for it: its pages list what is here, and other names get the reason at once.",
    "captive": "A login page answers in its place: log in with a browser. Until then what is here installs.",
    "auth": "It wants other credentials: p sets them. Until then what is here installs.",
    "off": "It is never contacted: its pages list what is here.",
}
OFFLINE = {
    "on": "on: it is never contacted",
    "off": "off: it is always contacted, and its pages list everything",
    "auto": "auto: while it cannot be reached",
}


def about_base(base: Base, now: datetime) -> list[tuple[str, str]]:
    """Return what there is to know of a mirror, as labels and values."""
    health = base.health
    word, _ = wording.state(health.state)
    since = f" since {wording.clock(health.since, now)}" if health.since else ""
    probe = wording.within(health.next_probe, now) if health.state != "ok" else ""
    rows = [
        ("upstream", mask_userinfo(base.url)),
        ("state", f"{word}{since}{': ' + health.reason if health.reason else ''}"),
        ("", MEANINGS.get(health.state, "")),
        ("next probe", probe),
        ("answered in", f"{base.latency_ms} ms, the last time" if base.latency_ms is not None else ""),
        ("offline", OFFLINE.get(health.offline, health.offline)),
        ("claims", ", ".join(base.claims) or "none: names are asked of it in the order of the bases"),
        ("base of", ", ".join(base.used_by) or "no index: nothing inherits from it"),
    ]
    return [row for row in rows if row[1]]
