"""What can be done with indexes and what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.widgets import Input

from localpi.remote.told import Meter
from localpi.reports import plural
from localpi.tui import wording
from localpi.tui.deeds.changes import edit
from localpi.tui.dialogs.choose import Choose
from localpi.tui.dialogs.confirm import Confirm
from localpi.tui.dialogs.form import Form
from localpi.tui.dialogs.pick_file import PickFile
from localpi.tui.dialogs.shown import Shown, labelled
from localpi.tui.index_keys import NAME, TYPE, Field, fields_of
from localpi.tui.place import NotForThis, NothingSelected
from localpi.tui.widgets.index_tree import IndexTree
from localpi.tui.widgets.release_rows import file_of
from localpi.tui.widgets.rows import Rows

if TYPE_CHECKING:
    from localpi.tui.place import Place
    from localpi.tui.places.indexes import Indexes

METER_S = 0.5


async def search(place: Indexes) -> None:
    """Go to the search."""
    place.query_one(Input).focus()


async def create_index(place: Indexes) -> None:
    """Create an index: its name and type, then its settings."""
    head = await place.room.push_screen_wait(Form("New index", (NAME, TYPE), yes="Go on"))
    if head is None:
        return
    name, kind = head["name"], head["type"]
    known = tuple(row.name for row in place.all_indexes())
    values = {"bases": "root/pypi" if "root/pypi" in known else ""}
    settings = await place.room.push_screen_wait(Form(f"New {kind} {name}", fields_of(kind), values, yes="Create"))
    if settings is not None:
        given = {key: value for key, value in settings.items() if value}
        await place.ask(place.room.desk.indexes.create_index, name, {"type": kind, **given})
        place.and_reload(f"{kind} {name}", "Index created")


async def edit_index(place: Indexes) -> None:
    """Change the settings of the selected index."""
    await edit(place, place.index())


async def delete_index(place: Indexes) -> None:
    """Delete the selected index with its files."""
    row = place.index()
    held = await place.ask(place.room.desk.packages.projects, row.name)
    users = [other.name for other in place.all_indexes() if row.name in other.bases]
    question = f"{plural(len(held), 'project')} in it will be gone for good." if held else "It holds nothing."
    question += f" It is a base of {', '.join(users)}." if users else ""
    if await place.room.push_screen_wait(Confirm(f"Delete {row.name}?", question, yes="Delete")):
        await place.ask(place.room.desk.indexes.delete_index, row.name)
        place.and_reload(row.name, "Index deleted")


async def base_up(place: Indexes) -> None:
    """Ask the selected base earlier."""
    await _move_base(place, -1)


async def base_down(place: Indexes) -> None:
    """Ask the selected base later."""
    await _move_base(place, 1)


async def _move_base(place: Indexes, by: int) -> None:
    spot = place.query_one(IndexTree).here
    owner = next((row for row in place.all_indexes() if spot and row.name == spot.base_of), None)
    if spot is None or owner is None or spot.index not in owner.bases:
        raise NothingSelected("a base of its own, below an index,")
    bases = list(owner.bases)
    at = bases.index(spot.index)
    to = max(0, min(at + by, len(bases) - 1))
    bases.insert(to, bases.pop(at))
    if to != at:
        await place.ask(place.room.desk.indexes.change_index, owner.name, {"bases": ",".join(bases)})
        place.and_reload(", ".join(bases), f"Bases of {owner.name}")


async def resolution(place: Indexes) -> None:
    """Change between first and merge."""
    row = place.index()
    if row.type != "stage":
        raise NotForThis(f"{row.name} is a mirror: it has no bases", "select a stage in the tree, then o")
    wanted = "first" if row.setting("resolution") == "merge" else "merge"
    await place.ask(place.room.desk.indexes.change_index, row.name, {"resolution": wanted})
    meaning = {"first": "The first base that has a project answers.", "merge": "The files of all mirrors are listed."}
    place.and_reload(meaning[wanted], f"{row.name}: resolution {wanted}")


async def details(place: Indexes) -> None:
    """Show metadata and description of the selected release."""
    release = place.release()
    named = file_of(place.query_one("#releases", Rows).key)
    file = next((file for file in release.files if file.filename == named), None)
    file = file or next((file for file in release.files if file.filename.endswith(".whl")), release.files[0])
    found = await place.ask(place.room.desk.packages.metadata, file.path)
    rows = [("File", file.filename), ("Index", file.index), *found.fields]
    await place.room.push_screen_wait(
        Shown(f"{place.project()} {release.version}", labelled(rows, below=found.description))
    )


async def upload(place: Indexes) -> None:
    """Upload a file to the selected index."""
    row = place.index()
    if row.type != "stage":
        raise NotForThis(f"{row.name} is a mirror: it takes no uploads", "select a stage in the tree, then u")
    file = await place.room.push_screen_wait(PickFile(row.name, Path.cwd()))
    if file is None:
        return
    meter, panel = Meter(), place.query_one("#files")
    timer = place.set_interval(METER_S, lambda: setattr(panel, "border_subtitle", _far(meter)))
    try:
        await place.room.calls.long(place.room.desk.packages.upload, row.name, file, meter)
    finally:
        timer.stop()
        panel.border_subtitle = ""
    place.and_reload(f"{file.name} is on {row.name}", "Uploaded")


def _far(meter: Meter) -> str:
    return f"uploading {wording.size(meter.done)} of {wording.size(meter.total)}"


async def push(place: Indexes) -> None:
    """Copy the selected release to another index."""
    row, project, version = place.index(), place.project(), place.release().version
    stages = [other.name for other in place.all_indexes() if other.type == "stage" and other.name != row.name]
    if not stages:
        raise NotForThis("there is no other stage to push to", "n makes one")
    target = await place.room.push_screen_wait(
        Choose(f"Push {project} {version} to", [(name, "") for name in stages], intro=f"From {row.name}.")
    )
    if target is not None:
        said = await place.ask(place.room.desk.packages.push, row.name, project, version, target)
        place.and_reload(said, f"{project} {version} is on {target}")


REASON = Field("reason", "Reason", "Shown by installers that take it nevertheless; may be empty.")


async def yank(place: Indexes) -> None:
    """Yank the selected release, or take the yank back."""
    row, project, release = place.index(), place.project(), place.release()
    if row.type != "stage":
        raise NotForThis(f"{row.name} is a mirror: its upstream says what is yanked", "select a stage in the tree")
    reason: str | None = None
    if release.yanked is None:
        intro = "Installers take a yanked release only when that very version is asked for."
        found = await place.room.push_screen_wait(
            Form(f"Yank {project} {release.version}", (REASON,), yes="Yank", intro=intro)
        )
        if found is None:
            return
        reason = found["reason"]
    await place.ask(place.room.desk.packages.yank, row.name, project, release.version, reason)
    place.and_reload(f"on {row.name}", f"{project} {release.version}: {'unyanked' if reason is None else 'yanked'}")


async def remove(place: Indexes) -> None:
    """Remove the selected release."""
    release = place.release()
    question = f"{plural(len(release.files), 'file')} will be gone for good from {place.index().name}."
    await _remove(place, release.version, f"{place.project()} {release.version}", question)


async def remove_project(place: Indexes) -> None:
    """Remove all releases of the selected project."""
    question = f"Every release of it will be gone for good from {place.index().name}."
    await _remove(place, None, place.project(), question)


async def _remove(place: Indexes, version: str | None, what: str, question: str) -> None:
    row, project = place.index(), place.project()
    if row.type != "stage":
        raise NotForThis(
            f"{row.name} is a mirror: its upstream says what it has", "4, then x takes it out of the cache"
        )
    if await place.room.push_screen_wait(Confirm(f"Remove {what}?", question, yes="Remove")):
        await place.ask(place.room.desk.packages.remove, row.name, project, version)
        place.and_reload(f"from {row.name}", f"{what} removed")


async def why(place: Indexes) -> None:
    """Explain where the selected project comes from."""
    await show_why(place, place.index().name, place.project())


async def show_why(place: Place, index: str, project: str) -> None:
    """Show why a project is answered as it is."""
    found = await place.ask(place.room.desk.log.why, index, project)
    rows = [("Index", index), ("Answer", found.answer)]
    await place.room.push_screen_wait(Shown(f"Why {project}", labelled(rows, below="\n".join(found.lines))))
