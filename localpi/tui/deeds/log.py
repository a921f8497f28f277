"""What can be done with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Input

from localpi.tui.deeds.indexes import show_why
from localpi.tui.dialogs.shown import Shown
from localpi.tui.wording import plain

if TYPE_CHECKING:
    from localpi.tui.places.log import Log


async def search(place: Log) -> None:
    """Go to the filter."""
    place.query_one(Input).focus()


async def pause(place: Log) -> None:
    """Stop the lines, or let them go on."""
    place.paused = not place.paused
    place.say_state()
    if not place.paused:
        place.reload()


async def problems(place: Log) -> None:
    """Show warnings and errors alone, or all."""
    place.problems = not place.problems
    place.show()


async def why(place: Log) -> None:
    """Explain the selected line: why its project was answered so, or the whole of it."""
    line = place.selected()
    if line.project:
        await show_why(place, line.index, line.project)
    else:
        text = f"{line.at} {line.level} {line.room}\n\n{plain(line.text)}"
        await place.room.push_screen_wait(Shown("Line", Content(text), copied=line.text))


async def copy_line(place: Log) -> None:
    """Copy the selected line."""
    line = place.selected()
    place.room.copy_to_clipboard(f"{line.at} {line.level} {line.room}: {line.text}")
    place.room.tell(line.text[:200], title="Copied")
