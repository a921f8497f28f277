"""What is to stand in a configuration file, and the record of what was done, by which it can be taken back. Pure.

The same for INI and TOML: a section is a path of names (one name in INI), a key has a text as its value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from localpi.errors import LocalpiError

MOST_BYTES = 1_000_000
"""No tool's configuration is larger; pip's and uv's are a few hundred bytes."""


class NotEditable(LocalpiError):  # noqa: N818 -- named as what happened, like all of errors.py
    """A file that cannot be changed without harm; it has been left as it was."""

    code = "not-editable"
    title = "Left untouched"


@dataclass(frozen=True, slots=True)
class Edit:
    """A wish for one key."""

    section: tuple[str, ...]
    key: str
    value: str | None
    """None takes the key out."""
    word: bool = False
    """`value` is one word more in a list that is separated by white space (INI only)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one key, or (`key` is "") that `after` was put at the end of the file."""

    section: tuple[str, ...]
    key: str
    value: str | None
    """As the tool reads it; None when the key was taken out."""
    before: str | None
    """The raw text that stood there: whole lines in INI, the value in TOML."""
    after: str | None
    """The raw text that stands there now."""
    word: bool = False
    made_section: bool = False
    padded: bool = False
    """An empty line was put before the section that was made."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        names = ("key", "value", "before", "after", "word", "made_section", "padded")
        return {"section": list(self.section), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Change:
        """Read what `to_json` wrote; raises KeyError or TypeError for anything else."""
        return cls(**{**found, "section": tuple(found["section"])})


Format = Literal["ini", "toml"]


def decode(data: bytes) -> str:
    """Return the text of a file; raises NotEditable for what the tools themselves trip over, or may."""
    if len(data) > MOST_BYTES:
        raise NotEditable(f"it is larger than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotEditable(f"it is not UTF-8 (byte {error.start})") from None
    if text.startswith("\ufeff"):
        raise NotEditable("it begins with a byte order mark, which pip and others refuse too; save it without one")
    if "\0" in text:
        raise NotEditable("it has a NUL character in it")
    if re.search(r"\r(?!\n)", text):
        raise NotEditable("it has carriage returns that end no line (CR without LF)")
    return text


def line_end(text: str) -> str:
    """Return how lines end in `text`: as its first one does."""
    return "\r\n" if re.match(r"[^\n]*\r\n", text) else "\n"


def padding(text: str) -> str:
    """Return what has to stand between `text` and a new section at its end: a line's end, an empty line."""
    end = line_end(text)
    if not text:
        return ""
    if not text.endswith("\n"):
        return end + end
    return "" if re.search(r"(\A|\n)[ \t]*\r?\n\Z", text) else end
