from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot

from localpi.errors import Conflict, DaemonNotRunning
from localpi.remote.told import Unsupported
from localpi.tui.actions import PLACES, of_group
from localpi.tui.app import LocalpiApp
from localpi.tui.desk import DRAWERS, Found
from localpi.tui.dialogs.keys import Keys
from made.desk import Hang, State, faulty_desk, full_state, made_desk, wrong_desk
from made.pictures import NOW, press

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
        # Not pilot.pause: it counts the widgets on screen and waits 30 s for one that has left with its dialog.
        await asyncio.sleep(0.003)
        until = time.monotonic() + 20
        while pilot.app.message_queue_size:
            assert time.monotonic() < until, "the keys are not taken"
            await asyncio.sleep(0.003)


async def help_opens(pilot: Pilot[None]) -> bool:
    """Say whether the keys still do something: help opens, whatever else is on its way."""
    until = time.monotonic() + 20
    while not isinstance(pilot.app.screen, Keys):
        if time.monotonic() > until:
            return False
        await send(pilot, "escape", "question_mark")
    return True


async def walk(app: LocalpiApp) -> None:
    """Go to every place, press every key of it, leave what opens, and see that help still opens in the end."""
    async with app.run_test(size=(80, 24)) as pilot:
        for number, place in enumerate(PLACES, 1):
            for key in ["f5", *(action.key.split(",")[0] for action in of_group(place))]:
                await send(pilot, str(number), {"slash": "/"}.get(key, key), "enter", "y", "escape", "escape", "escape")
                assert app.is_running
        app.screen.set_focus(None)
        assert await help_opens(pilot)


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


REACHED: dict[str, tuple[str, ...]] = {
    "status": (), "is_first_run": (), "service_state": (), "start_daemon": ("s",), "stop_daemon": ("S", "y"),
    "install_service": ("i",), "remove_service": ("I", "y"),
    "tools": ("5",), "plan_wiring": ("5", "w"), "wire": ("5", "down", "w", "y"), "unwire": ("5", "x", "y"),
    "runtimes": ("5", "t"), "container_text": ("5", "t", "enter"),
    "found_index": ("f2", "s", "enter"), "accept_found": ("f2", "s", "enter", "y"),
    "index_rows": ("2",), "create_index": ("2", "n", "d", "ctrl+s", "ctrl+s"), "change_index": ("2", "o"),
    "delete_index": ("2", "D", "y"),
    "projects": ("2",), "releases": ("2",), "metadata": ("2", "d"), "upload": ("2", "u", "down", "enter", "enter"),
    "push": ("2", "p", "enter"), "yank": ("2", "y", "ctrl+s"), "remove": ("2", "x", "y"),
    "base_rows": ("3",), "check_base": ("3", "n", *"http://a.example", "enter"),
    "add_base": ("3", "n", *"http://a.example", "ctrl+s"), "remove_base": ("3", "x", "y"), "test_base": ("3", "t"),
    "set_offline": ("3", "o", "enter"), "set_credentials": ("3", "p", "a", "enter", "b", "enter"),
    "collisions": ("3", "k"),
    "cache_use": ("4",), "saved": ("4",), "cached_projects": ("4",), "pin": ("4", "p"), "evict": ("4", "x", "y"),
    "verify": ("4", "v"), "set_budget": ("4", "b", "ctrl+s"),
    "events": (), "log_lines": ("6",), "why": ("6", "up", "up", "enter"),
}  # fmt: skip
"""Call of the desk -> the keys that lead to it."""
QUICK = {"status", "wire", "upload", "log_lines"}


def fault_state(call: str) -> State:
    """Return a state in which the keys reach the call."""
    state = full_state()
    state.running = call != "start_daemon"
    state.service = call != "install_service"
    state.found = Found("https://pypi.acme.example/simple/", "pip.conf", "root/acme")
    return state


@pytest.mark.parametrize(
    "call", [pytest.param(call, marks=[] if call in QUICK else [pytest.mark.long]) for call in REACHED]
)
async def test_one_call_goes_wrong(call: str) -> None:
    """While all others answer, each call raises, answers nonsense, or hangs: every time the UI goes on."""
    random.seed(call)
    hang = Hang()
    for fault in (raising, nonsense, hang):
        came: list[str] = []

        def wrong(name: str, *args: Any, fault: Callable[..., Any] = fault, came: list[str] = came, **how: Any) -> Any:
            came.append(name)
            return fault(name, *args, **how)

        app = LocalpiApp(wrong_desk(made_desk(fault_state(call)), wrong, call), look_s=3600, now=lambda: NOW)
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, *REACHED[call], waits=fault is hang)
            assert came, "the keys do not lead to it"
            assert await help_opens(pilot), fault
    hang.over.set()


def test_every_call_of_the_desk_is_made_to_fail() -> None:
    """The table above has all that the desk's protocols have."""
    calls = {name for drawer in DRAWERS for name, call in vars(drawer).items() if callable(call) and name[:1] != "_"}
    assert calls == set(REACHED)


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
