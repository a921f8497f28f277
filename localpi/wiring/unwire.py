"""Taking it back: to the very bytes where nobody has touched the file since, else only our lines go.

Needs neither daemon nor settings nor database, only the records and the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from localpi.wiring.difference import show_difference
from localpi.wiring.edits import decode
from localpi.wiring.files import Seen, look, remove, write
from localpi.wiring.pip import forget_plan
from localpi.wiring.wire import mode_before, naming, withdraw

if TYPE_CHECKING:
    from pathlib import Path

    from localpi.wiring.records import Record, Records


class Undo(Enum):
    """What taking it back comes to."""

    EXACT = "restored"
    """Byte for byte what it was."""
    OURS_ONLY = "our lines removed"
    """The file has been edited since; what was edited stays."""
    NOTHING = "nothing to undo"
    """The file is gone, or has none of ours any more."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What would be done; nothing has been yet."""

    tool: str
    path: Path
    seen: Seen
    kind: Undo
    data: bytes | None = field(repr=False)
    """None takes the file away."""
    mode: int
    made_folders: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def difference(self) -> str:
        """A unified diff without secrets; empty when nothing changes."""
        if self.kind is Undo.NOTHING:
            return ""
        old, new = (data.decode("utf-8", "replace") for data in (self.seen.data or b"", self.data or b""))
        return show_difference(str(self.path), old, new)


def plan_undo(record: Record) -> Undoing:
    """Look at the file and say what taking it back would do; raises NotEditable, OSError."""
    with naming(record.path):
        seen = look(record.path)
        mode = mode_before(seen, record) or record.after_mode
        if seen.data is None or seen.data == record.before:
            notes: tuple[str, ...] = ()
            if seen.data is None and record.before is not None:
                notes = ("the file is gone",)
            elif seen.data == record.after:
                notes = ("it named this index before it was wired; the same command once more takes that out too",)
            return Undoing(record.tool, record.path, seen, Undo.NOTHING, seen.data, mode, (), notes)
        if seen.data == record.after:
            folders = record.made_folders
            return Undoing(record.tool, record.path, seen, Undo.EXACT, record.before, mode, folders)
        text, notes = withdraw(decode(seen.data), record)
        notes = ("it has been edited since it was wired: only localpi's lines go", *notes)
        ours_alone = record.before is None and not text.strip()
        data = None if ours_alone else text.encode()
        return Undoing(record.tool, record.path, seen, Undo.OURS_ONLY, data, mode, record.made_folders, notes)


def carry_out(undoing: Undoing, records: Records) -> None:
    """Do it and forget the record; raises NotEditable, OSError."""
    with naming(undoing.path):
        if undoing.kind is not Undo.NOTHING:
            if undoing.data is None:
                remove(undoing.seen, undoing.made_folders)
            elif undoing.data != undoing.seen.data or undoing.mode != undoing.seen.mode:
                write(undoing.seen, undoing.data, undoing.mode)
    records.drop(undoing.path)


def plan_forgetting(path: Path, port: int | None = None) -> Undoing | None:
    """Return how to take out of a pip.conf what looks like ours and has no record; None when nothing does.

    With `port`, of a daemon on that port alone.
    """
    with naming(path):
        seen = look(path)
        if seen.data is None or seen.mode is None:
            return None
        plan = forget_plan(decode(seen.data), port)
        if not plan.changes:
            return (
                Undoing("pip", path, seen, Undo.NOTHING, seen.data, seen.mode, (), plan.notes) if plan.notes else None
            )
        return Undoing("pip", path, seen, Undo.OURS_ONLY, plan.text.encode(), seen.mode, (), plan.notes)
