"""Every screen and dialog in its states, as data: the snapshot tests and the screenshots draw the same ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import DirectoryTree, Input
from textual.worker import Worker

from localpi.tui.app import LocalpiApp
from made.desk import State, bare_state, empty_state, full_state, made_desk

SIZES = ((80, 24), (120, 36))
ROUNDS = 8
"""Without work before all is quiet: a key goes from program to screen to button, what it posts goes up again."""
CHARACTERS = {"space": " ", "slash": "/", "question_mark": "?"}
"""What a key types, where its name does not say so."""
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Picture:
    """A state of the desk and the keys that lead to the screen."""

    name: str
    state: Callable[[], State] = full_state
    keys: tuple[str, ...] = ()
    theme: str = ""


def away() -> State:
    state = full_state()
    state.running = False
    return state


def offline() -> State:
    state = full_state()
    for name, health in state.health.items():
        state.health[name] = replace(
            health,
            state="off",
            reason="set offline by hand",
            offline="on",
            next_probe=None,
            since="2026-03-14T09:12:40+00:00",
        )
    return state


PICTURES = (
    Picture("first-run", bare_state),
    Picture("first-run-skipped", bare_state, ("s", "s", "s", "s", "s")),
    Picture("overview"),
    Picture("overview-light", theme="textual-light"),
    Picture("overview-away", away),
    Picture("overview-empty", empty_state),
    Picture("overview-offline", offline),
    Picture("indexes", keys=("2",)),
    Picture("indexes-light", keys=("2",), theme="textual-light"),
    Picture("indexes-empty", empty_state, ("2",)),
    Picture("indexes-away", away, ("2",)),
    Picture("indexes-search", keys=("2", "slash", "b", "i", "l")),
    Picture("bases", keys=("3",)),
    Picture("bases-empty", empty_state, ("3",)),
    Picture("bases-away", away, ("3",)),
    Picture("bases-offline", offline, ("3",)),
    Picture("cache", keys=("4",)),
    Picture("cache-empty", empty_state, ("4",)),
    Picture("cache-away", away, ("4",)),
    Picture("wiring", keys=("5",)),
    Picture("log", keys=("6",)),
    Picture("log-problems", keys=("6", "w")),
    Picture("log-empty", empty_state, ("6",)),
    Picture("dialog-confirm", keys=("4", "x")),
    Picture("dialog-index", keys=("2", "e")),
    Picture("dialog-new-index", keys=("2", "n")),
    Picture("dialog-add-base", keys=("3", "n", *"https://pypi.acme.example/simple/", "enter")),
    Picture("dialog-credentials", keys=("3", "p", *"ada", "enter", *"secret")),
    Picture("dialog-offline", keys=("3", "o")),
    Picture("dialog-push", keys=("2", "p")),
    Picture("dialog-upload", keys=("2", "u")),
    Picture("dialog-details", keys=("2", "d")),
    Picture("dialog-diff", keys=("5", "w")),
    Picture("dialog-container", keys=("5", "t", "down", "enter")),
    Picture("dialog-why", keys=("6", "up", "up", "enter")),
    Picture("dialog-help", keys=("2", "question_mark")),
    Picture("palette", keys=("2", "ctrl+p")),
    Picture("dialog-light", keys=("5", "w"), theme="textual-light"),
)  # fmt: skip


def make_app(picture: Picture) -> LocalpiApp:
    """Return the app of a picture; nothing in it blinks, and its clock stands."""
    app = LocalpiApp(made_desk(picture.state()), look_s=3600, now=lambda: NOW)
    app.animation_level = "none"
    if picture.theme:
        app.theme = picture.theme
    return app


async def lead(picture: Picture, pilot: Pilot[None]) -> None:
    """Press the keys, each after all is quiet."""
    await press(pilot, *picture.keys)
    for widget in pilot.app.screen.query(Input):
        widget.cursor_blink = False
    await settle(pilot)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Send keys, each after all is quiet; the pilot itself waits for an idle processor, which is rare on busy ones."""
    await settle(pilot)
    for key in keys:
        name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
        driver = pilot.app._driver
        assert driver is not None
        event = Key(name, key if len(key) == 1 else CHARACTERS.get(key))
        event.set_sender(pilot.app)
        driver.send_message(event)
        await settle(pilot)


async def settle(pilot: Pilot[None], most_s: float = 20.0) -> None:
    """Wait until no call is under way and no worker loads: the screen stays as it is."""
    app = pilot.app
    assert isinstance(app, LocalpiApp)
    until = time.monotonic() + most_s
    quiet = 0
    while quiet < ROUNDS:
        assert time.monotonic() < until, "it does not come to rest"
        await pilot.pause(0.002)
        asks = isinstance(app.screen, ModalScreen)
        busy = app.calls.under_way or any(_works(worker, asks=asks) for worker in app.workers)
        busy = busy or any(not tree.root.children for tree in app.screen.query(DirectoryTree))
        quiet = 0 if busy else quiet + 1


def _works(worker: Worker[object], *, asks: bool) -> bool:
    """Return whether a worker will change the screen by itself; a deed that asks waits for the person."""
    groups = {"load", "projects", "releases", "look", "try"} | (set() if asks else {"deeds", "step"})
    return not worker.is_finished and worker.group in groups
