"""The kinds of value that a setting can have: from text or TOML to the value, and back to text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
BINARY = {"k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class Kind:
    """How values are read and written; `parse` raises ValueError with what is expected."""

    name: str
    parse: Callable[[object], object]
    show: Callable[[object], str] = str


def _text(value: object) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError("expected a text")  # noqa: TRY004 -- Kind.parse promises ValueError alone
    text = str(value).strip()
    if len(text) > 4096 or not text.isprintable():
        raise ValueError("expected one line of printable text")
    return text


def text() -> Kind:
    """Take one line, or nothing."""
    return Kind("text", _text)


def matching(pattern: str, expected: str) -> Kind:
    """Take text of which the whole matches `pattern`."""

    def parse(value: object) -> str:
        found = _text(value)
        if not re.fullmatch(pattern, found):
            raise ValueError(f"expected {expected}")
        return found

    return Kind("text", parse)


def number(least: int, most: int) -> Kind:
    """Take whole numbers within bounds."""

    def parse(value: object) -> int:
        found = _text(value)
        if not re.fullmatch(r"-?\d{1,18}", found) or not least <= int(found) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(found)

    return Kind("number", parse)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = _text(value).lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("expected true or false")


def boolean() -> Kind:
    """Take true and false, in the words that people use."""
    return Kind("boolean", _boolean, lambda value: str(value).lower())


def choice(*words: str) -> Kind:
    """Take one of a few words; TOML's and shell's true and false stand for on and off."""

    def parse(value: object) -> str:
        word = {True: "on", False: "off"}[value] if isinstance(value, bool) else _text(value).lower()
        if word not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return word

    return Kind("choice", parse)


def _words(value: object) -> tuple[str, ...]:
    parts = [_text(part) for part in value] if isinstance(value, list | tuple) else _text(value).split(",")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def words() -> Kind:
    """Take lists, written with commas."""
    return Kind("list", _words, lambda value: ",".join(value) if isinstance(value, tuple) else str(value))


def addresses() -> Kind:
    """Take lists of IP addresses, each naming one place: a wildcard is none."""

    def parse(value: object) -> tuple[str, ...]:
        found = []
        for word in _words(value):
            try:
                address = ip_address(word.strip("[]"))
            except ValueError:
                raise ValueError(f"expected IP addresses such as 172.17.0.1, not {word[:80]!r}") from None
            if address.is_unspecified or address.is_multicast:
                raise ValueError(f"{address} is not the address of one place; the setting host takes a wildcard")
            found.append(str(address))
        return tuple(dict.fromkeys(found))

    return Kind("list", parse, words().show)


def parse_size(value: object) -> int:
    """Bytes of `4 GiB`, `500MB`, `10g` (decimal) or a plain number; raises ValueError."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*(?:([kmgt])(i?)b?|b)?", _text(value).lower())
    if match is None:
        raise ValueError("expected a size such as 500MB or 4GiB")
    scale, binary = match[2] or "", match[3]
    return int(float(match[1]) * (BINARY[scale] if binary else UNITS[scale]))


def show_size(value: object) -> str:
    """Write bytes in the largest binary unit that is exact."""
    size = int(str(value))
    for unit, scale in reversed(BINARY.items()):
        if size and size % scale == 0:
            return f"{size // scale}{unit.upper()}iB"
    return str(size)


def size() -> Kind:
    """Take bytes, with units."""
    return Kind("size", parse_size, show_size)


def parse_duration(value: object) -> int:
    """Seconds of `10h`, `30d`, `90` (seconds); raises ValueError."""
    match = re.fullmatch(r"(\d{1,9})\s*([smhdw]?)", _text(value).lower())
    if match is None:
        raise ValueError("expected a duration such as 90s, 10h or 30d")
    return int(match[1]) * SECONDS[match[2]]


def show_duration(value: object) -> str:
    """Write seconds in the largest unit that is exact."""
    seconds = int(str(value))
    for unit, scale in reversed(SECONDS.items()):
        if unit and seconds and seconds % scale == 0:
            return f"{seconds // scale}{unit}"
    return f"{seconds}s"


def duration(least: int) -> Kind:
    """Take seconds, with units, not less than `least`."""

    def parse(value: object) -> int:
        seconds = parse_duration(value)
        if seconds < least:
            raise ValueError(f"expected at least {show_duration(least)}")
        return seconds

    return Kind("duration", parse, show_duration)


def mask_userinfo(value: object) -> str:
    """Hide what stands before the @ of a URL: settings are shown, and pasted into reports."""
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", str(value))


def url(*schemes: str) -> Kind:
    """Take absolute URLs without query, drop the slash at their end; or nothing."""

    def parse(value: object) -> str:
        found = _text(value).rstrip("/")
        if not found:
            return ""
        try:
            parts = urlsplit(found)
            good = parts.scheme in schemes and parts.hostname and not parts.query and not parts.fragment
            _ = parts.port  # a port that is none raises ValueError
        except ValueError:
            good = False
        if not good or " " in found:
            raise ValueError(f"expected a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return found

    return Kind("url", parse, mask_userinfo)


def _path(value: object) -> str:
    found = _text(value)
    return str(Path(found).expanduser().absolute()) if found else ""


def path() -> Kind:
    """Take file names, make them absolute; or nothing."""
    return Kind("path", _path)
