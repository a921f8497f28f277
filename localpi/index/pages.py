"""Which page of a project an index shows: its stages', its mirrors', or both, by the rules of resolve.py."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import InvalidPage, ProjectNotFound
from localpi.index import resolve
from localpi.index.config import MirrorConfig
from localpi.index.merge import merge_pages
from localpi.index.mirror_index import MirrorIndex, mirror_index
from localpi.index.order import mirrors_allowed
from localpi.index.stage_pages import stage_page
from localpi.index.waiting import Waiting
from localpi.simple.render import load_page, render_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.index.config import IndexConfig
    from localpi.index.mirrors import Look, Mirrors
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.index.watch import Watch
    from localpi.simple.model import Page
    from localpi.simple.names import ProjectName
    from localpi.store import Store

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


class Pages:
    """Answers for project pages; never waits for the network."""

    def __init__(self, registry: Registry, store: Store, mirrors: Mirrors, watch: Watch, stamps: Stamps) -> None:
        self._registry, self._store, self._mirrors = registry, store, mirrors
        self._watch, self._stamps = watch, stamps

    def project(
        self, index: str, project: ProjectName, *, asked_at: float, revalidate: bool = False
    ) -> PageAnswer | Waiting:
        """Return the page of the project on that index.

        `asked_at` (monotonic): when the client asked first. `revalidate`: mirrors are asked even where their stored
        page is fresh. Raises IndexNotFound, ProjectNotFound (known to be absent), CannotKnow.
        """
        stamp = self._stamps.get(project)  # first: what changes while we read makes the answer stale, not wrong
        order = self._registry.order(index)
        parts: list[tuple[str, Page]] = []
        for name, config in order:
            rows = () if isinstance(config, MirrorConfig) else self._store.releases.files(name, project)
            if rows:
                parts.append((name, stage_page(rows, name, project)))
        held = {name for name, _ in parts}
        looks: Sequence[tuple[MirrorIndex, Look]] = ()
        if mirrors_allowed(project, order, held.__contains__):
            asked = self._ask(index, order, project, asked_at=asked_at, revalidate=revalidate, optional=bool(held))
            if isinstance(asked, Waiting):
                return asked
            looks = asked
        if not parts and len(looks) == 1:
            mirror, look = looks[0]
            body = self._body(mirror, project)
            return PageAnswer(body, f"{mirror.name}:{mirror.source}", stamp, look.fresh_until, look.serial)
        parts += [(mirror.name, load_page(self._body(mirror, project))) for mirror, _ in looks]
        if not parts:
            raise ProjectNotFound(index, project)
        page = parts[0][1] if len(parts) == 1 else merge_pages([part for _, part in parts])
        fresh_until = min((look.fresh_until for _, look in looks), default=math.inf)
        return PageAnswer(render_json(page), "+".join(name for name, _ in parts), stamp, fresh_until)

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

    def _ask(
        self,
        index: str,
        order: Sequence[tuple[str, IndexConfig]],
        project: ProjectName,
        *,
        asked_at: float,
        revalidate: bool,
        optional: bool,
    ) -> Sequence[tuple[MirrorIndex, Look]] | Waiting:
        """Ask the mirrors that may answer, as `resolution` has it; those that do, in order.

        With `optional` a stage has the project already, and a mirror that cannot be asked takes nothing away from it.
        """
        mirrors = {name: mirror_index(name, config) for name, config in order if isinstance(config, MirrorConfig)}
        claims = {name: mirror.config.claims for name, mirror in mirrors.items()}
        mirrors = {name: mirrors[name] for name in resolve.claimants(project, claims)}
        stage = self._registry.get(index).stage
        merges = stage is not None and stage.merges
        decide = resolve.merge if merges else resolve.first
        verdict = decide((), len(mirrors))
        looks: dict[str, Look] = {}
        waits: list[Waiting] = []
        for mirror in mirrors.values():
            look = self._mirrors.look(mirror, project, asked_at=asked_at, revalidate=revalidate)
            if isinstance(look, Waiting):
                waits.append(look)
                if merges:
                    continue  # the others are asked meanwhile
                break
            looks[mirror.name] = look
            verdict = decide([look.said for look in looks.values()], len(mirrors))
            if not isinstance(verdict, resolve.Ask):
                break
        if waits:
            return Waiting(lambda: all(wait.ready() for wait in waits), max(wait.until for wait in waits))
        self._log_unasked(looks, project)
        match verdict:
            case resolve.Use(indexes):
                return [(mirrors[name], looks[name]) for name in indexes]
            case resolve.Unknowable(said) if not optional:
                raise self._watch.cannot_know(mirrors[said.index], said.reason)
        return ()

    def _log_unasked(self, looks: dict[str, Look], project: ProjectName) -> None:
        for look in looks.values():
            if look.said.word is resolve.Word.UNKNOWN:
                log.info("%s: answered without %s (%s)", project, look.said.index, look.said.reason)

    def _body(self, mirror: MirrorIndex, project: ProjectName) -> bytes:
        try:
            return self._mirrors.body(mirror, project)
        except InvalidPage as error:
            log.error("%s: %s: the stored page is damaged: %s", mirror.name, project, error)  # noqa: TRY400 no traceback: the reason is all
            self._mirrors.forget(mirror, project)
            raise self._watch.cannot_know(mirror, "its stored page was damaged; ask again") from error
