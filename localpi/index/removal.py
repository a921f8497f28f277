"""Deleting and yanking on stages. devpi's rules: volatile stages freely, others only with force."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from localpi.errors import BadRequest, FileGone, FileNotHere, NotAllowed, ProjectNotFound, ReleaseNotFound
from localpi.index.permissions import demand_remove

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
        self._check(index, principal, "file", force=force)
        row = self._store.releases.file(index, key, filename)
        if row is None:
            gone = self._store.releases.was_deleted(index, filename)
            raise FileGone(index, filename) if gone else FileNotHere(index, filename)
        return self._remove(index, principal, row.project, row.version, row.filename)

    def remove_release(
        self, index: str, principal: Principal, project: ProjectName, version: str, *, force: bool = False
    ) -> tuple[FileRow, ...]:
        """Delete all files of a release. Raises as `remove_file`, and `ProjectNotFound`, `ReleaseNotFound`."""
        self._check(index, principal, "version", force=force)
        spelled = self._spelled(index, project, version)
        return self._remove(index, principal, project, spelled, None)

    def remove_project(
        self, index: str, principal: Principal, project: ProjectName, *, force: bool = False
    ) -> tuple[FileRow, ...]:
        """Delete all files of a project. Raises as `remove_file`, and `ProjectNotFound`."""
        self._check(index, principal, f"project {project!r}", force=force)
        removed = self._remove(index, principal, project, None, None)
        if not removed:
            raise ProjectNotFound(index, project)
        return removed

    def yank(self, index: str, principal: Principal, project: ProjectName, version: str, reason: str | None) -> int:
        """Mark a release as yanked (PEP 592; "" is without a reason), or with None as good again; how many files.

        Allowed on stages that are not volatile too: the files stay. Raises `IndexNotFound`, `NotAuthenticated`,
        `NotAllowed`, `ProjectNotFound`, `ReleaseNotFound`, `BadRequest`.
        """
        stage = self._stage(index)
        demand_remove(principal, index, stage)
        if reason is not None and (len(reason) > MAX_REASON or not reason.isprintable()):
            raise BadRequest(f"a reason is one line of at most {MAX_REASON} characters")
        spelled = self._spelled(index, project, version)
        count = self._store.releases.set_yanked(index, project, spelled, reason, by=principal.name or "")
        if not count:
            raise ReleaseNotFound(project, version[:100])
        self._stamps.bump(project)
        what = "unyanked" if reason is None else "yanked"
        log.info("%s %s %s on %s by %s", project, spelled, what, index, principal.name)
        return count

    def _stage(self, index: str) -> StageConfig:
        stage = self._registry.get(index).stage
        if stage is None:
            error = NotAllowed(f"{index} is a mirror: what it cached is evicted, not deleted")
            error.hint = "localpi cache evict"
            raise error
        return stage

    def _check(self, index: str, principal: Principal, what: str, *, force: bool) -> None:
        stage = self._stage(index)
        demand_remove(principal, index, stage)
        if not stage.volatile and not force:
            error = NotAllowed(f"cannot delete {what} on non-volatile index")
            error.hint = "yank it instead, or force: localpi remove --force"
            raise error

    def _spelled(self, index: str, project: ProjectName, version: str) -> str:
        """Return the version as it was uploaded: the very text, else one that PEP 440 holds equal."""
        versions = dict.fromkeys(row.version for row in self._store.releases.files(index, project))
        if not versions:
            raise ProjectNotFound(index, project)
        if version in versions:
            return version
        try:
            asked = Version(version)
            return next(known for known in versions if _parsed(known) == asked)
        except (InvalidVersion, StopIteration):
            raise ReleaseNotFound(project, version[:100]) from None

    def _remove(
        self, index: str, principal: Principal, project: ProjectName, version: str | None, filename: Filename | None
    ) -> tuple[FileRow, ...]:
        removed = self._store.releases.remove_files(index, project, version, filename, by=principal.name or "")
        self._registry.holding.let_go(row.sha256 for row in removed)
        self._stamps.bump(project)
        for row in removed:
            log.info("%s deleted from %s by %s", row.filename, index, principal.name)
        return removed


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None
