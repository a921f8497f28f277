"""The line on top: the places, and how the daemon is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.widgets import Static

from localpi.reports import plural
from localpi.tui.actions import PLACES

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from localpi.reports import Status


class Tab(Static):
    """A place to go to."""

    def __init__(self, number: int, name: str, *, here: bool) -> None:
        super().__init__(f"{number} {name.capitalize()}", markup=False, classes="here" if here else "")
        self.goes_to = name
        self.tooltip = f"Go to {name} (key {number})"

    async def on_click(self) -> None:
        """Go there."""
        await self.app.run_action(f"do('everywhere.go_{self.goes_to}')")


class TopBar(Horizontal):
    """One line on every place."""

    DEFAULT_CSS = """
    TopBar { height: 1; background: $panel; }
    TopBar Tab { width: auto; padding: 0 1; color: $text-muted; }
    TopBar Tab:hover { text-style: underline; }
    TopBar Tab.here { background: $primary; color: $text; text-style: bold; }
    TopBar #daemon { width: 1fr; text-align: right; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TopBar #daemon.up { color: $text-success; }
    TopBar #daemon.ill { color: $text-warning; }
    TopBar #daemon.away { color: $text-error; text-style: bold; }
    """

    def __init__(self, here: str) -> None:
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        """Make the tabs and the state."""
        for number, name in enumerate(PLACES, 1):
            yield Tab(number, name, here=name == self._here)
        yield Static("…", id="daemon", markup=False)

    def on_mount(self) -> None:
        """Follow the daemon's state."""
        self.watch(self.app, "status", self._show)

    def _show(self, status: Status | None) -> None:
        shown = self.query_one("#daemon", Static)
        shown.set_class(status is not None and status.running, "up")
        shown.set_class(status is not None and not status.running, "away")
        shown.tooltip = "The daemon, and the bases that cannot be reached"
        states = [base.state for base in status.bases] if status else []
        ill = sum(state not in {"ok", "slow", "off"} for state in states)
        shown.set_class(bool(ill), "ill")
        if status is None:
            words = "…"
        elif not status.running:
            words = "○ not running"
        else:
            words = f"◐ {plural(ill, 'base')} away" if ill else "- offline" if "off" in states else "● running"
        if words != shown.content:  # else the screen is laid out and drawn: 14 KB over ssh
            shown.update(words)
