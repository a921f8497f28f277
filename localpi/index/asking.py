"""Asking mirrors for a project in the order of an index, one after the other or all at once, by resolve.py."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.index import resolve
from localpi.index.config import MirrorConfig
from localpi.index.mirror_index import MirrorIndex, mirror_index
from localpi.index.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localpi.index.config import IndexConfig
    from localpi.index.mirrors import Look, Mirrors
    from localpi.simple.names import ProjectName

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking came to.

    `mirrors`: those that may answer for the name, in order; others claim it not. `looks`: what those said that were
    asked. `verdict`: what follows.
    """

    mirrors: Mapping[str, MirrorIndex]
    looks: Mapping[str, Look]
    verdict: resolve.Verdict

    @property
    def answering(self) -> tuple[tuple[MirrorIndex, Look], ...]:
        """Those whose pages are the answer."""
        if isinstance(self.verdict, resolve.Use):
            return tuple((self.mirrors[name], self.looks[name]) for name in self.verdict.indexes)
        return ()


def ask_mirrors(
    mirrors: Mirrors,
    order: Sequence[tuple[str, IndexConfig]],
    project: ProjectName,
    *,
    merges: bool,
    asked_at: float,
    revalidate: bool,
) -> Asked | Waiting:
    """Ask the mirrors of `order` that may answer; `merges` is `resolution = merge`."""
    found = {name: mirror_index(name, config) for name, config in order if isinstance(config, MirrorConfig)}
    allowed = resolve.claimants(project, {name: mirror.config.claims for name, mirror in found.items()})
    found = {name: found[name] for name in allowed}
    decide = resolve.merge if merges else resolve.first
    verdict = decide((), len(found))
    looks: dict[str, Look] = {}
    waits: list[Waiting] = []
    for mirror in found.values():
        look = mirrors.look(mirror, project, asked_at=asked_at, revalidate=revalidate)
        if isinstance(look, Waiting):
            waits.append(look)
            if merges:
                continue  # the others are asked meanwhile
            break
        looks[mirror.name] = look
        verdict = decide([look.said for look in looks.values()], len(found))
        if not isinstance(verdict, resolve.Ask):
            break
    if waits:
        return Waiting(lambda: all(wait.ready() for wait in waits), max(wait.until for wait in waits))
    for look in looks.values():
        if look.said.word is resolve.Word.UNKNOWN:
            log.info("%s: answered without %s (%s)", project, look.said.index, look.said.reason)
    return Asked(found, looks, verdict)
