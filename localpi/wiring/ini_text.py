"""INI files as pip and twine read them, changed line by line. Pure: text in, text out.

ConfigUpdater reads (every byte ends up in one of its blocks) and never writes: it would strip blanks, end new lines by
LF in CRLF files, and put a new key behind a section's last empty line. The result is checked against what
RawConfigParser, the tools' own parser, makes of the text before and after.
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from configupdater import ConfigUpdater
from configupdater import Option as _Option
from configupdater import Section as _Section

from localpi.wiring.edits import Change, Edit, NotEditable, line_end, padding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

INDENT = "    "
Values = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole lines: a section's header, an option with all its lines, or comments and empty lines."""

    kind: Literal["header", "option", "other"]
    section: str
    raw: str
    key: str = ""
    value: str = ""


class _Updater(ConfigUpdater):
    def optionxform(self, string: str) -> str:
        return normalise(string)


def normalise(key: str) -> str:
    """Return a key as pip compares it; without this `index_url` is missed and a second key breaks pip."""
    return key.lower().replace("_", "-").removeprefix("--")


def read_values(text: str) -> Values:
    """Return section, then key, to value, as the tools' own parser has them; raises NotEditable."""
    parser = configparser.RawConfigParser()
    parser.optionxform = normalise  # type: ignore[assignment,method-assign]  # configparser's own way to set it
    try:
        parser.read_string(text)
        return {section: dict(parser.items(section)) for section in parser.sections()}
    except configparser.Error as error:
        raise NotEditable(_said(error)) from None


def edit(text: str, edits: Iterable[Edit]) -> tuple[str, tuple[Change, ...]]:
    """Return the new text and what was done, in order; raises NotEditable."""
    pieces = _pieces(text)
    expected = read_values(text)
    changes = []
    for wish in edits:
        change = _one(pieces, wish)
        if change is not None:
            changes.append(change)
            _expect(expected, change)
    return _checked(pieces, expected), tuple(changes)


def withdraw(text: str, changes: Sequence[Change]) -> tuple[str, tuple[str, ...]]:
    """Take back what is still there of `changes`; returns the text and sentences on what was left alone."""
    pieces = _pieces(text)
    expected = read_values(text)
    notes = [note for change in reversed(changes) if (note := _take_back(pieces, change, expected))]
    for change in changes:
        if change.made_section:
            _drop_if_empty(pieces, change.section[0], padded=change.padded)
            if not any(piece.section == change.section[0] for piece in pieces):
                expected.pop(change.section[0], None)
    return _checked(pieces, expected), tuple(notes)


# -- one wish -------------------------------------------------------------------------------------------------------


def _one(pieces: list[Piece], wish: Edit) -> Change | None:
    section = wish.section[0]
    at = _find(pieces, section, wish.key)
    if at is None:
        return None if wish.value is None else _add(pieces, wish)
    old = pieces[at]
    if wish.value is None:
        del pieces[at]
        return Change(wish.section, wish.key, None, old.raw, None)
    if wish.word:
        if wish.value in old.value.split():
            return None
        new = _with_word(old, wish.value)
    else:
        if old.value == wish.value:
            return None
        new = _with_value(old, wish.value)
    pieces[at] = new
    return Change(wish.section, wish.key, wish.value, old.raw, new.raw, wish.word)


def _add(pieces: list[Piece], wish: Edit) -> Change:
    section, value = wish.section[0], wish.value or ""
    text = _join(pieces)
    end = line_end(text)
    made = not any(piece.kind == "header" and piece.section == section for piece in pieces)
    pad = padding(text) if made else ""
    if made:
        if pad:
            pieces.append(Piece("other", pieces[-1].section if pieces else "", pad))
        pieces.append(Piece("header", section, f"[{section}]{end}"))
    raw = f"{wish.key} = {value}{end}".replace("= \n", "=\n").replace("= \r\n", "=\r\n")
    if "\n" in value:
        raw = f"{wish.key} =" + "".join(f"{end}{INDENT}{line}" for line in value.split()) + end
    _insert(pieces, Piece("option", section, raw, wish.key, value))
    return Change(wish.section, wish.key, wish.value, None, raw, wish.word, made, bool(pad))


def _insert(pieces: list[Piece], new: Piece) -> None:
    """Put an option behind the last one of its section, before the comments and empty lines that follow."""
    inside = [n for n, piece in enumerate(pieces) if piece.section == new.section and piece.kind != "other"]
    last = pieces[inside[-1]]
    if not last.raw.endswith("\n"):
        pieces[inside[-1]] = replace(last, raw=last.raw + line_end(_join(pieces)))
    pieces.insert(inside[-1] + 1, new)


def _with_value(old: Piece, value: str) -> Piece:
    """Return the option with another value: spelling, delimiter, spacing and the end of its lines stay."""
    head = re.match(r"[ \t]*[^=:\n]*?[ \t]*[=:][ \t]*", old.raw)
    start = head.group() if head else f"{old.key} = "
    if start.endswith(("=", ":")) and not re.match(r"[^=:]*[=:]\S", old.raw):
        start += " "
    end = re.search(r"(\r?\n)?\Z", old.raw)
    return replace(old, raw=start + value + (end.group() if end else "\n"), value=value)


def _with_word(old: Piece, word: str) -> Piece:
    lines = old.raw.splitlines(keepends=True)
    if len(lines) == 1:
        body = old.raw.rstrip()
        return replace(old, raw=f"{body} {word}{old.raw[len(old.raw.rstrip()) :].lstrip(' ' + chr(9))}")
    last = max(n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith(("#", ";")))
    indent = re.match(r"[ \t]*", lines[last])
    end = line_end(old.raw)
    if not lines[last].endswith("\n"):
        lines[last] += end
    lines.insert(last + 1, f"{(indent.group() if indent else '') or INDENT}{word}{end}")
    return replace(old, raw="".join(lines))


# -- taking it back -------------------------------------------------------------------------------------------------


def _take_back(pieces: list[Piece], change: Change, expected: Values) -> str:
    """Undo one change where it still stands; returns a sentence when it does not."""
    section, name = change.section[0], f"{change.key} in [{change.section[0]}]"
    at = _find(pieces, section, change.key)
    if change.value is None:
        if at is not None:
            return f"{name} has been set again since; it is left as it is"
        return _put_back(pieces, change, expected)
    if at is None:
        return f"{name} had already been taken out"
    now = pieces[at]
    if now.raw.strip() == (change.after or "").strip() or (not change.word and now.value == change.value):
        _restore(pieces, at, change, expected)
        return ""
    if change.word and change.value in now.value.split():
        pieces[at] = _without_word(now, change.value)
        expected[section][change.key] = _value_of(pieces[at])
        return ""
    return f"{name} has been changed since; it is left as it is"


def _restore(pieces: list[Piece], at: int, change: Change, expected: Values) -> None:
    if change.before is None:
        del pieces[at]
        expected[change.section[0]].pop(change.key, None)
        return
    pieces[at] = replace(pieces[at], raw=change.before)
    expected[change.section[0]][change.key] = _value_of(pieces[at])


def _put_back(pieces: list[Piece], change: Change, expected: Values) -> str:
    section, raw = change.section[0], change.before or ""
    if section not in expected:
        text = _join(pieces)
        pieces.append(Piece("other", "", padding(text)))
        pieces.append(Piece("header", section, f"[{section}]{line_end(text)}"))
        expected[section] = {}
    piece = Piece("option", section, raw if raw.endswith("\n") else raw + line_end(_join(pieces)), change.key)
    _insert(pieces, piece)
    expected[section][change.key] = _value_of(piece)
    return ""


def _without_word(old: Piece, word: str) -> Piece:
    kept = []
    for line in old.raw.splitlines(keepends=True):
        less = re.sub(rf"(?<![^\s=:]){re.escape(word)}[ \t]*(?=\s|\Z)", "", line)
        if less == line or less.strip():
            kept.append(less if less == line else less.rstrip() + line[len(line.rstrip()) :].lstrip(" \t"))
    return replace(old, raw="".join(kept))


def _drop_if_empty(pieces: list[Piece], section: str, *, padded: bool) -> None:
    """Take a section out that was made here and has nothing left in it, with the empty line put before it."""
    inside = [n for n, piece in enumerate(pieces) if piece.section == section]
    if any(pieces[n].kind == "option" or (pieces[n].kind == "other" and pieces[n].raw.strip()) for n in inside):
        return
    for n in reversed(inside):
        del pieces[n]
    first = inside[0] if inside else 0
    if padded and 0 < first <= len(pieces) and pieces[first - 1].kind == "other":
        before = pieces[first - 1]
        shorter = re.sub(r"(\A|\n)[ \t]*\r?\n\Z", r"\1", before.raw)
        pieces[first - 1] = replace(before, raw=shorter)


# -- the pieces -----------------------------------------------------------------------------------------------------


def _pieces(text: str) -> list[Piece]:
    updater = _Updater()
    try:
        updater.read_string(text)
    except configparser.Error as error:
        raise NotEditable(_said(error)) from None
    pieces: list[Piece] = []
    for block in updater.structure:
        if not isinstance(block, _Section):
            pieces.append(Piece("other", "", str(block)))
            continue
        pieces.append(Piece("header", block.name, "".join(block.lines)))
        for inner in block.structure:
            if isinstance(inner, _Option):
                pieces.append(Piece("option", block.name, str(inner), inner.key, inner.value or ""))
            else:
                pieces.append(Piece("other", block.name, str(inner)))
    if _join(pieces) != text:
        raise NotEditable("it cannot be taken apart and put together again byte for byte")
    return pieces


def _find(pieces: list[Piece], section: str, key: str) -> int | None:
    found = (n for n, p in enumerate(pieces) if p.kind == "option" and (p.section, p.key) == (section, key))
    return next(found, None)


def _join(pieces: Iterable[Piece]) -> str:
    return "".join(piece.raw for piece in pieces)


def _value_of(piece: Piece) -> str:
    return read_values(f"[x]\n{piece.raw}")["x"][piece.key]


def _expect(values: Values, change: Change) -> None:
    section = values.setdefault(change.section[0], {})
    if change.value is None:
        section.pop(change.key, None)
    else:
        section[change.key] = read_values(f"[x]\n{change.after}")["x"][change.key]


def _checked(pieces: list[Piece], expected: Values) -> str:
    """Return the text when the tools' parser reads in it what was meant, and nothing else has changed."""
    text = _join(pieces)
    if read_values(text) != expected:
        raise NotEditable("a change would mean something else to its reader than to us")
    return text


def _said(error: configparser.Error) -> str:
    """Return what a parser says, in one line."""
    return "its own tool cannot read it: " + re.sub(r"\s+", " ", str(error)).replace("'<string>'", "the file")
