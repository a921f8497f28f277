"""The program: one desk, the places, and what is true in all of them. What can be done stands in `actions.py`."""

from __future__ import annotations

import importlib
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var

from localpi.errors import DaemonNotRunning, LocalpiError
from localpi.tui.actions import EVERYWHERE, PLACES, of_group, offers
from localpi.tui.calls import Calls
from localpi.tui.palette import ActionCommands
from localpi.tui.workers import start

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from localpi.reports import Status
    from localpi.tui.desk import Desk

LOOK_S = 3.0
"""Between two looks at the daemon: 1 ms each."""


def bindings_of(group: str) -> list[BindingType]:
    """Return the bindings of a group of actions."""
    return [
        Binding(
            action.key, f"app.do('{action.id}')", action.label, id=action.id, tooltip=action.tooltip, show=action.shown,
            key_display=action.key_shown or None,
        )
        for action in of_group(group)
    ]  # fmt: skip


def make_place(name: str) -> Callable[[], Screen[None]]:
    """Return what makes a place; its module is imported when it is first gone to."""

    def make() -> Screen[None]:
        found: Screen[None] = getattr(importlib.import_module(f"localpi.tui.places.{name}"), name.capitalize())()
        return found

    return make


def local_now() -> datetime:
    """Return the time with this machine's zone."""
    return datetime.now().astimezone()


class LocalpiApp(App[None]):
    """The terminal UI on a desk."""

    TITLE = "localpi"
    CSS_PATH = "localpi.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar = bindings_of(EVERYWHERE)
    MODES: ClassVar = {name: make_place(name) for name in PLACES}
    COMMANDS: ClassVar = {ActionCommands}

    note_s, error_s = 5.0, 10.0
    """So long a notification stands."""
    status: var[Status | None] = var(None, init=False)
    """How the daemon is; None before the first answer. Not `reactive`: that draws the whole screen at each look."""

    class DaemonChanged(Message):
        """It has come or gone; posted to the place on screen."""

        def __init__(self, *, running: bool) -> None:
            super().__init__()
            self.running = running

    def __init__(
        self, desk: Desk, *, deadline_s: float | None = None, look_s: float = LOOK_S,
        now: Callable[[], datetime] = local_now,
    ) -> None:  # fmt: skip
        super().__init__()
        self.now = now
        self.desk = desk
        self.calls = Calls(deadline_s) if deadline_s else Calls()
        self._look_s = look_s
        self._looking = False
        self._told: tuple[tuple[str, str], datetime] = ("", ""), now()

    def on_mount(self) -> None:
        """Go to the overview and begin to look at the daemon."""
        if self.console.color_system == "standard" and not self.is_headless and "NO_COLOR" not in os.environ:
            self.theme = "ansi-dark"  # 16 colours: the terminal's own, whatever they are
        self.switch_mode("overview")
        start(self, "look", self._begin)
        self.set_interval(self._look_s, self.look)

    def look(self) -> None:
        """Ask how the daemon is, unless the last question is still open."""
        if not self._looking:
            start(self, "look", self.look_now)

    async def look_now(self) -> None:
        """Learn how the daemon is; what cannot be learned counts as away."""
        self._looking = True
        try:
            self.status = await self.calls(self.desk.running.status)
        except Exception as error:  # noqa: BLE001 -- the desk may raise anything; the next look comes in 3 s
            if self.status is None:
                self.tell_error(error)
        finally:
            self._looking = False

    async def _begin(self) -> None:
        await self.look_now()
        try:
            first = await self.calls(self.desk.running.is_first_run)
        except Exception as error:  # noqa: BLE001 -- as above
            self.tell_error(error)
            return
        if first:
            await self.action_do("everywhere.setup")

    def watch_status(self, old: Status | None, new: Status | None) -> None:
        """Tell the place on screen when the daemon has come or gone."""
        was, runs = old is not None and old.running, new is not None and new.running
        if old is not None and was != runs:
            self.screen.post_message(self.DaemonChanged(running=runs))

    def tell(self, text: str, *, title: str = "", severity: SeverityLevel = "information") -> None:
        """Show a notification; its text is never read as markup.

        What went well makes room for what comes after it, and what is on screen is not said twice.
        """
        well = severity == "information"
        told, now = (title, text), self.now()
        if not well and told == self._told[0] and now - self._told[1] < timedelta(seconds=self.error_s):
            return
        self._told = told, now
        if well:
            self.clear_notifications()
        self.notify(text, title=title, severity=severity, markup=False, timeout=self.note_s if well else self.error_s)

    def tell_error(self, error: Exception) -> None:
        """Show what went wrong: title, reason, remedy."""
        title, reason, remedy = explain(error)
        self.tell(f"{reason}\n→ {remedy}" if remedy else reason, title=title, severity="error")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what the place on screen does not offer now; Textual asks."""
        if action != "do":
            return super().check_action(action, parameters)
        return offers(self.screen, str(parameters[0]))

    async def action_do(self, action: str) -> None:
        """Begin what an action's id names; it goes on as a worker of the screen."""
        group, _, name = action.partition(".")
        deed = getattr(importlib.import_module(f"localpi.tui.deeds.{group}"), name)
        start(self.screen, "deeds", self._guarded, deed, self.screen)

    async def _guarded(self, deed: Callable[..., object], place: Screen[object]) -> None:
        try:
            await deed(place)  # type: ignore[misc]  # every deed is a coroutine function: a test holds them to it
        except Exception as error:  # noqa: BLE001 -- the edge: everything becomes a notification
            self.tell_error(error)


def explain(error: Exception) -> tuple[str, str, str]:
    """Return title, reason and remedy of whatever went wrong."""
    if isinstance(error, DaemonNotRunning):
        return error.title, error.message, "s starts it"
    if isinstance(error, LocalpiError):
        return error.title, error.message or error.code, error.hint or "F5 reads the screen again"
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return "That did not work", f"{error.strerror or error}{where}", "see to that and try again"
    return "Something unexpected", f"{type(error).__name__}: {error}"[:300], "try again; localpi logs may tell more"
