"""Pure: why a project resolves on an index as it does, base by base, from what was found out. No network, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localpi.errors import InvalidName
from localpi.index.resolve import Ask, Unknowable, Use, Word, claims_name
from localpi.simple.names import parse_filename, version_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localpi.index.health import Health
    from localpi.index.resolve import Said, Verdict
    from localpi.simple.model import File


@dataclass(frozen=True, slots=True)
class FileFate:
    """What became of one file: shown to resolvers or not, and by which rule.

    `upload_time`: as its page says it, "" when that is not known; `told_by`: the index that told it.
    """

    filename: str
    shown: bool
    rule: str = ""
    upload_time: str = ""
    told_by: str = ""


@dataclass(frozen=True, slots=True)
class BaseWhy:
    """One base's part in the answer.

    `asked`: whether its upstream may be, or a stage was looked into. `state`: the mirror's, "" for a stage. `said`: has
    it, has not, cannot know, or "" when it was not asked; `at`: when its upstream said so, RFC 3339. `rule`: why it was
    asked or not, and what follows. `versions`: those that resolvers are shown from here. `hidden`: rule to the number
    of files that it hides, shadows or changes. `upload_times`: whose word they are to the number of those that are
    shown: the base's own name, another's that has the same sha256, or "" for "not known".
    """

    index: str
    asked: bool
    state: str
    said: str
    at: str | None
    rule: str
    versions: tuple[str, ...] = ()
    hidden: Mapping[str, int] = field(default_factory=dict)
    upload_times: Mapping[str, int] = field(default_factory=dict)
    files: tuple[FileFate, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """The whole answer: found, absent or unknown, and `note`s about the name that do not belong to one base."""

    index: str
    project: str
    answer: str
    reason: str
    bases: tuple[BaseWhy, ...]
    notes: tuple[str, ...] = ()


def explain_rule(
    name: str,
    said: Said | None,
    verdict: Verdict,
    *,
    project: str,
    health: Health,
    claims: Sequence[str],
    claimed_by: str,
    held_by: str,
) -> str:
    """Say in one sentence why a mirror was asked or not, and what follows from its word.

    `claimed_by` names the mirror that claims the project where this one does not, `held_by` the stage that keeps
    mirrors out; "" where there is none.
    """
    if held_by:
        return f"not asked, since {held_by} has the project, and mirror_whitelist does not name it"
    if claimed_by:
        return f"not asked, since {claimed_by} claims the name"
    if said is None:
        return _not_asked(verdict)
    match said.word:
        case Word.HAS:
            return _has_it(name, verdict, health)
        case Word.ABSENT:
            return "does not have it"
        case Word.UNKNOWN:
            return _cannot_know(said, project, claims)


def _has_it(name: str, verdict: Verdict, health: Health) -> str:
    if not isinstance(verdict, Use) or name not in verdict.indexes:
        return "has it, and does not answer"
    if not health.reachable:
        return f"has it, and answers with what is here, since it is not contacted now: {health.reason}"
    return "has it, and answers" if len(verdict.indexes) == 1 else "has it, and answers with the others that have it"


def _cannot_know(said: Said, project: str, claims: Sequence[str]) -> str:
    if said.owns:
        own = "claims the name" if claims_name(claims, project) else "once had the name"
        return f"{own}, so nobody else may answer, and cannot be asked now: {said.reason}"
    if said.hold:
        return f"never had the name, keeps such names closed (unseen=hold), and cannot be asked now: {said.reason}"
    return f"never had the name, so a later base may answer; it cannot be asked now: {said.reason}"


def file_fates(
    whole: Sequence[File],
    shown: Sequence[File],
    taken: Mapping[str, str],
    kept: Mapping[str, str],
    tellers: Mapping[str, str],
) -> tuple[FileFate, ...]:
    """Say of each file of a base's page whether resolvers see it, and by which rule.

    `whole`: with the mirror at hand, `shown`: as it is shown now; `taken`: file names that an earlier base has, to its
    name; `kept`: names of files that are gone upstream or changed there, to which of both; `tellers`: whose word each
    upload time is.
    """
    names = {file["filename"] for file in shown}
    rules = {"gone": "gone upstream: listed, yanked", "changed": "other bytes upstream are refused"}
    fates = []
    for file in whole:
        name = file["filename"]
        if name not in names:
            is_shown, rule = False, "not here (offline view)"
        elif name in taken:
            is_shown, rule = False, f"shadowed by {taken[name]}"
        else:
            is_shown, rule = True, rules.get(kept.get(name, ""), "yanked" if file.get("yanked") else "")
        fates.append(FileFate(name, is_shown, rule, file.get("upload-time", ""), tellers.get(name, "")))
    return tuple(fates)


def versions_of(fates: Sequence[FileFate]) -> tuple[str, ...]:
    """Return the versions that are shown, ascending: pages come in any order."""
    found = {version_of(fate.filename) for fate in fates if fate.shown}
    return tuple(sorted(found - {""}, key=version_key))


def version_of(filename: str) -> str:
    """Return the version that a file's name says, "" when it says none."""
    try:
        return parse_filename(filename).version
    except InvalidName:
        return ""


def count_rules(fates: Sequence[FileFate]) -> dict[str, int]:
    """Count the files by the rule that made something of them."""
    counts: dict[str, int] = {}
    for fate in fates:
        if fate.rule:
            counts[fate.rule] = counts.get(fate.rule, 0) + 1
    return counts


def count_tellers(fates: Sequence[FileFate]) -> dict[str, int]:
    """Count the files that are shown by whose word their upload time is."""
    counts: dict[str, int] = {}
    for fate in fates:
        if fate.shown:
            counts[fate.told_by] = counts.get(fate.told_by, 0) + 1
    return counts


def _not_asked(verdict: Verdict) -> str:
    match verdict:
        case Use(indexes):
            return f"not asked, since {indexes[0]} comes first and has it"
        case Unknowable(said):
            return f"not asked, since the name is kept for {said.index}, which cannot be asked"
        case Ask():
            return "not asked yet"
    return "not asked"
