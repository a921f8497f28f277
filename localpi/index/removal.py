"""Deleting and yanking on stages. devpi's rules: volatile stages freely, others only with force."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from localpi.errors import BadRequest, FileGone, FileNotHere, NotAllowed, ProjectNotFound, ReleaseNotFound
from localpi.index.config import MirrorConfig
from localpi.index.mirror_index import mirror_index
from localpi.index.permissions import demand_remove
from localpi.index.versions import spelled

if TYPE_CHECKING:
    from localpi.index.config import StageConfig
    from localpi.index.permissions import Principal
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.simple.names import Filename, ProjectName
    from localpi.store import Store
    from localpi.store.releases import FileRow

log = logging.getLogger(__name__)

MAX_REASON = 1000


class Removal:
    """Takes files away, or marks them as not to be chosen any more."""

    def __init__(self, store: Store, registry: Registry, stamps: Stamps) -> None:
        self._store, self._registry, self._stamps = store, registry, stamps

    def remove_file(
        self, index: str, principal: Principal, key: str, filename: Filename, *, force: bool = False
    ) -> tuple[FileRow, ...]:
        """Delete one file; `key` is the first 16 hex digits of its sha256 (`FileRef.key`).

        Raises `IndexNotFound`, `NotAuthenticated`, `NotAllowed`, `FileNotHere`, `FileGone`.
        """
        stage = self._removable(index, principal)
        _demand_volatile(stage, "cannot delete file on non-volatile index", force=force)
        row = self._store.releases.file(index, key, filename)
        if row is None:
            gone = self._store.releases.was_deleted(index, filename)
            raise FileGone(index, filename) if gone else FileNotHere(index, filename)
        return self._remove(index, principal, row.project, row.version, row.filename)

    def remove_release(
        self, index: str, principal: Principal, project: ProjectName, version: str, *, force: bool = False
    ) -> tuple[FileRow, ...]:
        """Delete all files of a release. Raises as `remove_file`, and `ProjectNotFound`, `ReleaseNotFound`."""
        stage = self._removable(index, principal)
        found = self._spelled(index, project, version)
        _demand_volatile(stage, "cannot delete version on non-volatile index", force=force)
        return self._remove(index, principal, project, found, None)

    def remove_project(
        self, index: str, principal: Principal, project: ProjectName, *, force: bool = False
    ) -> tuple[FileRow, ...]:
        """Delete all files of a project. Raises as `remove_file`, and `ProjectNotFound`."""
        stage = self._removable(index, principal)
        if not self._store.releases.has(index, project):
            raise self._absent(index, project)
        _demand_volatile(stage, f"project {project!r} is on non-volatile index {index}", force=force)
        return self._remove(index, principal, project, None, None)

    def yank(self, index: str, principal: Principal, project: ProjectName, version: str, reason: str | None) -> int:
        """Mark a release as yanked (PEP 592; "" is without a reason), or with None as good again; how many files.

        Allowed on stages that are not volatile too: the files stay. Raises `IndexNotFound`, `NotAuthenticated`,
        `NotAllowed`, `ProjectNotFound`, `ReleaseNotFound`, `BadRequest`.
        """
        self._removable(index, principal)
        if reason is not None and (len(reason) > MAX_REASON or not reason.isprintable()):
            raise BadRequest(f"a reason is one line of at most {MAX_REASON} characters")
        found = self._spelled(index, project, version)
        count = self._store.releases.set_yanked(index, project, found, reason, by=principal.name or "")
        if not count:
            raise ReleaseNotFound(project, version[:100])
        self._stamps.bump(project)
        what = "unyanked" if reason is None else "yanked"
        log.info("%s %s %s on %s by %s", project, found, what, index, principal.name)
        return count

    def _removable(self, index: str, principal: Principal) -> StageConfig:
        """Return the settings of a stage from which the principal may delete."""
        stage = self._registry.get(index).stage
        if stage is None:
            error = NotAllowed(f"{index} is a mirror: what it cached is evicted, not deleted")
            error.hint = "localpi cache evict"
            raise error
        demand_remove(principal, index, stage)
        return stage

    def _spelled(self, index: str, project: ProjectName, version: str) -> str:
        versions = self._store.releases.metadata(index, project)
        if not versions:
            raise self._absent(index, project)
        return spelled(project, versions, version)

    def _absent(self, index: str, project: ProjectName) -> ProjectNotFound:
        """Return the refusal for what the index itself has not; it says where that comes from, when it is listed."""
        error = ProjectNotFound(index, project)
        for name, config in self._registry.order(index):
            if isinstance(config, MirrorConfig):
                page = self._store.pages.head(mirror_index(name, config).source, project)
                if page is not None and page.status == "present":
                    error.hint = f"{index} has it from the mirror {name}: localpi cache evict {project}"
                    break
            elif self._store.releases.has(name, project):
                error.hint = f"{index} inherits it from {name}: localpi remove {project} --index {name}"
                break
        return error

    def _remove(
        self, index: str, principal: Principal, project: ProjectName, version: str | None, filename: Filename | None
    ) -> tuple[FileRow, ...]:
        removed = self._store.releases.remove_files(index, project, version, filename, by=principal.name or "")
        self._registry.holding.let_go(row.sha256 for row in removed)
        self._stamps.bump(project)
        if not removed:
            log.info("%s %s, which had no files, deleted from %s by %s", project, version, index, principal.name)
        for row in removed:
            log.info("%s deleted from %s by %s", row.filename, index, principal.name)
        return removed


def _demand_volatile(stage: StageConfig, refusal: str, *, force: bool) -> None:
    if not stage.volatile and not force:
        error = NotAllowed(refusal)
        error.hint = "yank it instead, or force: localpi remove --force"
        raise error
