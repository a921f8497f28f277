"""Changing the settings of an index, from wherever a person is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.tui.dialogs.form import Form
from localpi.tui.index_keys import fields_of

if TYPE_CHECKING:
    from localpi.remote.told import IndexRow
    from localpi.tui.place import Place


async def edit(place: Place, row: IndexRow) -> None:
    """Show the form of an index and send what was changed in it."""
    fields = fields_of(row.type)
    shown = {field.key: row.setting(field.key) or (field.choices[0] if field.choices else "") for field in fields}
    found = await place.room.push_screen_wait(Form(f"Settings of {row.name} ({row.type})", fields, shown))
    changed = {key: value for key, value in (found or {}).items() if value != shown[key]}
    if found is not None and not changed:
        place.room.tell("Everything is as it was.", title=row.name)
    elif changed:
        await place.ask(place.room.desk.indexes.change_index, row.name, changed)
        place.and_reload(", ".join(f"{key} = {value or 'not set'}" for key, value in changed.items()), row.name)
