"""What can be done with the offline cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from localpi.remote.told import Meter
from localpi.reports import plural
from localpi.tui import wording
from localpi.tui.dialogs.confirm import Confirm
from localpi.tui.dialogs.form import Form
from localpi.tui.dialogs.shown import Shown, labelled
from localpi.tui.index_keys import Field
from localpi.tui.places.cache import METER_S, SORTS

if TYPE_CHECKING:
    from localpi.tui.places.cache import Cache


async def search(place: Cache) -> None:
    """Go to the search."""
    place.query_one(Input).focus()


async def sort(place: Cache) -> None:
    """Sort by the next of the orders."""
    orders = list(SORTS)
    place.order = orders[(orders.index(place.order) + 1) % len(orders)]
    place.show()


async def pin(place: Cache) -> None:
    """Pin the selected project, or let go of it."""
    row = place.selected()
    await place.ask(place.room.desk.cache.pin, row.project, pinned=not row.pinned)
    said = "It may go when room is needed." if row.pinned else "It stays whatever the budget."
    place.and_reload(said, f"{row.project}: {'let go' if row.pinned else 'pinned'}")


async def evict(place: Cache) -> None:
    """Take the files of the selected project out of the cache."""
    row = place.selected()
    question = (
        f"{plural(row.files, 'file')}, {wording.size(row.bytes)}. Without a network {row.project} will not"
        " install any more; with one, its files come again when they are asked for."
    )
    if await place.room.push_screen_wait(Confirm(f"Evict {row.project}?", question, yes="Evict")):
        freed = await place.ask(place.room.desk.cache.evict, row.project)
        place.and_reload(f"{wording.size(freed)} freed", f"{row.project} evicted")


async def verify(place: Cache) -> None:
    """Hash every file again, with a bar."""
    meter = Meter()
    place.follow(meter)
    timer = place.set_interval(METER_S, lambda: place.follow(meter))
    try:
        wrong = await place.room.calls.long(place.room.desk.cache.verify, meter)
    finally:
        timer.stop()
        place.follow(None)
    if wrong:
        shown = labelled([(str(at), line) for at, line in enumerate(wrong, 1)])
        await place.room.push_screen_wait(Shown("What is wrong", shown, copied="\n".join(wrong)))
    else:
        place.room.tell(f"{plural(meter.done, 'file')} looked at", title="All files are what they were")


async def budget(place: Cache) -> None:
    """Say how much the cache may take."""
    use = await place.ask(place.room.desk.cache.cache_use)
    field = Field("size", "Budget", "A size such as 500MB or 20GiB; 0: as much as there is.")
    now = wording.size(use.budget).replace(" ", "") if use.budget else "0"
    intro = f"It takes {wording.size(use.bytes)} now. Pinned projects and your own uploads never go."
    found = await place.room.push_screen_wait(Form("Budget of the cache", (field,), {"size": now}, intro=intro))
    if found is not None:
        place.and_reload(await place.ask(place.room.desk.cache.set_budget, found["size"]), "Budget")
