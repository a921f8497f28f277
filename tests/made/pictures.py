"""Every screen and dialog in its states, as data: the snapshot tests and the screenshots draw the same ones."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import DirectoryTree, Input

from localpi.remote.daemon import RemoteError
from localpi.reports import BaseHealth
from localpi.tui.app import LocalpiApp
from localpi.tui.desk import Desk
from made.desk import Hang, State, bare_state, empty_state, full_state, made_desk, wrong_desk

SIZES = ((80, 24), (120, 36))
ROUNDS = 4
"""Without work before all is quiet: a handler that runs is in no queue."""
SIGNS = ("space", "slash")  # not backspace: Textual takes its action after the signs that came behind it
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
    desk: Callable[[State], Desk] = made_desk
    waits: bool = False
    """Whether calls of the desk are still under way in it."""
    colours: bool = True


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


def many() -> State:
    """Return what is more than the screen holds: twelve mirrors, forty projects in the cache, long names."""
    state = full_state()
    for number in range(10):
        name = f"root/mirror-of-department-{number}"
        state.indexes[name] = {"type": "mirror", "mirror_url": f"https://department-{number}.acme.example/simple/"}
        state.health[name] = BaseHealth(name, ("ok", "slow", "auth", "captive")[number % 4], "a reason" * (number % 4))
    rows = [replace(state.cached[0], project=f"a-project-with-a-rather-long-name-{n:02}", bytes=n) for n in range(40)]
    state.cached = (*state.cached, *rows)
    return state


def tool_less() -> State:
    """Return a machine without tools; there is no such, but a desk may say so."""
    state = empty_state()
    state.wired = {}
    state.tools = ()
    return state


def hanging(*calls: str) -> Callable[[State], Desk]:
    """Return a desk of which these calls hang, all but the daemon's state when none is named."""
    return lambda state: wrong_desk(made_desk(state), Hang(), *calls)


def broken(*calls: str) -> Callable[[State], Desk]:
    """Return a desk of which these calls fail, all but the daemon's state when none is named."""

    def fail(_name: str, *_: object, **__: object) -> None:
        raise RemoteError(500, "fault 9f31c2aa", hint="localpi logs has more")

    return lambda state: wrong_desk(made_desk(state), fail, *calls)


PICTURES = (
    Picture("first-run", bare_state),
    Picture("first-run-skipped", bare_state, ("s", "s", "s", "s", "s")),
    Picture("first-run-done", bare_state, ("enter", "s", "enter", "y", "enter", "enter")),
    Picture("first-run-busy", bare_state, ("enter",), desk=hanging("start_daemon"), waits=True),
    Picture("first-run-failed", bare_state, ("enter",), desk=broken("start_daemon")),
    Picture("overview"),
    Picture("overview-light", theme="textual-light"),
    Picture("overview-16-colours", theme="ansi-dark"),
    Picture("overview-no-colour", colours=False),
    Picture("overview-loading", desk=hanging(), waits=True),
    Picture("overview-empty", empty_state),
    Picture("overview-many", many),
    Picture("overview-error", desk=broken()),
    Picture("overview-away", away),
    Picture("overview-offline", offline),
    Picture("indexes", keys=("2",)),
    Picture("indexes-light", keys=("2",), theme="textual-light"),
    Picture("indexes-loading", keys=("2",), desk=hanging(), waits=True),
    Picture("indexes-empty", empty_state, ("2",)),
    Picture("indexes-error", keys=("2",), desk=broken()),
    Picture("indexes-away", away, ("2",)),
    Picture("indexes-search", keys=("2", "slash", "b", "i", "l")),
    Picture("indexes-not-found", keys=("2", "slash", "z", "z")),
    Picture("bases", keys=("3",)),
    Picture("bases-loading", keys=("3",), desk=hanging(), waits=True),
    Picture("bases-empty", empty_state, ("3",)),
    Picture("bases-many", many, ("3",)),
    Picture("bases-error", keys=("3",), desk=broken()),
    Picture("bases-away", away, ("3",)),
    Picture("bases-offline", offline, ("3",)),
    Picture("cache", keys=("4",)),
    Picture("cache-loading", keys=("4",), desk=hanging(), waits=True),
    Picture("cache-empty", empty_state, ("4",)),
    Picture("cache-many", many, ("4", "end")),
    Picture("cache-error", keys=("4",), desk=broken()),
    Picture("cache-away", away, ("4",)),
    Picture("cache-verifying", keys=("4", "v"), desk=hanging("verify"), waits=True),
    Picture("wiring", keys=("5",)),
    Picture("wiring-change", keys=("5", "down")),
    Picture("wiring-loading", keys=("5",), desk=hanging(), waits=True),
    Picture("wiring-empty", tool_less, ("5",)),
    Picture("wiring-error", keys=("5",), desk=broken()),
    Picture("log", keys=("6",)),
    Picture("log-loading", keys=("6",), desk=hanging(), waits=True),
    Picture("log-empty", empty_state, ("6",)),
    Picture("log-error", keys=("6",), desk=broken()),
    Picture("log-problems", keys=("6", "w")),
    Picture("toast", keys=("4", "p")),
    Picture("toast-error", keys=("4", "p"), desk=broken("pin")),
    Picture("dialog-confirm", keys=("4", "x")),
    Picture("dialog-index", keys=("2", "e")),
    Picture("dialog-new-index", keys=("2", "n")),
    Picture("dialog-form-error", keys=("2", "n", *("backspace",) * 5, "ctrl+s")),
    Picture("dialog-add-base-empty", keys=("3", "n")),
    Picture("dialog-add-base", keys=("3", "n", *"https://pypi.acme.example/simple/", "enter")),
    Picture("dialog-add-base-trying", keys=("3", "n", *"https://pypi.acme.example/simple/", "enter"),
            desk=hanging("check_base"), waits=True),
    Picture("dialog-add-base-error", keys=("3", "n", *"https://pypi.nowhere.example/simple/", "enter")),
    Picture("dialog-credentials", keys=("3", "p", *"ada", "enter", *"secret")),
    Picture("dialog-offline", keys=("3", "o")),
    Picture("dialog-collisions", keys=("3", "k")),
    Picture("dialog-push", keys=("2", "p")),
    Picture("dialog-upload", keys=("2", "u")),
    Picture("dialog-upload-error", keys=("2", "u", "tab", *"/none.whl", "enter")),
    Picture("dialog-details", keys=("2", "d")),
    Picture("dialog-diff", keys=("5", "down", "w")),
    Picture("dialog-container", keys=("5", "t", "enter")),
    Picture("dialog-runtimes", keys=("5", "t")),
    Picture("dialog-why", keys=("6", "up", "up", "enter")),
    Picture("dialog-line", keys=("6", "enter")),
    Picture("dialog-budget", keys=("4", "b")),
    Picture("dialog-help", keys=("2", "question_mark")),
    Picture("palette", keys=("2", "ctrl+p")),
    Picture("dialog-light", keys=("5", "down", "w"), theme="textual-light"),
)  # fmt: skip

STATES = ("loading", "empty", "full", "error", "away", "offline")
NOT_ASKED = "the desk has been asked before it opens"
STILL = {"loading": NOT_ASKED, "error": NOT_ASKED, "away": NOT_ASKED, "offline": "the same as else"}
NONE = "there is always one"
TABLE: dict[str, dict[str, str]] = {
    "first_run": {
        "loading": "first-run-busy", "empty": "first-run", "full": "first-run-done", "error": "first-run-failed",
        "away": "its first step starts the daemon", "offline": "nothing of a base is shown",
    },
    "overview": {
        "loading": "overview-loading", "empty": "overview-empty", "full": "overview-many", "error": "overview-error",
        "away": "overview-away", "offline": "overview-offline",
    },
    "indexes": {
        "loading": "indexes-loading", "empty": "indexes-empty", "full": "indexes", "error": "indexes-error",
        "away": "indexes-away", "offline": "what a base has is not shown by its state",
    },
    "bases": {
        "loading": "bases-loading", "empty": "bases-empty", "full": "bases-many", "error": "bases-error",
        "away": "bases-away", "offline": "bases-offline",
    },
    "cache": {
        "loading": "cache-loading", "empty": "cache-empty", "full": "cache-many", "error": "cache-error",
        "away": "cache-away", "offline": "what is here is here, online or not",
    },
    "wiring": {
        "loading": "wiring-loading", "empty": "wiring-empty", "full": "wiring", "error": "wiring-error",
        "away": "the tools' files are read without the daemon", "offline": "the files are the same",
    },
    "log": {
        "loading": "log-loading", "empty": "log-empty", "full": "log", "error": "log-error",
        "away": "the log's file is read without the daemon", "offline": "events tell it",
    },
    "add_base": {
        **STILL, "loading": "dialog-add-base-trying", "empty": "dialog-add-base-empty", "full": "dialog-add-base",
        "error": "dialog-add-base-error",
    },
    "choose": {**STILL, "empty": NONE, "full": "dialog-push"},
    "confirm": {**STILL, "empty": "a question is there", "full": "dialog-confirm"},
    "form": {**STILL, "empty": "dialog-new-index", "full": "dialog-index", "error": "dialog-form-error"},
    "keys": {**STILL, "empty": NONE, "full": "dialog-help"},
    "pick_file": {**STILL, "empty": "a folder without packages shows nothing", "full": "dialog-upload",
                  "error": "dialog-upload-error"},
    "shown": {**STILL, "empty": "nothing to show is a notification", "full": "dialog-details"},
}  # fmt: skip
"""Module of a screen or dialog -> state -> its picture, or why there is none."""


def make_app(picture: Picture) -> LocalpiApp:
    """Return the app of a picture; nothing in it blinks, and its clock stands."""
    before = os.environ.pop("NO_COLOR", None)
    if not picture.colours:
        os.environ["NO_COLOR"] = "1"
    app = LocalpiApp(picture.desk(picture.state()), look_s=3600, now=lambda: NOW)
    os.environ.pop("NO_COLOR", None)
    if before is not None:
        os.environ["NO_COLOR"] = before
    app.animation_level = "none"
    app.note_s = app.error_s = 3600.0
    if picture.theme:
        app.theme = picture.theme
    return app


async def lead(picture: Picture, pilot: Pilot[None]) -> None:
    """Press the keys, each after all is quiet."""
    await press(pilot, *picture.keys, waits=picture.waits)
    for widget in pilot.app.screen.query(Input):
        widget.cursor_blink = False
    await settle(pilot, waits=picture.waits)
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str, waits: bool = False) -> None:
    """Send keys, each after all is quiet; the pilot itself waits for an idle processor, which is rare on busy ones.

    What is typed into a line goes there at once.
    """
    await settle(pilot, waits=waits)
    for key, following in pairwise((*keys, "")):
        send(pilot, key)
        typed = isinstance(pilot.app.focused, Input) and all(
            len(each) == 1 or each in SIGNS for each in (key, following)
        )
        if not typed:
            await settle(pilot, waits=waits)


def send(pilot: Pilot[None], key: str) -> None:
    """Hand a key to the program as a terminal does."""
    name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
    driver = pilot.app._driver
    assert driver is not None
    event = Key(name, key if len(key) == 1 else CHARACTERS.get(key))
    event.set_sender(pilot.app)
    driver.send_message(event)


async def settle(pilot: Pilot[None], most_s: float = 30.0, *, waits: bool = False) -> None:
    """Wait until no message is under way, no call of the desk and no worker: the screen stays as it is.

    `waits`: calls hang by intention; then that nothing new begins is all there is to wait for.
    """
    app = pilot.app
    assert isinstance(app, LocalpiApp)
    until = time.monotonic() + most_s
    quiet, rounds, before = 0, ROUNDS * 8 if waits else ROUNDS, (-1, -1)
    while quiet < rounds and app.is_running and not app._exit:
        assert time.monotonic() < until, "it does not come to rest"
        await pilot.pause(0.002)
        under_way = (app.calls.under_way, len([worker for worker in app.workers if not worker.is_finished]))
        busy = under_way != before if waits else _is_busy(app)
        before = under_way
        nodes = (app, *app.screen.walk_children(with_self=True)) if app.is_running and not app._exit else ()
        busy = busy or any(node.message_queue_size for node in nodes)
        quiet = 0 if busy else quiet + 1


def _is_busy(app: LocalpiApp) -> bool:
    """Return whether something will change the screen by itself; a deed that asks waits for the person."""
    if app.calls.under_way:
        return True
    ignored = {"default", "_loader"} | ({"deeds", "step"} if isinstance(app.screen, ModalScreen) else set())
    if any(not worker.is_finished and worker.group not in ignored for worker in app.workers):
        return True
    return any(not tree.root.children for tree in app.screen.query(DirectoryTree))
