"""Pushing a release: to another index with the very same bytes, or to an index elsewhere as an upload.

devpi's request and action log (DEVPI 2, push), but all of it happens or nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localpi.errors import BadRequest, FileExists, NotAuthenticated, NotFound, NothingToPush, ReleaseNotFound
from localpi.index.permissions import demand_upload, may_upload
from localpi.index.versions import spelled
from localpi.simple.names import normalize
from localpi.store.pushing import Push, push_files, push_release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.index.permissions import Principal
    from localpi.index.registry import Index, Registry
    from localpi.index.stamps import Stamps
    from localpi.simple.names import ProjectName
    from localpi.store import Store
    from localpi.store.pushing import Pushed
    from localpi.store.releases import FileRow

log = logging.getLogger(__name__)

Actions = list[list[Any]]
"""devpi's `actionlog`: what was done, each with a status in front."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a push asks for. `target` "user/index", or "" for one to elsewhere with `posturl` and a credential."""

    name: str
    version: str
    target: str = ""
    posturl: str = ""
    username: str = ""
    password: str = ""
    register: bool = False
    files: bool = True
    docs: bool = True

    @property
    def project(self) -> ProjectName:
        """Return the normalised name. Raises InvalidName."""
        return normalize(self.name)


@dataclass(frozen=True, slots=True)
class Copies:
    """Files that are received and not yet under their names; `publish` brings them there."""

    files: tuple[FileRow, ...]
    metadata: Mapping[str, Any]
    publish: Callable[[], None]


def read_push(body: Mapping[str, Any], source: str) -> Asked:
    """Read devpi's JSON of a push. Raises `BadRequest` with its sentences, `NothingToPush` without name or version."""
    given = dict(body)
    name, version = given.pop("name", None), given.pop("version", None)
    if not (isinstance(name, str) and isinstance(version, str) and name and version):
        raise NothingToPush(name, version, source)
    no_docs, only_docs = bool(given.pop("no_docs", False)), bool(given.pop("only_docs", False))
    if no_docs and only_docs:
        raise BadRequest("can't use 'no_docs' and 'only_docs' together")
    register = bool(given.pop("register_project", False))
    known = {key: given.pop(key, "") or "" for key in ("targetindex", "posturl", "username", "password")}
    if given or (known["targetindex"] and (known["posturl"] or register)):
        raise BadRequest(f"unknown additional options: {', '.join(sorted(given)) or 'posturl'}")
    if any(not isinstance(value, str) or len(value) > 2000 for value in known.values()):
        raise BadRequest("targetindex, posturl, username and password are texts")
    target = known["targetindex"]
    if target and target.count("/") != 1:
        raise BadRequest("targetindex not in format user/index")
    if not target and not known["posturl"]:
        raise BadRequest("a push needs a targetindex or a posturl")
    return Asked(
        name, version, target, known["posturl"], known["username"], known["password"], register,
        files=not only_docs, docs=not no_docs,
    )  # fmt: skip


class Pushing:
    """Copies releases between the indexes of this daemon."""

    def __init__(self, store: Store, registry: Registry, stamps: Stamps, clock: Callable[[], int]) -> None:
        """Keep what is needed; `clock` gives integer microseconds UTC."""
        self._store, self._registry, self._stamps, self._clock = store, registry, stamps, clock

    def check(self, principal: Principal, source: str, asked: Asked) -> Index:
        """Return the source index when the push is allowed.

        Raises `IndexNotFound`, `NotAuthenticated` (devpi's 401, for those who are known too), `NotAllowed`.
        """
        index = self._registry.get(source)
        if not asked.target:
            if index.stage is None:
                raise BadRequest(f"{source} is a mirror: push from it to an index of your own first")
            demand_upload(principal, source, index.stage)
            return index
        stage = self._registry.get(asked.target).stage
        if stage is None or not may_upload(principal, asked.target, stage):
            error = NotAuthenticated(f"user {principal.name!r} cannot upload to {asked.target!r}")
            error.hint = "a mirror holds no uploads"
            if stage is not None:
                error.hint = f"localpi index set {asked.target} acl_upload+={principal.name or 'USER'}"
            raise error
        return index

    def push(self, principal: Principal, source: str, asked: Asked) -> Actions:
        """Copy a release from a stage to another, with documentation and test results unless they are not wanted.

        Raises what `check` does, `NothingToPush`, `NotFound` (a release without anything to copy), `FileExists`.
        """
        self.check(principal, source, asked)
        version = self.version(source, asked)
        pushed = self._run(self._plan(principal, source, asked, version))
        if not pushed.files and pushed.docs is None:
            raise NotFound(f"no release/files found for {asked.name} {asked.version}")
        return _actions(asked, pushed)

    def take(self, principal: Principal, source: str, asked: Asked, copies: Copies) -> Actions:
        """Put files from outside of the stages (a mirror's) on the target. Raises as `push`."""
        self.check(principal, source, asked)
        return _actions(asked, self._run(self._plan(principal, source, asked, copies.files[0].version), copies))

    def version(self, source: str, asked: Asked) -> str:
        """Return the version as the source spells it. Raises `NothingToPush`: inherited releases do not count."""
        known = self._store.releases.metadata(source, asked.project)
        try:
            return spelled(asked.project, known, asked.version)
        except ReleaseNotFound:
            raise NothingToPush(asked.name, asked.version, source) from None

    def _plan(self, principal: Principal, source: str, asked: Asked, version: str) -> Push:
        stage = self._registry.get(asked.target).stage
        return Push(
            source=source,
            target=asked.target,
            project=asked.project,
            version=version,
            by=principal.name or "",
            at_us=self._clock(),
            files=asked.files,
            docs=asked.docs,
            target_volatile=stage is not None and stage.volatile,
        )

    def _run(self, plan: Push, copies: Copies | None = None) -> Pushed:
        holding = self._registry.holding
        try:
            if copies is None:
                pushed = push_release(self._store.own, plan)
            else:
                with holding.locked(file.sha256 for file in copies.files):
                    copies.publish()
                    pushed = push_files(self._store.own, plan, copies.files, copies.metadata)
        except FileExists as error:
            error.hint = f"raise the version, or allow it: localpi index set {plan.target} volatile=true"
            raise
        finally:
            if copies is not None:
                holding.let_go(file.sha256 for file in copies.files)
        holding.let_go(pushed.replaced)
        self._stamps.bump(plan.project)
        log.info("%s %s pushed from %s to %s by %s", plan.project, plan.version, plan.source, plan.target, plan.by)
        return pushed


def _actions(asked: Asked, pushed: Pushed) -> Actions:
    actions: Actions = [[200, "register", asked.name, asked.version, "->", asked.target]]
    for file in pushed.files:
        actions.append([200, "store_releasefile", _path(asked.target, file.sha256[:16], file.filename)])
        actions += [
            [200, "store_toxresult", _path(asked.target, result.key, result.filename)]
            for result in pushed.toxresults
            if result.of_filename == file.filename
        ]
    if pushed.docs is not None:
        actions.append([200, "store_doczip", asked.name, asked.version, "->", asked.target])
    return actions


def _path(index: str, key: str, filename: str) -> str:
    return f"{index}/+f/{key[:3]}/{key[3:]}/{filename}"
