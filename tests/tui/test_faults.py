from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot

from localpi.errors import Conflict, DaemonNotRunning
from localpi.remote.told import Unsupported
from localpi.tui.actions import PLACES, of_group
from localpi.tui.app import LocalpiApp
from localpi.tui.desk import DRAWERS
from localpi.tui.dialogs.keys import Keys
from made.desk import Drawer, Hang, faulty_desk, full_state, made_desk
from made.pictures import NOW

NONSENSE: tuple[Any, ...] = (None, 7, "[red]text[/]", b"\xff", (), [], {}, (None,), ((1, 2),), object(), -1.5, True)
ERRORS: tuple[Exception, ...] = (
    DaemonNotRunning("gone"), Unsupported("[bold]this"), Conflict("there \x1b[31m already"), OSError(28, "disk full"),
    ValueError("v"), KeyError("k"), RecursionError(), TimeoutError(), StopIteration(), AssertionError("a"),
)  # fmt: skip


def raising(_name: str, *_: Any, **__: Any) -> Any:
    raise random.choice(ERRORS)


def nonsense(_name: str, *_: Any, **__: Any) -> Any:
    return random.choice(NONSENSE)


async def send(pilot: Pilot[None], *keys: str) -> None:
    """Send keys and let the loop turn, whatever hangs: what comes late comes late."""
    for key in keys:
        driver = pilot.app._driver
        assert driver is not None
        event = Key(key, key if len(key) == 1 else None)
        event.set_sender(pilot.app)
        driver.send_message(event)
        await pilot.pause(0.003)


async def walk(app: LocalpiApp) -> None:
    """Go to every place, press every key of it, leave what opens, and see that help still opens in the end."""
    async with app.run_test(size=(80, 24)) as pilot:
        for number, place in enumerate(PLACES, 1):
            for key in ["f5", *(action.key.split(",")[0] for action in of_group(place))]:
                await send(pilot, str(number), {"slash": "/"}.get(key, key), "enter", "y", "escape", "escape", "escape")
                assert app.is_running
        app.screen.set_focus(None)
        for _ in range(300):
            await send(pilot, "escape", "question_mark")
            if isinstance(app.screen, Keys):
                break
        assert isinstance(app.screen, Keys)


@pytest.mark.parametrize("fault", [raising, pytest.param(nonsense, marks=pytest.mark.long)])
async def test_every_call_goes_wrong(fault: Callable[..., Any]) -> None:
    """Errors of all kinds and answers of all shapes end as notifications; the UI goes on."""
    random.seed(7)
    app = LocalpiApp(faulty_desk(fault), look_s=0.2, now=lambda: NOW)
    await walk(app)


async def test_every_call_hangs() -> None:
    """Nothing freezes while all calls hang, each ends with a notification, and the end of the program does not wait."""
    hang = Hang()
    app = LocalpiApp(faulty_desk(hang), look_s=0.2, deadline_s=0.5, now=lambda: NOW)
    try:
        async with asyncio.timeout(60):
            await walk(app)
        assert app.calls.under_way > 0
    finally:
        hang.over.set()


@pytest.mark.long
@pytest.mark.parametrize("drawer", range(len(DRAWERS)))
async def test_one_drawer_goes_wrong(drawer: int) -> None:
    """The other drawers' parts of each place are as they were."""
    random.seed(drawer)
    names = ("running", "wiring", "indexes", "packages", "bases", "cache", "log")
    desk = made_desk(full_state())
    object.__setattr__(desk, names[drawer], Drawer(DRAWERS[drawer], nonsense))
    await walk(LocalpiApp(desk, look_s=0.2, now=lambda: NOW))


async def test_failures_say_reason_and_remedy() -> None:
    """A notification has a title, the reason, and what to do, and no markup is read out of it."""

    def unsupported(name: str, *_: Any, **__: Any) -> Any:
        raise Unsupported(f"[bold]{name}")

    app = LocalpiApp(faulty_desk(unsupported), look_s=3600, now=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        for _ in range(100):
            if any("tools" in note.message for note in app._notifications):
                break
            await pilot.pause(0.02)
        note = next(note for note in app._notifications if "tools" in note.message)
    assert (note.title, note.markup) == ("This daemon cannot do that", False)
    assert note.message.startswith("[bold]tools is not something")
    assert "→ update localpi" in note.message
