"""INI files taken apart by the rules of RawConfigParser, pip's and twine's own parser. Pure: text in, pieces out.

The pieces together are every byte of the file. (ConfigUpdater does not do: it takes indented comments for values, and
refuses some that pip reads.)
"""

from __future__ import annotations

import configparser
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from localpi.wiring.edits import NotEditable

if TYPE_CHECKING:
    from collections.abc import Iterable

Values = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole lines: a section's header, an option with all its lines, or comments and empty lines."""

    kind: Literal["header", "option", "other"]
    section: str
    raw: str
    key: str = ""
    value: str = ""


def normalise(key: str) -> str:
    """Return a key as pip compares it; without this `index_url` is missed and a second key breaks pip."""
    return key.lower().replace("_", "-").removeprefix("--")


def read_values(text: str) -> Values:
    """Return section, then key, to value, as the tools' own parser has them: [DEFAULT] in all; raises NotEditable."""
    return _parse(text, configparser.RawConfigParser())


def own_values(text: str) -> Values:
    """Return what stands in each section itself, [DEFAULT] being one of them."""
    read_values(text)
    return _parse(text, configparser.RawConfigParser(strict=False, default_section="\0"))


def _parse(text: str, parser: configparser.RawConfigParser) -> Values:
    parser.optionxform = normalise  # type: ignore[assignment,method-assign]  # configparser's own way to set it
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise NotEditable(_said(error)) from None
    return {section: dict(parser.items(section)) for section in parser.sections()}


def take_apart(text: str) -> list[Piece]:
    """Take a text apart: blank lines and comments belong to an option where it goes on behind them."""
    read_values(text)
    pieces: list[Piece] = []
    section, indent, waiting = "", 0, ""
    for line in io.StringIO(text, newline="\n"):
        said = line.strip()
        if not said or said.startswith(("#", ";")):
            waiting += line
            continue
        depth = len(line) - len(line.lstrip())
        if pieces and pieces[-1].kind == "option" and depth > indent:
            pieces[-1] = _option(section, pieces[-1].raw + waiting + line)
            waiting = ""
            continue
        indent = depth
        if waiting:
            pieces.append(Piece("other", section, waiting))
            waiting = ""
        if header := configparser.RawConfigParser.SECTCRE.match(said):
            section = header.group("header")
            pieces.append(Piece("header", section, line))
        else:
            pieces.append(_option(section, line))
    if waiting:
        pieces.append(Piece("other", section, waiting))
    return pieces


def _option(section: str, raw: str) -> Piece:
    """Return an option of these lines; its value is its lines without comments, joined as the parser joins them."""
    first, *more = io.StringIO(raw, newline="\n")
    found = configparser.RawConfigParser.OPTCRE.match(first.strip())
    if found is None:
        raise NotEditable("it has a line that is neither section, key nor comment")
    values = [found.group("value").strip(), *(line.strip() for line in more if not is_comment(line))]
    return Piece("option", section, raw, normalise(found.group("option").rstrip()), "\n".join(values).rstrip())


def is_comment(line: str) -> bool:
    """Return whether a line is a comment; there are none behind values."""
    return line.strip().startswith(("#", ";"))


def join(pieces: Iterable[Piece]) -> str:
    """Return the text that the pieces are of."""
    return "".join(piece.raw for piece in pieces)


def _said(error: configparser.Error) -> str:
    """Return what a parser says, in one line."""
    return "its own tool cannot read it: " + re.sub(r"\s+", " ", str(error)).replace("'<string>'", "the file")
