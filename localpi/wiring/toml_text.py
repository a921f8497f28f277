"""TOML files changed in place, with their comments. Pure: text in, text out.

A new table goes to the end as text, which is valid wherever that table is not yet defined; keys of tables that are
there are tomlkit's to set. Every result is read back with tomllib: what was meant, and nothing else, has changed.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from localpi.wiring.edits import Change, Edit, NotEditable, line_end, padding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def read_values(text: str) -> dict[str, Any]:
    """Return the tables; raises NotEditable."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotEditable(f"its own tool cannot read it: {error}") from None


def value_at(values: dict[str, Any], section: Sequence[str], key: str) -> Any:
    """Return the value of a key, None when it is not there."""
    for name in section:
        inner = values.get(name)
        if not isinstance(inner, dict):
            return None
        values = inner
    return values.get(key)


def edit(text: str, edits: Iterable[Edit]) -> tuple[str, tuple[Change, ...]]:
    """Return the new text and what was done, in order; raises NotEditable."""
    changes: list[Change] = []
    new_tables: dict[tuple[str, ...], list[Edit]] = {}
    for wish in edits:
        values = read_values(text)
        old = value_at(values, wish.section, wish.key)
        if old == wish.value:
            continue
        if not _has_table(text, wish.section):
            new_tables.setdefault(wish.section, []).append(wish)
            continue
        text, before = _set(text, wish)
        after = None if wish.value is None else json.dumps(wish.value)
        changes.append(Change(wish.section, wish.key, wish.value, before, after))
    for section, wishes in new_tables.items():
        lines = [f"[{'.'.join(section)}]", *(f"{wish.key} = {_quoted(wish.value or '')}" for wish in wishes)]
        expected = read_values(text)
        for wish in wishes:
            _put(expected, section, wish.key, wish.value)
        text, change = append(text, lines, section)
        _check(text, expected)
        changes.append(change)
        changes += [Change(section, wish.key, wish.value, None, None) for wish in wishes]
    return text, tuple(changes)


def append(text: str, lines: Sequence[str], section: tuple[str, ...]) -> tuple[str, Change]:
    """Put lines at the end, behind an empty one; the caller checks what they mean there."""
    end = line_end(text)
    pad = padding(text)
    block = pad + "".join(line + end for line in lines)
    return text + block, Change(section, "", None, None, block, made_section=True, padded=bool(pad))


def withdraw(text: str, changes: Sequence[Change]) -> tuple[str, tuple[str, ...]]:
    """Take back what is still there of `changes`; returns the text and sentences on what was left alone."""
    notes: list[str] = []
    read_values(text)
    whole = {change.section for change in changes if not change.key and change.section[-1:] != ("[]",)}
    for change in reversed(changes):
        if not change.key and change.section in whole:
            shorter = _cut_whole(text, change)
            if shorter is None:
                whole.discard(change.section)
            else:
                text = shorter
    for change in reversed(changes):
        if change.section in whole:
            continue
        if change.key:
            text = _take_back(text, change, notes)
        elif change.section[-1:] == ("[]",):
            text = _cut_item(text, change, notes)
        else:
            text = _cut_table(text, change)
    return text, tuple(notes)


def _cut_whole(text: str, change: Change) -> str | None:
    """Take a table out that still is what was put at the end; None where it is not, or has more in it now."""
    raw = (change.after or "").strip()
    found = re.search(rf"(?m)^{re.escape(raw)}[ \t]*(?:\r?\n|\Z)", text)
    if found is None:
        return None
    head, tail = text[: found.start()], text[found.end() :]
    if change.padded:
        head = re.sub(r"(?<=\n)[ \t]*\r?\n\Z", "", head)
    expected = read_values(text)
    table = value_at(expected, change.section[:-1], change.section[-1])
    for key in value_at(read_values(raw), change.section[:-1], change.section[-1]):
        del table[key]
    try:
        return head + tail if _same(read_values(head + tail), expected) else None
    except NotEditable:
        return None


def _take_back(text: str, change: Change, notes: list[str]) -> str:
    name = f"{change.key} in [{'.'.join(change.section)}]" if change.section else change.key
    now = value_at(read_values(text), change.section, change.key)
    if now != change.value:
        gone = "had already been taken out" if now is None else "has been changed since; it is left as it is"
        notes.append(f"{name} {gone}")
        return text
    if change.before is None:
        return _set(text, Edit(change.section, change.key, None))[0]
    return _set(text, Edit(change.section, change.key, None), raw=change.before)[0]


def _cut_table(text: str, change: Change) -> str:
    """Take out the header of a table that was made here, when nothing is left in it."""
    values = read_values(text)
    header = (change.after or "").strip().splitlines()[0]
    empty = r"(?:^[ \t]*\r?\n)?" if change.padded else ""
    found = re.search(rf"(?m){empty}^{re.escape(header)}[ \t]*(?:\r?\n|\Z)", text)
    table = value_at(values, change.section[:-1], change.section[-1])
    if found is None or table:
        return text
    shorter = text[: found.start()] + text[found.end() :]
    expected = copy.deepcopy(values)
    _drop_table(expected, change.section)
    comments = text[found.end() :].lstrip().startswith("#")
    return shorter if not comments and _same(read_values(shorter), expected) else text


def _cut_item(text: str, change: Change, notes: list[str]) -> str:
    """Take a `[[table]]` out that was put at the end."""
    raw = (change.after or "").strip()
    values, key = read_values(text), change.section[0]
    ours = next(iter(read_values(raw).get(key, [])), None)
    at = text.replace("\r\n", "\n").find(raw.replace("\r\n", "\n"))
    items = values.get(key)
    if at < 0 or not isinstance(items, list) or ours not in items:
        notes.append(f"[[{key}]] has been changed since; it is left as it is")
        return text
    start = text.find(raw)
    if start < 0:
        notes.append(f"[[{key}]] has other line ends since; it is left as it is")
        return text
    head, tail = text[:start], text[start + len(raw) :]
    tail = re.sub(r"\A[ \t]*\r?\n", "", tail)
    if change.padded:
        head = re.sub(r"(?<=\n)[ \t]*\r?\n\Z", "", head)
    expected = copy.deepcopy(values)
    expected[key].remove(ours)
    if not expected[key]:
        del expected[key]
    shorter = head + tail
    _check(shorter, expected)
    return shorter


# -- one key --------------------------------------------------------------------------------------------------------


def _set(text: str, wish: Edit, *, raw: str | None = None) -> tuple[str, str | None]:
    """Set, restore (`raw`) or take out a key of a table that is there; returns the raw text that it replaced."""
    values = read_values(text)
    if raw is None and (line := _by_line(text, wish)) is not None:
        return line, None if wish.value is not None else ""
    try:
        document = tomlkit.parse(text)
        if tomlkit.dumps(document) != text:
            raise NotEditable("it cannot be taken apart and put together again byte for byte")
        table: Any = document
        for name in wish.section:
            table = table[name]
        old = table.get(wish.key)
        before = None if old is None else old.as_string()
        value = None
        if raw is not None:
            table[wish.key] = tomlkit.parse(f"x = {raw}")["x"]
            value = tomllib.loads(f"x = {raw}")["x"]
        elif wish.value is None:
            del table[wish.key]
        else:
            value = wish.value
            table[wish.key] = value
        result = tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError, KeyError, ValueError, IndexError) as error:
        raise NotEditable(f"it cannot be edited: {error}") from None
    if "\r\n" in text and not re.search(r"(?<!\r)\n", text):
        result = re.sub(r"(?<!\r)\n", "\r\n", result)
    _put(values, wish.section, wish.key, value)
    _check(result, values)
    return result, before


def _by_line(text: str, wish: Edit) -> str | None:
    """Put a key behind its table's header, or take its line out; None where it is not as simple as that.

    tomlkit moves empty lines about when it does either at a table's end.
    """
    values = read_values(text)
    old = value_at(values, wish.section, wish.key)
    if wish.value is None:
        if not isinstance(old, str):
            return None
        found = re.search(
            rf"(?m)^[ \t]*{re.escape(wish.key)}[ \t]*=[ \t]*{re.escape(_quoted(old))}[ \t]*(\r?\n|\Z)", text
        )
        result = text[: found.start()] + text[found.end() :] if found else None
    else:
        name = r"[ \t]*\.[ \t]*".join(re.escape(part) for part in wish.section)
        found = (
            re.search(rf"(?m)^[ \t]*\[[ \t]*{name}[ \t]*\][ \t]*(#.*)?\r?\n", text) if old is None and name else None
        )
        line = f"{wish.key} = {_quoted(wish.value)}{line_end(text)}"
        result = text[: found.end()] + line + text[found.end() :] if found else None
    if result is None:
        return None
    _put(values, wish.section, wish.key, wish.value)
    try:
        return result if _same(read_values(result), values) else None
    except NotEditable:
        return None


def _has_table(text: str, section: tuple[str, ...]) -> bool:
    """Return whether the table is there to be added to; one that only has tables below it can still be opened."""
    try:
        table: Any = tomlkit.parse(text)
        for name in section:
            if not hasattr(table, "get") or name not in table:
                return False
            table = table[name]
    except (TOMLKitError, RecursionError) as error:
        raise NotEditable(f"it cannot be edited: {error}") from None
    is_super = getattr(table, "is_super_table", None)
    return not (is_super and is_super())


def _put(values: dict[str, Any], section: Sequence[str], key: str, value: Any) -> None:
    for name in section:
        values = values.setdefault(name, {})
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def _drop_table(values: dict[str, Any], section: Sequence[str]) -> None:
    for name in section[:-1]:
        values = values.get(name, {})
    values.pop(section[-1], None)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(_pruned(one) == _pruned(other))


def _pruned(values: Any) -> Any:
    """Return the tables without empty ones, as whether those are there says nothing."""
    if not isinstance(values, dict):
        return values
    inner = {key: _pruned(value) for key, value in values.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _check(text: str, expected: dict[str, Any]) -> None:
    if not _same(read_values(text), expected):
        raise NotEditable("a change would mean something else to its reader than to us")


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
