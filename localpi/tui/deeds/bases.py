"""What can be done with mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.settings.values import mask_userinfo
from localpi.tui import wording
from localpi.tui.deeds.changes import edit
from localpi.tui.dialogs.add_base import AddBase
from localpi.tui.dialogs.choose import Choose
from localpi.tui.dialogs.confirm import Confirm
from localpi.tui.dialogs.form import Form
from localpi.tui.dialogs.shown import Shown, labelled
from localpi.tui.index_keys import MIRROR, Field

if TYPE_CHECKING:
    from localpi.tui.place import Place
    from localpi.tui.places.bases import Bases

MODES = (
    ("auto", "offline while it cannot be reached"),
    ("on", "never contact it: only what is here is offered"),
    ("off", "always contact it: everything is offered"),
)


async def add_base(place: Place) -> None:
    """Add a mirror, after a look at its URL."""
    rows = await place.ask(place.room.desk.indexes.index_rows)
    stages = tuple(row.name for row in rows if row.type == "stage")
    default = "/".join(place.room.status.index_url.split("/")[3:5]) if place.room.status else ""
    taken = frozenset(row.name for row in rows)
    wanted = await place.room.push_screen_wait(AddBase(stages, default, taken))
    if wanted is not None:
        base, user, password = wanted
        await place.ask(place.room.desk.bases.add_base, base, user, password)
        where = f"a base of {base.index}" if base.index else "no base of any index yet"
        place.and_reload(f"{mask_userinfo(base.url)}: {where}", f"{base.name} added")
        place.room.look()


async def edit_base(place: Bases) -> None:
    """Change the settings of the selected mirror."""
    name = place.selected().health.index
    rows = await place.ask(place.room.desk.indexes.index_rows)
    row = next((row for row in rows if row.name == name), None)
    if row is not None:
        await edit(place, row)


async def test_base(place: Bases) -> None:
    """Ask the selected base whether it is there."""
    name = place.selected().health.index
    health = await place.ask(place.room.desk.bases.test_base, name)
    word, tone = wording.state(health.state)
    place.room.tell(health.reason or "It answers.", title=f"{name}: {word}",
                    severity="information" if tone == "good" else "warning")  # fmt: skip
    place.reload()
    place.room.look()


async def offline(place: Bases) -> None:
    """Choose whether the selected base is contacted."""
    health = place.selected().health
    chosen = await place.room.push_screen_wait(Choose(f"{health.index} offline", MODES, now=health.offline))
    if chosen is not None:
        await place.ask(place.room.desk.bases.set_offline, health.index, chosen)
        place.and_reload(dict(MODES).get(chosen, ""), f"{health.index}: offline {chosen}")


async def claims(place: Bases) -> None:
    """Say which names belong to the selected base alone."""
    base = place.selected()
    field = next(field for field in MIRROR if field.key == "claims")
    intro = "A name that matches is asked of this base and of no other, also while it is away."
    found = await place.room.push_screen_wait(
        Form(f"Claims of {base.health.index}", (field,), {"claims": ",".join(base.claims)}, intro=intro)
    )
    if found is not None:
        await place.ask(place.room.desk.indexes.change_index, base.health.index, {"claims": found["claims"]})
        place.and_reload(found["claims"] or "none", f"Claims of {base.health.index}")


CREDENTIALS = (
    Field("user", "User", "As the upstream knows it; __token__ for a token.", needed=True),
    Field("password", "Password or token", "Kept in a file that only you can read.", secret=True),
)


async def credentials(place: Bases) -> None:
    """Set user and password for the selected base."""
    name = place.selected().health.index
    found = await place.room.push_screen_wait(Form(f"Credentials for {name}", CREDENTIALS))
    if found is not None:
        await place.ask(place.room.desk.bases.set_credentials, name, found["user"], found["password"])
        place.and_reload("They are used from now on.", f"Credentials for {name}")


async def collisions(place: Bases) -> None:
    """Show names that several mirrors have."""
    found = await place.ask(place.room.desk.bases.collisions)
    if not found:
        place.room.tell("No name has been seen on more than one mirror.", title="No collisions")
        return
    rows = [(collision.project, ", ".join(collision.indexes)) for collision in found]
    below = "The first base that has a name answers for it. Claims (l) say whose a name is."
    await place.room.push_screen_wait(Shown("Names that several mirrors have", labelled(rows, below=below)))


async def remove_base(place: Bases) -> None:
    """Remove the selected mirror."""
    base = place.selected()
    name = base.health.index
    used = f" It is a base of {', '.join(base.used_by)}, and will be no more." if base.used_by else ""
    question = f"What is cached of it is forgotten: {mask_userinfo(base.url)}.{used}"
    if await place.room.push_screen_wait(Confirm(f"Remove {name}?", question, yes="Remove")):
        await place.ask(place.room.desk.bases.remove_base, name)
        place.and_reload("Its projects are not offered any more.", f"{name} removed")
        place.room.look()
