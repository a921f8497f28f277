"""Wiring one file: looked at, planned, shown, then written together with the record that takes it back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from localpi.wiring import ini_text, toml_text
from localpi.wiring.difference import show_difference
from localpi.wiring.edits import NotEditable, decode
from localpi.wiring.files import Seen, look, write
from localpi.wiring.pip_files import pip_files, read_pip_file
from localpi.wiring.records import Record, Records
from localpi.wiring.wish import pip_trusts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from localpi.wiring.edits import Change
    from localpi.wiring.places import Place
    from localpi.wiring.wish import Wish


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would be written; nothing has been yet."""

    place: Place
    wish: Wish
    seen: Seen
    text: str = field(repr=False)
    """The whole file as it shall be; has the token in it."""
    mode: int
    base: bytes | None = field(repr=False)
    """What taking it back leaves: the file without anything of ours."""
    base_mode: int | None
    changes: tuple[Change, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    made_folders: tuple[Path, ...] = ()

    @property
    def changed(self) -> bool:
        """Return whether the file is different from what it shall be."""
        return self.text.encode() != (self.seen.data or b"") or self.mode != (self.seen.mode or self.mode)

    @property
    def difference(self) -> str:
        """A unified diff without secrets; empty when nothing changes."""
        before = (self.seen.data or b"").decode("utf-8", "replace")
        return show_difference(str(self.place.path), before, self.text)


def prepare(place: Place, wish: Wish, records: Records) -> Prepared:
    """Plan the wiring of one file; raises NotEditable (with the file's name in it), OSError.

    What we did before is taken back first, on paper: so wiring twice, or to another index, is undone in one step.
    """
    with naming(place.path):
        seen = look(place.path)
        decode(seen.data or b"")
        base, base_mode, made = _without_ours(seen, records.get(place.path))
        plan = place.plan(decode(base or b""), wish)
    mode = seen.mode if seen.mode is not None else place.mode
    if place.secret and wish.token:
        mode &= 0o600
    return Prepared(place, wish, seen, plan.text, mode, base, base_mode, plan.changes, plan.notes, made)


def commit(prepared: Prepared, records: Records) -> None:
    """Write the file; raises NotEditable, OSError and leaves everything as it was.

    The record is on the disk first: a crash in between leaves a record of what has not happened, which does no harm.
    """
    place = prepared.place
    old = records.get(place.path)
    if not prepared.changed and (old is not None or prepared.seen.data is None):
        return
    record = Record(
        tool=place.tool,
        path=place.path,
        scope=place.scope,
        form=place.form,
        before=prepared.base,
        before_mode=prepared.base_mode,
        after=prepared.text.encode(),
        after_mode=prepared.mode,
        changes=prepared.changes,
        made_folders=prepared.made_folders,
        index=prepared.wish.index,
        url=prepared.wish.url,
        token=prepared.wish.token if place.secret else None,
    )
    records.put(record)
    if not prepared.changed:
        return  # it has been so before us, and undoing leaves it so
    try:
        with naming(place.path):
            made = write(prepared.seen, record.after, prepared.mode)
    except BaseException:
        if old is None:
            records.drop(place.path)
        else:
            records.put(old)
        raise
    if made:
        records.put(replace(record, made_folders=made))


def with_trust_from_below(place: Place, wish: Wish, environ: Mapping[str, str], platform: str) -> Wish:
    """Return the wish with what pip trusts by files of lower rank, where a list of our own would hide that."""
    if place.tool != "pip" or pip_trusts(wish.host):
        return wish
    trusted: tuple[str, ...] = ()
    for file in pip_files(environ, platform):
        if file.path == place.path:
            break
        values = read_pip_file(file)
        found = (values.value("trusted-host") if values else None) or ""
        trusted = tuple(found.split()) or trusted
    return replace(wish, trusted_below=trusted)


def _without_ours(seen: Seen, record: Record | None) -> tuple[bytes | None, int | None, tuple[Path, ...]]:
    """Return bytes and mode of the file as it would be without us, and the folders that were made for it."""
    if record is None or seen.data is None:
        return seen.data, seen.mode, ()
    if seen.data == record.after:
        return record.before, mode_before(seen, record), record.made_folders
    if seen.data == record.before:
        return seen.data, seen.mode, ()
    text, _ = withdraw(decode(seen.data), record)
    if record.before is None and not text.strip():  # taking it back would take the file away, too
        return None, record.before_mode, record.made_folders
    return text.encode(), mode_before(seen, record), ()


def withdraw(text: str, record: Record) -> tuple[str, tuple[str, ...]]:
    """Take our lines out of a text that has changed since; raises NotEditable."""
    if record.form == "ini":
        return ini_text.withdraw(text, record.changes)
    return toml_text.withdraw(text, record.changes)


def mode_before(seen: Seen, record: Record) -> int | None:
    """Return the mode to go back to: the old one, unless it has been changed since."""
    return record.before_mode if seen.mode == record.after_mode else seen.mode


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name in front of what is said about it."""
    try:
        yield
    except NotEditable as refused:
        refused.args = (f"{path}: {refused}",)
        raise
