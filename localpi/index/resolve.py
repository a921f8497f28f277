"""Pure: which base answers for a project, from what the mirrors said. The table of the README, row by row.

Under `first`, base order decides and mirrors are asked strictly one after the other: a private name that the
intranet mirror has is never sent to the next one. An unreachable mirror is never taken for one that said no.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Word(Enum):
    """What a mirror said about a project."""

    HAS = "has it"
    ABSENT = "has not"
    UNKNOWN = "cannot know"


@dataclass(frozen=True, slots=True)
class Said:
    """One mirror's word.

    `owns`: it claims the name or once had it. `hold`: its `unseen` setting closes names that it never saw while it
    is away. `reason`: why it cannot know, for people.
    """

    index: str
    word: Word
    owns: bool = False
    hold: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """These mirrors answer, in order."""

    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """The next mirror has to be asked before anything can be said."""


@dataclass(frozen=True, slots=True)
class Absent:
    """All who may answer said no."""


@dataclass(frozen=True, slots=True)
class Unknowable:
    """It cannot be known now, because of this mirror."""

    said: Said


Verdict = Use | Ask | Absent | Unknowable


def claims_name(patterns: Sequence[str], project: str) -> bool:
    """Whether one of a mirror's `claims` (shell patterns over normalised names) covers the project."""
    return any(fnmatchcase(project, pattern) for pattern in patterns)


def claimants(project: str, claims: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the mirrors that may be asked: those that claim the name, or all where none does."""
    claiming = tuple(name for name, patterns in claims.items() if claims_name(patterns, project))
    return claiming or tuple(claims)


def first(said: Sequence[Said], mirrors: int) -> Verdict:
    """Decide under `resolution = first`, given the words of the first `len(said)` of `mirrors` mirrors."""
    for one in said:
        if one.word is Word.HAS:
            return Use((one.index,))
        if one.word is Word.UNKNOWN and (one.owns or one.hold):
            return Unknowable(one)
    if len(said) < mirrors:
        return Ask()
    return _nobody(said)


def merge(said: Sequence[Said], mirrors: int) -> Verdict:
    """Decide under `resolution = merge` (devpi's): all that have it answer together."""
    if len(said) < mirrors:
        return Ask()
    having = tuple(one.index for one in said if one.word is Word.HAS)
    owner = next((one for one in said if one.word is Word.UNKNOWN and (one.owns or one.hold)), None)
    if owner is not None:
        return Unknowable(owner)
    return Use(having) if having else _nobody(said)


def _nobody(said: Sequence[Said]) -> Verdict:
    unknown = next((one for one in said if one.word is Word.UNKNOWN), None)
    return Absent() if unknown is None else Unknowable(unknown)
