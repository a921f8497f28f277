"""What all places have: the top bar, the footer, a way to ask the desk, and what happens when that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.screen import Screen
from textual.widgets import Footer

from localpi.errors import DaemonNotRunning, LocalpiError
from localpi.tui.app import LocalpiApp, explain
from localpi.tui.widgets.rows import Rows
from localpi.tui.widgets.top_bar import TopBar
from localpi.tui.workers import start

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual import events
    from textual.app import ComposeResult


WIDE = 100
SETTLE_S = 0.15
"""After the cursor has moved, before the desk is asked for what is under it."""
AWAY = "The daemon is not running: s starts it."


class NothingSelected(LocalpiError):  # noqa: N818 -- as in errors.py
    """The action is about something, and nothing is selected."""

    code = "nothing-selected"
    title = "Nothing is selected"

    def __init__(self, what: str) -> None:
        self.what = what
        self.hint = f"move to {what} with the arrow keys or the mouse, then try again"
        super().__init__(f"this is about {what}")


class NotForThis(LocalpiError):  # noqa: N818 -- as above
    """What is selected is of a kind that this cannot be done with."""

    code = "not-for-this"
    title = "Not with this one"

    def __init__(self, why: str, remedy: str) -> None:
        self.hint = remedy
        super().__init__(why)


class Place(Screen[None]):
    """A screen that a person moves to; those below say what stands in its middle and how to load it."""

    group: ClassVar[str] = ""
    """Whose actions count here."""

    @property
    def room(self) -> LocalpiApp:
        """The program, by its own type."""
        return cast("LocalpiApp", self.app)

    def compose(self) -> ComposeResult:
        """Put the middle between bar and footer."""
        yield TopBar(self.group)
        yield from self.middle()
        yield Footer(compact=True, show_command_palette=False)

    def middle(self) -> ComposeResult:
        """Make what stands in the middle."""
        raise NotImplementedError

    async def load(self) -> None:
        """Ask the desk for what is shown here, and show it."""
        raise NotImplementedError

    def offers(self, action: str) -> bool:  # noqa: ARG002 -- those below look at it
        """Say whether an action, by its id, makes sense now; one that does not is in no footer, palette or help."""
        return True

    def on_resize(self, event: events.Resize) -> None:
        """Name the palette in the footer where there is room."""
        for footer in self.query(Footer):
            footer.show_command_palette = event.size.width >= WIDE

    def on_screen_resume(self) -> None:
        """Read it again each time a person comes here."""
        self.reload()

    def on_localpi_app_daemon_changed(self) -> None:
        """Read it again when the daemon has come or gone."""
        self.reload()

    def reload(self) -> None:
        """Load in a worker; a reload that is still under way is given up."""
        self.begin(self.load, group="load")

    def begin(self, what: Callable[[], Coroutine[Any, Any, None]], *, group: str) -> None:
        """Run a coroutine as the worker of its group, and tell what goes wrong."""
        start(self, group, self._guarded, what, exclusive=True)

    async def _guarded(self, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await what()
        except Exception as error:  # noqa: BLE001 -- the edge: everything becomes a notification
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Show what went wrong, in the tables that wait too."""
        title, reason, remedy = explain(error)
        away = isinstance(error, DaemonNotRunning)
        for rows in self.query(Rows):
            if away or not rows.rows:  # what was there before it went is not so any more
                rows.show((), note=AWAY if away else f"{title}: {reason} → {remedy}")
        if away:
            self.room.look()
        else:
            self.room.tell_error(error)

    async def ask(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Ask the desk; see Calls."""
        return await self.room.calls(call, *args, **kwargs)

    def and_reload(self, said: str, title: str = "") -> None:
        """Say what was done and show how things are now."""
        self.room.tell(said, title=title)
        self.reload()
