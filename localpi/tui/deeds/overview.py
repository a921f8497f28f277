"""What can be done on the overview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.tui.deeds.wiring import wire_tool
from localpi.tui.dialogs.confirm import Confirm

if TYPE_CHECKING:
    from localpi.tui.place import Place


async def install_service(place: Place) -> None:
    """Have the daemon started at login."""
    running = place.room.desk.running
    state = await place.ask(running.service_state)
    if state.installed:
        place.room.tell(state.detail, title="The service is installed already")
        return
    said = await place.room.calls.long(running.install_service)
    place.and_reload(said, "Service installed")


async def remove_service(place: Place) -> None:
    """Start it at login no longer."""
    question = "The daemon will not be started at login any more. Packages and settings stay."
    if await place.room.push_screen_wait(Confirm("Remove the service?", question, yes="Remove")):
        said = await place.room.calls.long(place.room.desk.running.remove_service)
        place.and_reload(said, "Service removed")


async def wire_pip(place: Place) -> None:
    """Have pip install from here."""
    await wire_tool(place, "pip")
