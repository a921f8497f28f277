"""Which page of a project an index shows: its stages', its mirrors', or both, by the rules of resolve.py."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import CannotKnow, InvalidPage, ProjectNotFound
from localpi.index import resolve
from localpi.index.asking import ask_mirrors
from localpi.index.config import MirrorConfig
from localpi.index.merge import merge_pages
from localpi.index.mirror_index import MirrorIndex, mirror_index
from localpi.index.order import mirrors_allowed
from localpi.index.stage_pages import stage_page
from localpi.index.waiting import Waiting
from localpi.simple.render import count_files, load_page, render_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.index.asking import Asked
    from localpi.index.mirroring import Mirroring
    from localpi.index.mirrors import Look
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.simple.names import ProjectName
    from localpi.store import Store
    from localpi.store.releases import FileRow

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """A project page as v1+json bytes (PEP 691), links as absolute paths of this daemon.

    `source` names where the bytes come from: two indexes with the same source and stamp show the same bytes. It may be
    repeated unasked while `stamp` is that of the project and until `fresh_until` (monotonic seconds). `serial`: the
    upstream's last serial, where one mirror alone answers and has one.
    """

    body: bytes
    source: str
    stamp: tuple[int, int]
    fresh_until: float
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Who answers for a project, in order: the stages that hold it with its files, then mirrors that have it."""

    stages: tuple[tuple[str, tuple[FileRow, ...]], ...]
    looks: tuple[tuple[MirrorIndex, Look], ...] = ()


class Pages:
    """Answers for project pages; never waits for the network."""

    def __init__(self, registry: Registry, store: Store, mirroring: Mirroring, stamps: Stamps) -> None:
        self._registry, self._store, self._stamps = registry, store, stamps
        self._mirrors, self._watch, self._journal = mirroring.mirrors, mirroring.watch, mirroring.journal

    def project(
        self, index: str, project: ProjectName, *, asked_at: float, revalidate: bool = False
    ) -> PageAnswer | Waiting:
        """Return the page of the project on that index.

        `asked_at` (monotonic): when the client asked first. `revalidate`: mirrors are asked even where their stored
        page is fresh. Raises IndexNotFound, ProjectNotFound (known to be absent), CannotKnow.
        """
        try:
            return self._project(index, project, asked_at, revalidate=revalidate)
        except (ProjectNotFound, CannotKnow) as error:
            self._journal.refused(index, project, error)
            raise

    def _project(self, index: str, project: ProjectName, asked_at: float, *, revalidate: bool) -> PageAnswer | Waiting:
        stamp = self._stamps.get(project)  # first: what changes while we read makes the answer stale, not wrong
        sources = self.sources(index, project, asked_at=asked_at, revalidate=revalidate)
        if isinstance(sources, Waiting):
            return sources
        parts = [(name, stage_page(rows, name, project)) for name, rows in sources.stages]
        looks = sources.looks
        if not parts and len(looks) == 1:
            mirror, look = looks[0]
            body = self.body(mirror, project)
            if look.filters and not count_files(body):
                raise self._watch.cannot_know(mirror, "cannot be reached", also=f"no file of {project} is here")
            self._note_views(project, looks)
            return PageAnswer(body, f"{mirror.name}:{mirror.source}", stamp, look.fresh_until, look.serial)
        parts += [(mirror.name, load_page(self.body(mirror, project))) for mirror, _ in looks]
        self._note_views(project, looks)
        if not parts:
            raise ProjectNotFound(index, project)
        page = parts[0][1] if len(parts) == 1 else merge_pages([part for _, part in parts])
        fresh_until = min((look.fresh_until for _, look in looks), default=math.inf)
        return PageAnswer(render_json(page), "+".join(name for name, _ in parts), stamp, fresh_until)

    def sources(
        self, index: str, project: ProjectName, *, asked_at: float, revalidate: bool = False, own: bool = False
    ) -> Sources | Waiting:
        """Say who answers for the project on that index; with `own` without its bases.

        A project that was only announced, and has no file yet, is held as well. Arguments and errors as above; nobody
        at all is no error.
        """
        order = self._registry.order(index)
        if own:
            order = tuple(base for base in order if base[0] == index)
        stages = []
        for name, config in order:
            rows = () if isinstance(config, MirrorConfig) else self._store.releases.files(name, project)
            if rows or (not isinstance(config, MirrorConfig) and self._store.releases.has(name, project)):
                stages.append((name, rows))
        held = {name for name, _ in stages}
        looks: Sequence[tuple[MirrorIndex, Look]] = ()
        alone = own and not isinstance(order[0][1], MirrorConfig)
        if not alone and mirrors_allowed(project, order, held.__contains__):
            asked = self.ask(index, project, asked_at=asked_at, revalidate=revalidate)
            if isinstance(asked, Waiting):
                return asked
            if isinstance(asked.verdict, resolve.Unknowable) and not held:  # what a stage holds nobody takes from it
                said = asked.verdict.said
                raise self._watch.cannot_know(asked.mirrors[said.index], said.reason)
            looks = asked.answering
        return Sources(tuple(stages), tuple(looks))

    def names(self, index: str) -> tuple[str, ...]:
        """Return the projects that are known here: uploads of its stages, and what mirrors have been asked for.

        An upstream's whole list is never fetched (PyPI's is 40 MB). Raises IndexNotFound.
        """
        return tuple(sorted({name for base, _ in self._registry.order(index) for name in self.own_names(base)}))

    def own_names(self, index: str) -> tuple[str, ...]:
        """Return the projects that are known of this index itself, its bases aside. Raises IndexNotFound."""
        mirror = self._registry.get(index).mirror
        if mirror is not None:
            return self._store.pages.names(mirror_index(index, mirror).source)
        return self._store.releases.projects(index)

    def refresh(self, index: str, project: ProjectName) -> None:
        """Make the mirrors behind the index ask their upstreams anew; what is stored stays until they answer."""
        for name, config in self._registry.order(index):
            if isinstance(config, MirrorConfig):
                self._mirrors.forget(mirror_index(name, config), project)

    def ask(self, index: str, project: ProjectName, *, asked_at: float, revalidate: bool = False) -> Asked | Waiting:
        """Ask the mirrors behind the index as `resolution` has it, whatever its stages hold."""
        stage = self._registry.get(index).stage
        return ask_mirrors(
            self._mirrors,
            self._registry.order(index),
            project,
            merges=stage is not None and stage.merges,
            asked_at=asked_at,
            revalidate=revalidate,
        )

    def _note_views(self, project: ProjectName, looks: Sequence[tuple[MirrorIndex, Look]]) -> None:
        for mirror, look in looks:
            if look.filters:
                self._journal.answered_offline(mirror.name, project)

    def body(self, mirror: MirrorIndex, project: ProjectName) -> bytes:
        """Return a mirror's page of a project that it has, as v1+json with our links; CannotKnow when it is damaged."""
        try:
            return self._mirrors.body(mirror, project)
        except InvalidPage as error:
            log.error("%s: %s: the stored page is damaged: %s", mirror.name, project, error)  # noqa: TRY400 no traceback: the reason is all
            self._mirrors.forget(mirror, project)
            raise self._watch.cannot_know(mirror, "its stored page was damaged; ask again") from error
