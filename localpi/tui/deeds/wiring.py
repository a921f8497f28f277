"""What can be done with the tools that install from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.tui.dialogs.choose import Choose
from localpi.tui.dialogs.shown import Shown, difference, to_paste

if TYPE_CHECKING:
    from localpi.tui.place import Place
    from localpi.tui.places.wiring import Wiring


async def wire(place: Wiring) -> None:
    """Wire the selected tool."""
    await wire_tool(place, place.selected().name)


async def wire_tool(place: Place, tool: str) -> bool:
    """Show what would be written, and write it when a person agrees; returns whether it was."""
    return await _change(place, tool, undo=False)


async def unwire(place: Wiring) -> None:
    """Take it back, after a look at the diff."""
    await _change(place, place.selected().name, undo=True)


async def diff(place: Wiring) -> None:
    """Show what wiring would change."""
    tool = place.selected().name
    plan = await place.ask(place.room.desk.wiring.plan_wiring, tool)
    await place.room.push_screen_wait(Shown(f"Wiring {tool}", difference(plan.difference, plan.notes)))


async def container(place: Wiring) -> None:
    """Show the text for a runtime, to copy."""
    wiring = place.room.desk.wiring
    runtimes = await place.ask(wiring.runtimes)
    chosen = await place.room.push_screen_wait(
        Choose("Have it install from here", [(runtime, RUNTIMES.get(runtime, "")) for runtime in runtimes],
               intro="What shall the text be for?")
    )  # fmt: skip
    if chosen is not None:
        pasted = await place.ask(wiring.container_text, chosen)
        await place.room.push_screen_wait(Shown(f"For {chosen}", to_paste(pasted), copied=pasted.text))


RUNTIMES = {
    "shell": "variables for one shell",
    "docker": "arguments of docker run",
    "nerdctl": "arguments of nerdctl run",
    "podman": "arguments of podman run",
    "compose": "lines of a service in compose.yaml",
    "dockerfile": "lines for a build",
    "github": "lines of a GitHub workflow",
    "gitlab": "lines of .gitlab-ci.yml",
    "nginx": "a site that stands in front of this daemon",
    "supervisor": "a program that runs this daemon",
}
"""What the text is, in a few words."""


async def _change(place: Place, tool: str, *, undo: bool) -> bool:
    wiring, what = place.room.desk.wiring, "Unwire" if undo else "Wire"
    plan = await place.ask(wiring.plan_wiring, tool, undo=undo)
    if not plan.difference:
        place.room.tell("\n".join(plan.notes) or "The file is as it shall be.", title=f"{tool}: nothing changes")
        return False
    shown = difference(plan.difference, plan.notes)
    if not await place.room.push_screen_wait(Shown(f"{what} {tool}?", shown, yes=what)):
        return False
    said = await place.ask(wiring.unwire if undo else wiring.wire, tool)
    place.and_reload(said, f"{tool}: {'unwired' if undo else 'wired'}")
    place.room.look()
    return True
