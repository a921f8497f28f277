"""INI files as pip and twine read them, changed line by line. Pure: text in, text out.

What comes out is read by their own parser again: what was meant has changed, and nothing else.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from localpi.wiring.edits import Change, Edit, NotEditable, line_end, padding
from localpi.wiring.ini_pieces import Piece, Values, is_comment, join, own_values, read_values, take_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

INDENT = "    "


def edit(text: str, edits: Iterable[Edit]) -> tuple[str, tuple[Change, ...]]:
    """Return the new text and what was done, in order; raises NotEditable."""
    pieces = take_apart(text)
    expected = own_values(text)
    changes = []
    for wish in edits:
        change = _one(pieces, wish)
        if change is not None:
            changes.append(change)
            _expect(expected, change)
    return _checked(pieces, expected), tuple(changes)


def withdraw(text: str, changes: Sequence[Change]) -> tuple[str, tuple[str, ...]]:
    """Take back what is still there of `changes`; returns the text and sentences on what was left alone."""
    pieces = take_apart(text)
    expected = own_values(text)
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
    text = join(pieces)
    end = line_end(text)
    made = not any(piece.kind == "header" and piece.section == section for piece in pieces)
    if made and pieces and not text.endswith("\n"):
        pieces[-1] = replace(pieces[-1], raw=pieces[-1].raw + end)
    pad = padding(join(pieces)) if made else ""
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
        pieces[inside[-1]] = replace(last, raw=last.raw + line_end(join(pieces)))
    pieces.insert(inside[-1] + 1, new)


def _with_value(old: Piece, value: str) -> Piece:
    """Return the option with another value: spelling, delimiter, spacing and the end of its lines stay."""
    head = re.match(r"[ \t]*[^=:\n]*?[ \t]*[=:][ \t]*", old.raw)
    start = head.group() if head else f"{old.key} = "
    if start.endswith(("=", ":")) and not re.match(r"[^=:]*[=:]\S", old.raw):
        start += " "
    found = re.search(r"(\r?\n)?\Z", old.raw)
    end = found.group() if found else ""
    inside = "".join(line for line in io.StringIO(old.raw, newline="\n") if is_comment(line))
    if "\n" in value:
        start, value = start.rstrip(), "".join(f"{line_end(old.raw)}{INDENT}{line}" for line in value.split())
    return replace(old, raw=start + value + (end or (line_end(old.raw) if inside else "")) + inside, value=value)


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
    if now.raw.strip() == (change.after or "").strip() or (
        not change.word and now.value.split() == change.value.split()
    ):
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
    inside = "".join(line for line in io.StringIO(change.before, newline="\n") if is_comment(line))
    if inside and at + 1 < len(pieces) and pieces[at + 1].raw.startswith(inside):
        pieces[at + 1] = replace(pieces[at + 1], raw=pieces[at + 1].raw.removeprefix(inside))
    pieces[at] = replace(pieces[at], raw=change.before)
    expected[change.section[0]][change.key] = _value_of(pieces[at])


def _put_back(pieces: list[Piece], change: Change, expected: Values) -> str:
    section, raw = change.section[0], change.before or ""
    if section not in expected:
        text = join(pieces)
        pieces.append(Piece("other", "", padding(text)))
        pieces.append(Piece("header", section, f"[{section}]{line_end(text)}"))
        expected[section] = {}
    piece = Piece("option", section, raw if raw.endswith("\n") else raw + line_end(join(pieces)), change.key)
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
    """Take the header out that was made here when nothing is left below it, and the empty line put before it."""
    inside = [n for n, piece in enumerate(pieces) if piece.section == section]
    header = next((n for n in inside if pieces[n].kind == "header"), None)
    if header is None or any(n > header and (pieces[n].kind == "option" or pieces[n].raw.strip()) for n in inside):
        return
    pieces[header:] = [
        replace(piece, section="") if piece.section == section else piece for piece in pieces[header + 1 :]
    ]
    if padded and header and pieces[header - 1].kind == "other":
        before = pieces[header - 1]
        shorter = re.sub(r"(\A|\n)[ \t]*\r?\n\Z", r"\1", before.raw)
        pieces[header - 1] = replace(before, raw=shorter)


# -- looking and checking -------------------------------------------------------------------------------------------


def _find(pieces: list[Piece], section: str, key: str) -> int | None:
    found = (n for n, p in enumerate(pieces) if p.kind == "option" and (p.section, p.key) == (section, key))
    return next(found, None)


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
    text = join(pieces)
    if own_values(text) != expected:
        raise NotEditable("a change would mean something else to its reader than to us")
    return text
