"""Finds out what why.py explains: the same resolution that a client's request goes through, with every step kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from localpi.errors import InvalidPage
from localpi.index import resolve
from localpi.index.clock import utc
from localpi.index.config import MirrorConfig
from localpi.index.mirror_index import mirror_index
from localpi.index.order import mirrors_allowed
from localpi.index.stage_pages import stage_page
from localpi.index.waiting import Waiting
from localpi.index.why import (
    BaseWhy,
    FileFate,
    Why,
    count_rules,
    count_tellers,
    explain_rule,
    file_fates,
    version_of,
    versions_of,
)
from localpi.simple.render import load_page

if TYPE_CHECKING:
    from localpi.index.asking import Asked
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.mirroring import Mirroring
    from localpi.index.pages import Pages
    from localpi.index.registry import Registry
    from localpi.simple.names import ProjectName
    from localpi.store import Store


class Whys:
    """Explains how projects resolve; never waits for the network."""

    def __init__(self, registry: Registry, store: Store, mirroring: Mirroring, pages: Pages) -> None:
        self._registry, self._store, self._mirroring, self._pages = registry, store, mirroring, pages

    def explain(
        self, index: str, project: ProjectName, *, asked_at: float, version: str | None = None
    ) -> Why | Waiting:
        """Explain a project, or with `version` each file of that version too; asks mirrors as a client would.

        Raises IndexNotFound.
        """
        order = self._registry.order(index)
        held = [
            name
            for name, config in order
            if not isinstance(config, MirrorConfig) and self._store.releases.files(name, project)
        ]
        allowed = mirrors_allowed(project, order, held.__contains__)
        asked: Asked | None = None
        if allowed:
            found = self._pages.ask(index, project, asked_at=asked_at)
            if isinstance(found, Waiting):
                return found
            asked = found
        taken: dict[str, str] = {}
        bases = []
        for name, config in order:
            if isinstance(config, MirrorConfig):
                base = self._mirror(mirror_index(name, config), project, asked, "" if allowed else held[0], taken)
            else:
                base = self._stage(name, project, taken)
            taken |= {fate.filename: name for fate in base.files if fate.shown and fate.filename not in taken}
            bases.append(base)
        answer, reason = _answer(bases, asked, held=bool(held))
        notes = self._namesakes(project, [base.index for base in bases if base.state])
        return Why(index, project, answer, reason, tuple(_of_version(base, version) for base in bases), notes)

    def _stage(self, name: str, project: ProjectName, taken: dict[str, str]) -> BaseWhy:
        files = stage_page(self._store.releases.files(name, project), name, project)["files"]
        fates = file_fates(files, files, taken, {}, {file["filename"]: name for file in files})
        rule = "has it, and answers" if files else "does not have it"
        said = resolve.Word.HAS if files else resolve.Word.ABSENT
        return BaseWhy(
            index=name,
            asked=True,
            state="",
            said=said.value,
            at=None,
            rule=rule,
            versions=versions_of(fates),
            hidden=count_rules(fates),
            upload_times=count_tellers(fates),
            files=fates,
        )

    def _mirror(
        self, mirror: MirrorIndex, project: ProjectName, asked: Asked | None, held_by: str, taken: dict[str, str]
    ) -> BaseWhy:
        health = self._mirroring.watch.health(mirror)
        look = asked.looks.get(mirror.name) if asked is not None else None
        claimed_by = ""
        if asked is not None and mirror.name not in asked.mirrors:
            claimed_by = next(iter(asked.mirrors))
        rule = explain_rule(
            mirror.name,
            look.said if look is not None else None,
            asked.verdict if asked is not None else resolve.Absent(),
            project=project,
            health=health,
            claims=mirror.config.claims,
            claimed_by=claimed_by,
            held_by=held_by,
        )
        fates: tuple[FileFate, ...] = ()
        if look is not None and look.said.word is resolve.Word.HAS:
            fates, status = self._fates(mirror, project, taken)
            if look.filters and not any(fate.shown for fate in fates):
                rule = f"has it, and none of its files is here; it is not contacted now: {health.reason}"
            rule += f"; the project is {status}" if status else ""
        return BaseWhy(
            index=mirror.name,
            asked=look is not None and health.reachable,
            state=health.state,
            said=look.said.word.value if look is not None else "",
            at=utc(look.at_us) if look is not None and look.at_us else None,
            rule=rule,
            versions=versions_of(fates),
            hidden=count_rules(fates),
            upload_times=count_tellers(fates),
            files=fates,
        )

    def _fates(
        self, mirror: MirrorIndex, project: ProjectName, taken: dict[str, str]
    ) -> tuple[tuple[FileFate, ...], str]:
        mirrors = self._mirroring.mirrors
        try:
            whole = load_page(mirrors.whole_body(mirror, project))
            shown = load_page(mirrors.body(mirror, project))
        except InvalidPage:
            return (), "damaged here"
        kept = {file.filename: file.why for file in self._store.kept.of(mirror.source, project)}
        status = whole.get("project-status", {}).get("status", "active")
        tellers = self._mirroring.announcing.tellers(mirror, project, whole["files"])
        fates = file_fates(whole["files"], shown["files"], taken, kept, tellers)
        return fates, "" if status == "active" else str(status)

    def _namesakes(self, project: ProjectName, names: list[str]) -> tuple[str, ...]:
        sources = {mirror.name: mirror.source for mirror in self._mirroring.all() if mirror.name in names}
        having = [name for name in names if self._store.seen.has(sources.get(name, ""), project)]
        if len(having) < 2:
            return ()
        return (f"{' and '.join(having)} have both had a project of this name; the first in order answers",)


def _answer(bases: list[BaseWhy], asked: Asked | None, *, held: bool) -> tuple[str, str]:
    if held or any(fate.shown for base in bases for fate in base.files):
        return "found", ""
    if asked is not None and isinstance(asked.verdict, resolve.Unknowable):
        return "unknown", _blocked(bases, asked.verdict.said)
    if asked is not None and asked.answering:
        mirror, look = asked.answering[0]
        if look.filters:
            return "unknown", f"{mirror.name} has it, and no file of it is here"
        return "found", "the project has no files"
    return "absent", "no base has it"


def _blocked(bases: list[BaseWhy], said: resolve.Said) -> str:
    """Say which base is in the way; its own row says why it is away."""
    state = next(base.state for base in bases if base.index == said.index)
    return f"{said.index}: {said.reason}" if state in {"ok", "slow"} else f"{said.index} is {state}"


def _of_version(base: BaseWhy, version: str | None) -> BaseWhy:
    """Keep the files of one version, or none of them: a page may have 15,000."""
    files = tuple(fate for fate in base.files if version is not None and version_of(fate.filename) == version)
    return replace(base, files=files)
