"""The steps of the first run: each returns what came of it, None when the person changed their mind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.tui.deeds.wiring import wire_tool
from localpi.tui.dialogs.add_base import AddBase
from localpi.tui.dialogs.confirm import Confirm
from localpi.tui.place import NotForThis
from localpi.tui.tools import ENGINES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from localpi.tui.place import Place


async def start(place: Place) -> str | None:
    """Start the daemon."""
    url = await place.room.calls.long(place.room.desk.running.start_daemon)
    await place.room.look_now()
    return str(url)


async def add_base(place: Place) -> str | None:
    """Make a base of what pip already uses, or of a URL that is typed."""
    desk = place.room.desk
    found = await place.ask(desk.wiring.found_index)
    if found is not None:
        question = f"pip installs from {found.url} ({found.where}). Have localpi ask it first, as {found.mirror}?"
        if await place.room.push_screen_wait(Confirm("Use it as a base?", question, yes="Use it", danger=False)):
            return f"{await place.ask(desk.wiring.accept_found)} is the first base"
    rows = await place.ask(desk.indexes.index_rows)
    stages = tuple(row.name for row in rows if row.type == "stage")
    wanted = await place.room.push_screen_wait(AddBase(stages, "root/local", frozenset(row.name for row in rows)))
    if wanted is None:
        return None
    base, user, password = wanted
    await place.ask(desk.bases.add_base, base, user, password)
    return f"{base.name} is the first base of {base.index}" if base.index else f"{base.name} is there"


async def wire_pip(place: Place) -> str | None:
    """Wire pip, after a look at the diff."""
    return "pip install goes through localpi" if await wire_tool(place, "pip") else None


async def install_service(place: Place) -> str | None:
    """Have it started at login; raises NotForThis where nothing could."""
    state = await place.ask(place.room.desk.running.service_state)
    if not state.kind:
        raise NotForThis(
            "no systemd or launchd answers here", "the daemon runs until the next boot; localpi up starts it"
        )
    return str(await place.room.calls.long(place.room.desk.running.install_service))


async def container(place: Place) -> str | None:
    """Show the line for containers."""
    wiring = place.room.desk.wiring
    runtime = next((name for name in await place.ask(wiring.runtimes) if name in ENGINES), "docker")
    pasted = await place.ask(wiring.container_text, runtime)
    return f"{pasted.notes[0] if pasted.notes else pasted.text}\nto copy it, and for others: t on Wiring"


@dataclass(frozen=True, slots=True)
class Step:
    """What a step says and does."""

    name: str
    title: str
    about: str
    button: str
    deed: Callable[[Place], Awaitable[str | None]]
    later: str = ""
    """How to do it another time."""


STEPS = (
    Step("start", "Start the daemon", "It listens on this machine alone and keeps what it gets from PyPI.",
         "Start", start, "s on the overview starts it"),
    Step("base", "Ask an intranet index first", "Your company's, if it has one. Its names are asked of nobody else.",
         "Add a base", add_base, "n on Bases adds one"),
    Step("wire", "Have pip install from here", "One line in pip's own file. You see it first; x on Wiring undoes it.",
         "Wire pip", wire_pip, "w on the overview does it"),
    Step("service", "Start it at login", "A service of your own; nothing runs as root.",
         "Install the service", install_service, "i on the overview does it"),
    Step("container", "Have containers install from here", "One line for docker, podman or nerdctl.",
         "Show the line", container, "t on Wiring shows it"),
)  # fmt: skip
