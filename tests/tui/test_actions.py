from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from inspect import iscoroutinefunction, signature
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets._footer import FooterKey

from localpi.remote.told import NewBase
from localpi.tui.actions import ACTIONS, EVERYWHERE, PLACES, of_group
from localpi.tui.app import LocalpiApp
from localpi.tui.desk import Found
from localpi.tui.dialogs.add_base import AddBase
from localpi.tui.dialogs.choose import Choose
from localpi.tui.dialogs.confirm import Confirm
from localpi.tui.dialogs.form import Form
from localpi.tui.dialogs.keys import Keys
from localpi.tui.dialogs.pick_file import PickFile
from localpi.tui.dialogs.shown import Shown
from localpi.tui.places.first_run import FirstRun
from localpi.tui.widgets.rows import Rows
from made.desk import URL, State, bare_state, full_state, made_desk
from made.pictures import NOW, press, settle

INDEX_URL = f"{URL}/root/local/+simple/"


def app_on(state: State) -> LocalpiApp:
    app = LocalpiApp(made_desk(state), look_s=3600, now=lambda: NOW)
    app.animation_level = "none"
    return app


def stopped() -> State:
    state = full_state()
    state.running = False
    return state


def serviceless() -> State:
    state = full_state()
    state.service = False
    return state


def unwired() -> State:
    state = full_state()
    state.wired["pip"] = False
    return state


def yanked() -> State:
    state = full_state()
    key = ("root/local", "acme-billing")
    first, *others = state.releases[key]
    state.releases[key] = (replace(first, files=tuple(replace(file, yanked="") for file in first.files)), *others)
    return state


STAGE = {"type": "stage", "bases": "root/pypi", "volatile": "true", "resolution": "first",
         "mirror_whitelist_inheritance": "intersection"}  # fmt: skip
CLEAR = ("backspace",) * 8

BY_KEY: dict[str, tuple[Callable[[], State], tuple[str, ...], tuple[str, tuple[Any, ...]]]] = {
    "everywhere.start": (stopped, ("s",), ("start_daemon", ())),
    "everywhere.stop": (full_state, ("S", "y"), ("stop_daemon", ())),
    "overview.install_service": (serviceless, ("i",), ("install_service", ())),
    "overview.remove_service": (full_state, ("I", "y"), ("remove_service", ())),
    "overview.wire_pip": (unwired, ("w", "y"), ("wire", ("pip",))),
    "indexes.create_index": (
        full_state, ("2", "n", *"dev", "enter", "tab", "tab", "enter", "ctrl+s"),
        ("create_index", ("root/dev", STAGE)),
    ),
    "indexes.edit_index": (
        full_state, ("2", "e", *("backspace",) * 24, *"root/pypi", "ctrl+s"),
        ("change_index", ("root/local", {"bases": "root/pypi"})),
    ),
    "indexes.delete_index": (full_state, ("2", "D", "y"), ("delete_index", ("root/local",))),
    "indexes.base_up": (
        full_state, ("2", "down", "down", "ctrl+up"),
        ("change_index", ("root/local", {"bases": "root/pypi,root/intranet"})),
    ),
    "indexes.base_down": (
        full_state, ("2", "down", "ctrl+down"), ("change_index", ("root/local", {"bases": "root/pypi,root/intranet"}))
    ),
    "indexes.resolution": (full_state, ("2", "o"), ("change_index", ("root/local", {"resolution": "merge"}))),
    "indexes.details": (
        full_state, ("2", "d"), ("metadata", ("/root/local/+f/abc/acme_billing-2.1.0-py3-none-any.whl",))
    ),
    "indexes.upload": (
        full_state, ("2", "u", "down", "enter", "enter"), ("upload", ("root/local", "acme_billing-2.2.0.tar.gz"))
    ),
    "indexes.push": (
        full_state, ("2", "p", "down", "enter"), ("push", ("root/local", "acme-billing", "2.1.0", "root/stable"))
    ),
    "indexes.yank": (
        full_state, ("2", "y", *"bad", "enter"), ("yank", ("root/local", "acme-billing", "2.1.0", "bad"))
    ),
    "indexes.remove": (full_state, ("2", "x", "y"), ("remove", ("root/local", "acme-billing", "2.1.0"))),
    "indexes.remove_project": (full_state, ("2", "X", "y"), ("remove", ("root/local", "acme-billing", None))),
    "indexes.why": (full_state, ("2", "W"), ("why", ("root/local", "acme-billing"))),
    "bases.add_base": (
        full_state, ("3", "n", *"http://acme.example/", "enter", "ctrl+s"),
        ("add_base", (NewBase("root/acme", "http://acme.example/", "root/local", ("acme-*",)), "", "")),
    ),
    "bases.edit_base": (
        full_state, ("3", "e", *("tab",) * 3, *"60", "ctrl+s"),
        ("change_index", ("root/intranet", {"mirror_cache_expiry": "60"})),
    ),
    "bases.test_base": (full_state, ("3", "t"), ("test_base", ("root/intranet",))),
    "bases.offline": (full_state, ("3", "o", "down", "enter"), ("set_offline", ("root/intranet", "on"))),
    "bases.claims": (
        full_state, ("3", "l", *",corp-*", "enter"), ("change_index", ("root/intranet", {"claims": "acme-*,corp-*"}))
    ),
    "bases.credentials": (
        full_state, ("3", "p", *"ada", "enter", *"pw", "enter"), ("set_credentials", ("root/intranet", "ada", "pw"))
    ),
    "bases.remove_base": (full_state, ("3", "x", "y"), ("remove_base", ("root/intranet",))),
    "cache.pin": (full_state, ("4", "p"), ("pin", ("torch", True))),
    "cache.evict": (full_state, ("4", "x", "y"), ("evict", ("torch",))),
    "cache.verify": (full_state, ("4", "v"), ("verify", ())),
    "cache.budget": (full_state, ("4", "b", *CLEAR, *"5GB", "enter"), ("set_budget", ("5GB",))),
    "wiring.wire": (full_state, ("5", "down", "w", "y"), ("wire", ("uv",))),
    "wiring.unwire": (full_state, ("5", "x", "y"), ("unwire", ("pip",))),
    "log.why": (full_state, ("6", "up", "up", "enter"), ("why", ("root/local", "acme-secret"))),
}  # fmt: skip
"""Action to the state it begins in, the keys, and what the desk has been asked for in the end."""


QUICK = {
    "everywhere.start", "overview.wire_pip", "indexes.create_index", "indexes.base_up", "indexes.upload",
    "indexes.yank", "indexes.remove", "bases.add_base", "bases.offline", "bases.credentials", "cache.pin",
    "cache.evict", "wiring.unwire", "log.why", "everywhere.refresh", "everywhere.setup", "everywhere.leave",
    "everywhere.help", "cache.search", "log.pause", "log.copy_line", "wiring.container",
}  # fmt: skip
"""Tried in each run; the others with the long tests: each costs most of a second."""


@pytest.mark.parametrize(
    "action", [pytest.param(action, marks=[] if action in QUICK else [pytest.mark.long]) for action in BY_KEY]
)
async def test_an_action_by_its_keys(action: str) -> None:
    """From the keyboard alone the desk is asked for the right thing, once."""
    make_state, keys, expected = BY_KEY[action]
    state = make_state()
    app = app_on(state)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, *keys)
        assert [note for note in app._notifications if note.severity == "error"] == []
    assert [call for call in state.done if call[0] != "check_base"] == [expected]


async def test_a_yank_is_taken_back() -> None:
    """On a yanked release the same key unyanks, and asks for no reason."""
    state = yanked()
    app = app_on(state)
    async with app.run_test(size=(100, 30)) as pilot:
        for key in ("2", "y"):
            await settle(pilot)
            await press(pilot, key)
    assert state.done == [("yank", ("root/local", "acme-billing", "2.1.0", None))]


@pytest.mark.long
@pytest.mark.parametrize("action", [action for action in BY_KEY if BY_KEY[action][1][-1] == "y"])
async def test_nothing_is_lost_without_a_yes(action: str) -> None:
    """Escape, and an enter that came too early, change nothing."""
    for last in ("escape", "enter"):
        make_state, keys, expected = BY_KEY[action]
        if last == "enter" and expected[0] in {"wire", "unwire"}:
            continue  # a diff was shown, which can be taken back to the byte
        state = make_state()
        app = app_on(state)
        async with app.run_test(size=(100, 30)) as pilot:
            await press(pilot, *(*keys[:-1], last))
        assert state.done == []


async def test_moving_between_places() -> None:
    """Digits lead to the places, and so does a click on the bar."""
    app = app_on(full_state())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for number, name in enumerate(PLACES, 1):
            await press(pilot, str(number))
            assert name == app.current_mode
        await pilot.click("Tab", offset=(2, 0))
        await settle(pilot)
        assert app.current_mode == "overview"


Seen = Callable[[LocalpiApp, State], object]


def shown(app: LocalpiApp, table: str) -> list[str]:
    return [row.key for row in app.screen.query_one(f"#{table}", Rows).rows]


def come_back(state: State) -> None:
    """Change what the desk says, as if it had happened meanwhile."""
    state.health["root/intranet"] = replace(state.health["root/intranet"], state="ok")


SHOWS: dict[str, tuple[tuple[str | Callable[[State], None], ...], Seen]] = {
    **{f"everywhere.go_{name}": (("2" if name == "overview" else "1", str(number)),
                                 lambda app, _, name=name: name == app.current_mode)  # type: ignore[misc]  # one each
       for number, name in enumerate(PLACES, 1)},
    "everywhere.refresh": (
        ("3", come_back, "f5"), lambda app, _: "● ok" in str(app.screen.query_one("#bases", Rows).rows[0])
    ),
    "everywhere.copy_url": (("c",), lambda app, _: app.clipboard == INDEX_URL),
    "everywhere.setup": (("f2",), lambda app, _: isinstance(app.screen, FirstRun)),
    "everywhere.toggle_light": (("f3",), lambda app, _: app.theme == "textual-light"),
    "everywhere.help": (("question_mark",), lambda app, _: isinstance(app.screen, Keys)),
    "everywhere.leave": (("q",), lambda app, _: app._exit),
    "indexes.search": (("2", "slash", *"cor"), lambda app, _: shown(app, "projects") == ["acme-core"]),
    "cache.search": (("4", "slash", *"numpy", "down"), lambda app, _: shown(app, "cached") == ["root/pypi numpy"]),
    "cache.sort": (("4", "o", "o"), lambda app, _: shown(app, "cached")[0] == "root/intranet acme-core"),
    "log.search": (("6", "slash", *"424"), lambda app, _: shown(app, "lines") == ["5"]),
    "log.problems": (("6", "w"), lambda app, _: shown(app, "lines") == ["3", "7"]),
    "log.pause": (("6", "space"), lambda app, _: "paused" in str(app.screen.query_one("#log-panel").border_subtitle)),
    "log.copy_line": (("6", "end", "y"), lambda app, _: "fault 9f31c2aa" in app.clipboard),
    "wiring.diff": (("5", "down", "d"), lambda app, _: isinstance(app.screen, Shown)),
    "wiring.container": (("5", "t", "enter", "c"), lambda app, _: "host.docker.internal" in app.clipboard),
    "bases.collisions": (("3", "k"), lambda app, _: isinstance(app.screen, Shown)),
}  # fmt: skip
"""Action that asks the desk for no change -> keys (and what happens between them), and what is seen then."""


@pytest.mark.parametrize(
    "action", [pytest.param(action, marks=[] if action in QUICK else [pytest.mark.long]) for action in SHOWS]
)
async def test_what_only_moves_or_shows(action: str) -> None:
    """Its keys lead to what it promises, and nothing is changed."""
    steps, seen = SHOWS[action]
    state = full_state()
    app = app_on(state)
    async with app.run_test(size=(100, 30)) as pilot:
        for step in steps:
            if callable(step):
                step(state)
            else:
                await press(pilot, step)
        assert seen(app, state)
    assert state.done == []


def test_every_action_is_pressed() -> None:
    """The tables of this file miss no action of the registry, and name none that there is not."""
    assert {action.id for action in ACTIONS} == {*BY_KEY, *SHOWS}


async def test_the_first_run_from_start_to_container() -> None:
    """Each step is done in order: start, base from pip's own index, wiring, service, container line."""
    state = bare_state()
    state.found = Found("https://pypi.acme.example/simple/", "~/.pip/pip.conf", "root/acme")
    app = app_on(state)
    async with app.run_test(size=(100, 36)) as pilot:
        await press(pilot, *("enter", "enter", "y", "enter", "y", "enter", "enter"))
        assert "localpi env --for docker" in str(app.screen.query_one("#step-container .said").render())
        await press(pilot, "enter")
        assert app.screen.__class__.__name__ == "Overview"
    assert [name for name, _ in state.done] == ["start_daemon", "accept_found", "wire", "install_service"]


async def click_footer(pilot: Pilot[None], action: str) -> None:
    key = next(key for key in pilot.app.screen.query(FooterKey) if f"'{action}'" in key.action)
    assert await pilot.click(key)
    await settle(pilot)


BY_MOUSE: dict[str, tuple[Callable[[], State], type | tuple[str, tuple[Any, ...]]]] = {
    "everywhere.help": (full_state, Keys),
    "overview.wire_pip": (unwired, Shown),
    "overview.install_service": (serviceless, ("install_service", ())),
    "indexes.create_index": (full_state, Form),
    "indexes.upload": (full_state, PickFile),
    "indexes.push": (full_state, Choose),
    "indexes.remove": (full_state, Confirm),
    "bases.add_base": (full_state, AddBase),
    "bases.test_base": (full_state, ("test_base", ("root/intranet",))),
    "cache.pin": (full_state, ("pin", ("torch", True))),
    "wiring.unwire": (full_state, Shown),
    "log.why": (full_state, Shown),
}
"""Action to the state it begins in, and the dialog that its name in the footer opens, or what it asks of the desk."""


@pytest.mark.long
async def test_the_footer_by_mouse() -> None:
    """A click on its name in the footer is as good as the key; one program does all of one state."""
    for make_state in dict.fromkeys(row[0] for row in BY_MOUSE.values()):
        state = make_state()
        app = app_on(state)
        async with app.run_test(size=(140, 30)) as pilot:
            for action, (of_state, expected) in BY_MOUSE.items():
                if of_state is not make_state:
                    continue
                place = action.partition(".")[0]
                await press(pilot, str(PLACES.index(place) + 1) if place in PLACES else "1")
                await click_footer(pilot, action)
                if isinstance(expected, type):
                    assert isinstance(app.screen, expected), action
                    await press(pilot, "escape")
                else:
                    assert state.done[-1] == expected


async def test_by_mouse() -> None:
    """Rows are selected, the footer and the buttons of dialogs are pressed."""
    state = full_state()
    app = app_on(state)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.click("#copy")
        await settle(pilot)
        assert app.clipboard == INDEX_URL
        await press(pilot, "4")
        await pilot.click("#cached", offset=(5, 3))
        await settle(pilot)
        assert app.screen.query_one("#cached", Rows).cursor == 2
        await press(pilot, "x")
        await pilot.click("#accept")
        await settle(pilot)
    assert state.done == [("evict", ("pandas",))]


async def test_the_daemon_goes_and_comes_back() -> None:
    """The place on screen says so, and shows everything again by itself."""
    state = full_state()
    app = app_on(state)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "3")
        rows = app.screen.query_one("#bases", Rows)
        state.running = False
        await app.look_now()
        await settle(pilot)
        assert "not running" in str(app.screen.query_one("#daemon").render())
        state.running = True
        await app.look_now()
        await settle(pilot)
        assert [row.key for row in rows.rows] == ["root/intranet", "root/pypi"]
        assert "1 base away" in str(app.screen.query_one("#daemon").render())


async def test_the_palette_finds_actions() -> None:
    """A part of a label leads to the action."""
    state = full_state()
    app = app_on(state)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "4")
        await pilot.press("ctrl+p", *"verify")
        await pilot.pause(0.5)
        await press(pilot, "enter")
        await pilot.pause()
        await settle(pilot)
    assert state.done == [("verify", ())]


def test_every_action_has_a_deed() -> None:
    """An id names a coroutine function of one argument; keys of a place do not hide each other."""
    for action in ACTIONS:
        group, _, name = action.id.partition(".")
        deed = getattr(import_module(f"localpi.tui.deeds.{group}"), name)
        assert iscoroutinefunction(deed), action.id
        assert len(signature(deed).parameters) == 1, action.id
        assert action.tooltip.endswith("."), action.id
    for place in PLACES:
        keys = [key for group in (place, EVERYWHERE) for action in of_group(group) for key in action.key.split(",")]
        assert sorted(set(keys)) == sorted(keys), place


async def test_what_makes_no_sense_is_not_offered() -> None:
    """No service is offered where there is one, or where nothing could start it; nor wiring to what is wired."""
    for make_state, kind, expected in (
        (full_state, "systemd", []),
        (serviceless, "systemd", ["Install service"]),
        (serviceless, "", []),
        (unwired, "systemd", ["Wire pip"]),
    ):
        state = make_state()
        state.manager = kind
        app = app_on(state)
        async with app.run_test(size=(100, 30)) as pilot:
            await settle(pilot)
            offered = [key.description for key in app.screen.query(FooterKey)]
        assert [name for name in offered if name in {"Install service", "Wire pip"}] == expected
