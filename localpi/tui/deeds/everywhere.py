"""What can be done on every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from localpi.errors import DaemonNotRunning

if TYPE_CHECKING:
    from textual.screen import Screen

    from localpi.tui.app import LocalpiApp


async def go_overview(place: Screen[Any]) -> None:
    """See what works here and now."""
    await _go(place, "overview")


async def go_indexes(place: Screen[Any]) -> None:
    """See indexes, projects, releases and files."""
    await _go(place, "indexes")


async def go_bases(place: Screen[Any]) -> None:
    """See the mirrors."""
    await _go(place, "bases")


async def go_cache(place: Screen[Any]) -> None:
    """See what installs without a network."""
    await _go(place, "cache")


async def go_wiring(place: Screen[Any]) -> None:
    """See which tools install from here."""
    await _go(place, "wiring")


async def go_log(place: Screen[Any]) -> None:
    """Watch the log."""
    await _go(place, "log")


async def _go(place: Screen[Any], name: str) -> None:
    """Change the place, unless a dialog waits for an answer."""
    app = _app(place)
    if len(app.screen_stack) == 1 and app.current_mode != name:
        app.switch_mode(name)


async def refresh(place: Screen[Any]) -> None:
    """Read everything on this screen again."""
    _app(place).look()
    reload = getattr(place, "reload", None)
    if reload is not None:
        reload()


async def copy_url(place: Screen[Any]) -> None:
    """Copy the index URL."""
    app = _app(place)
    if app.status is None:
        raise DaemonNotRunning("where the daemon listens is not known yet")
    app.copy_to_clipboard(app.status.index_url)
    app.tell(app.status.index_url, title="Copied")


async def start(place: Screen[Any]) -> None:
    """Start the daemon."""
    app = _app(place)
    if app.status is not None and app.status.running:
        app.tell(f"It runs at {app.status.url}", title="Nothing to start")
        return
    app.tell("The daemon is being started …")
    url = await app.calls.long(app.desk.running.start_daemon)
    await app.look_now()
    app.tell(url, title="The daemon runs")


async def stop(place: Screen[Any]) -> None:
    """Stop the daemon, after a question."""
    from localpi.tui.dialogs.confirm import Confirm  # noqa: PLC0415 -- first frame first

    app = _app(place)
    question = "pip and uv cannot install through localpi while it is stopped. Running downloads may end first."
    if await app.push_screen_wait(Confirm("Stop the daemon?", question, yes="Stop")):
        await app.calls.long(app.desk.running.stop_daemon)
        await app.look_now()
        app.tell("s starts it again", title="The daemon has stopped")


async def setup(place: Screen[Any]) -> None:
    """Walk through the first steps."""
    from localpi.tui.places.first_run import FirstRun  # noqa: PLC0415 -- as above

    app = _app(place)
    if len(app.screen_stack) == 1:
        await app.push_screen(FirstRun())


async def toggle_light(place: Screen[Any]) -> None:
    """Change between light and dark."""
    app = _app(place)
    kind = "ansi" if app.theme.startswith("ansi") else "textual"
    app.theme = f"{kind}-light" if app.current_theme.dark else f"{kind}-dark"


async def help(place: Screen[Any]) -> None:  # noqa: A001 -- the action's name
    """Show every key."""
    from localpi.tui.dialogs.keys import Keys  # noqa: PLC0415 -- as above

    app = _app(place)
    if len(app.screen_stack) == 1:
        await app.push_screen(Keys(getattr(place, "group", ""), place))


async def leave(place: Screen[Any]) -> None:
    """Leave; the daemon goes on."""
    _app(place).exit()


def _app(place: Screen[Any]) -> LocalpiApp:
    return cast("LocalpiApp", place.app)
