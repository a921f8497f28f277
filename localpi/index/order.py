"""In which order the indexes behind an index are asked, and when its mirrors are. Pure: no I/O, no clock.

devpi's rules (DEVPI section 5, model.py `sro` and `op_sro_check_mirror_whitelist`).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from localpi.index.config import MirrorConfig, StageConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localpi.index.config import IndexConfig
    from localpi.simple.names import ProjectName


def resolution_order(index: str, get: Callable[[str], IndexConfig | None]) -> tuple[str, ...]:
    """Return the names of all indexes behind `index`: itself first, breadth-first, each once, mirrors last.

    `get` gives an index's settings, or None where there is no such index: it is left out.
    """
    stages: list[str] = []
    mirrors: list[str] = []
    seen = {index}
    waiting = deque([index])
    while waiting:
        name = waiting.popleft()
        config = get(name)
        if config is None:
            continue
        if isinstance(config, MirrorConfig):
            mirrors.append(name)
            continue
        stages.append(name)
        for base in config.bases:
            if base not in seen:
                seen.add(base)
                waiting.append(base)
    return (*stages, *mirrors)


def find_cycle(index: str, config: IndexConfig, get: Callable[[str], IndexConfig | None]) -> tuple[str, ...]:
    """Return the way along bases from `index` back to itself if it had these settings, or () when there is none."""
    if isinstance(config, MirrorConfig):
        return ()
    came_from: dict[str, str] = {}
    waiting = [(index, base) for base in config.bases]
    while waiting:
        inheriting, name = waiting.pop()
        if name == index:
            way = [index]
            while inheriting != index:
                way.append(inheriting)
                inheriting = came_from[inheriting]
            return (index, *reversed(way))
        if name in came_from:
            continue
        came_from[name] = inheriting
        base_config = get(name)
        if isinstance(base_config, StageConfig):
            waiting.extend((name, base) for base in base_config.bases)
    return ()


def mirrors_allowed(
    project: ProjectName,
    order: Sequence[tuple[str, IndexConfig]],
    has_project: Callable[[str], bool],
) -> bool:
    """Say whether mirrors may answer for the project: no stage in the order holds it, or a whitelist names it.

    The whitelist begins as that of the first stage and is joined (union or intersection, as the first stage's
    `mirror_whitelist_inheritance` says) with that of each next one; once it has named the project that stays.
    A stage at which the project is whitelisted does not count as holding it. `has_project` is asked of stages only.
    """
    whitelist: frozenset[str] | None = None
    whitelisted = held = False
    union = False
    for name, config in order:
        if isinstance(config, MirrorConfig):
            continue
        own = frozenset(config.mirror_whitelist)
        if whitelist is None:
            whitelist, union = own, config.mirror_whitelist_inheritance == "union"
        else:
            whitelist = whitelist | own if union else whitelist & own
        if project in whitelist or "*" in whitelist:
            whitelisted = True
        elif has_project(name):
            held = True
    return whitelisted or not held
