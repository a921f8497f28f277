"""Taking over what another devpi had: users with their password hashes, releases, files, documentation, results.

Everything may be done twice: what is here already stays as it is, so that an import which was broken off goes on.
"""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localpi.errors import BadRequest, InvalidUpload, NotFound
from localpi.index.names import check_user_name
from localpi.index.permissions import ROOT
from localpi.index.views import LISTS, TEXTS
from localpi.simple.archive import read_core_metadata
from localpi.simple.metadata import parse_core_metadata
from localpi.simple.names import check_filename, normalize, parse_filename
from localpi.store.accounts import UserRow
from localpi.store.attachments import AttachmentRow
from localpi.store.file_log import dump_log
from localpi.store.releases import FileRow, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.index.passwords import Passwords
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.simple.names import Filename, ProjectName, Sha256
    from localpi.store import Store
    from localpi.store.attachments import Rel
    from localpi.store.receiving import Receiving

log = logging.getLogger(__name__)

MAX_HASH = 500
_FILETYPES = {
    ".egg": "bdist_egg",
    ".exe": "bdist_wininst",
    ".msi": "bdist_msi",
    ".rpm": "bdist_rpm",
    ".whl": "bdist_wheel",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A file as the other devpi knew it; `rel` is devpi's word in `+links`, `of` the file that a result is about."""

    index: str
    name: str
    version: str
    rel: str
    filename: str
    sha256: str = ""
    md5: str = ""
    of: str = ""
    yanked: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[Mapping[str, Any], ...] = ()


class Importing:
    """Writes what an import brings, for root and the owner alone: nothing here asks who may."""

    def __init__(
        self, store: Store, registry: Registry, passwords: Passwords, stamps: Stamps, clock: Callable[[], int]
    ) -> None:
        """Keep what is needed; `clock` gives integer microseconds UTC."""
        self._store, self._registry, self._passwords = store, registry, passwords
        self._stamps, self._clock = stamps, clock

    def add_user(self, name: str, facts: Mapping[str, Any]) -> str:
        """Add a user with its argon2 hash (`pwhash`, None or "": no login until a password is set).

        Returns "made"; "password" when one that had none got its hash; "kept" when it was here; "blank" when root's
        hash is that of the empty password, which devpi gives it and which is not taken over. Raises `BadRequest`.
        """
        check_user_name(name)
        pwhash = facts.get("pwhash") or None
        if pwhash is not None and (not isinstance(pwhash, str) or len(pwhash) > MAX_HASH):
            raise BadRequest(f"the password hash of {name} is none")
        known = self._store.accounts.user(name)
        if name == ROOT and self._passwords.verify(pwhash, ""):
            return "blank"
        if known is not None:
            if known.pwhash or not pwhash:
                return "kept"
            self._store.accounts.set_password(name, pwhash)
            return "password"
        texts = {key: facts[key] for key in ("email", "title", "description") if isinstance(facts.get(key), str)}
        made = UserRow(
            name=name,
            pwhash=pwhash,
            created_us=_time(facts.get("created")) or self._clock(),
            modified_us=_time(facts.get("modified")),
            custom_data=facts.get("custom_data"),
            **texts,
        )
        self._store.accounts.add_user(made)
        log.info("user %s imported", name)
        return "made"

    def present(self, index: str) -> dict[str, str]:
        """Return file name -> sha256 of all that the index holds, attachments too. Raises `IndexNotFound`."""
        self._registry.get(index)
        found: dict[str, str] = {row.filename: row.sha256 for row in self._store.attachments.of_index(index)}
        for project in self._store.releases.projects(index):
            found |= {row.filename: row.sha256 for row in self._store.releases.files(index, project)}
        return found

    def add_release(self, index: str, name: str, version: str, metadata: Mapping[str, Any]) -> None:
        """Add a release, be it one without files. Raises `NotFound`, `InvalidName`, `BadRequest`."""
        project = self._project(index, name)
        said = {**_kept(metadata), "name": str(metadata.get("name") or name), "version": version}
        if version not in self._store.releases.metadata(index, project):
            self._store.releases.register(index, project, version, said, by="")
            self._stamps.bump(project)

    def add_file(self, wanted: Import, receiving: Receiving) -> str:
        """Check and keep a received file or attachment; "made" or "kept".

        Raises `InvalidUpload` (a digest), `FileExists` (there is another one of that name), `InvalidName`, `NotFound`.
        """
        holding = self._registry.holding
        try:
            with receiving:
                project = self._project(wanted.index, wanted.name)
                sha256 = receiving.finish()
                _check_digests(wanted, receiving)
                with holding.lock(sha256):
                    receiving.publish()
                    made = self._write(wanted, project, sha256, receiving)
        finally:
            if receiving.stored and receiving.sha256 is not None:
                holding.let_go((receiving.sha256,))
        self._stamps.bump(project)
        return "made" if made else "kept"

    def _write(self, wanted: Import, project: ProjectName, sha256: Sha256, receiving: Receiving) -> bool:
        if wanted.rel == "releasefile":
            row = self._file(wanted, project, sha256, receiving)
            metadata = {**_kept(wanted.metadata), "name": wanted.name, "version": wanted.version}
            return self._store.releases.add_file(row, metadata, volatile=False).outcome is Outcome.NEW
        if wanted.rel not in ("doczip", "toxresult"):
            raise BadRequest(f"files of the kind {wanted.rel[:40]!r} are not known")
        rel: Rel = "doczip" if wanted.rel == "doczip" else "toxresult"
        key, of = sha256[:16], None
        if rel == "toxresult":
            of = check_filename(wanted.of)
            key = self._key_of(wanted.index, project, of)
        if self._store.attachments.find(wanted.index, key, wanted.filename) is not None:
            return False
        attached = AttachmentRow(
            index=wanted.index,
            project=project,
            version=wanted.version,
            rel=rel,
            key=key,
            filename=check_filename(wanted.filename),
            sha256=sha256,
            size=receiving.received,
            stored_us=_uploaded(wanted.log) or self._clock(),
            log=dump_log([dict(entry) for entry in wanted.log]),
            of_filename=of,
        )
        return self._store.attachments.add(attached, volatile=False)

    def _file(self, wanted: Import, project: ProjectName, sha256: Sha256, receiving: Receiving) -> FileRow:
        filename = check_filename(wanted.filename)
        core, requires_python = _look_inside(filename, receiving)
        announced = wanted.metadata.get("requires_python")
        who = next((entry.get("who") for entry in reversed(wanted.log) if entry.get("what") == "upload"), None)
        return FileRow(
            index=wanted.index,
            project=project,
            version=wanted.version,
            filename=filename,
            sha256=sha256,
            size=receiving.received,
            md5=receiving.digests["md5"],
            filetype=_FILETYPES.get(filename[-4:], "sdist"),
            requires_python=requires_python or (announced if isinstance(announced, str) and announced else None),
            uploaded_us=_uploaded(wanted.log) or self._clock(),
            uploaded_by=who if isinstance(who, str) else "",
            yanked=wanted.yanked,
            core_metadata=core,
            log=dump_log([dict(entry) for entry in wanted.log]) if wanted.log else "",
        )

    def _key_of(self, index: str, project: ProjectName, filename: Filename) -> str:
        for row in self._store.releases.files(index, project):
            if row.filename == filename:
                return row.sha256[:16]
        raise NotFound(f"{index} has no file {filename} to add a test result to")

    def _project(self, index: str, name: str) -> ProjectName:
        if self._registry.get(index).stage is None:
            raise BadRequest(f"{index} is a mirror: what it cached is fetched again when it is asked for")
        return normalize(name)


def _look_inside(filename: Filename, receiving: Receiving) -> tuple[bytes | None, str | None]:
    """Read the core metadata where there is any; what devpi took is not refused for it."""
    with contextlib.suppress(BadRequest), receiving.open_file() as file:
        raw = read_core_metadata(file, parse_filename(filename))
        if raw:
            return raw if filename.endswith(".whl") else None, parse_core_metadata(raw).requires_python or None
    return None, None


def _check_digests(wanted: Import, receiving: Receiving) -> None:
    for name in ("sha256", "md5"):
        announced = str(getattr(wanted, name))
        if announced and announced != receiving.digests[name]:
            raise InvalidUpload(f"{name} is {receiving.digests[name]}, announced was {announced[:128]}")


def _kept(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that mean something; devpi has all of them, most empty."""
    kept = {key: metadata[key] for key in TEXTS if isinstance(metadata.get(key), str) and metadata[key]}
    return kept | {key: metadata[key] for key in LISTS if isinstance(metadata.get(key), list) and metadata[key]}


def _uploaded(entries: tuple[Mapping[str, Any], ...]) -> int | None:
    """Return when it came to its index (integer microseconds UTC), by the last entry of the log that says when."""
    for entry in reversed(entries):
        at = entry.get("when")
        if isinstance(at, list | tuple) and len(at) == 6 and all(isinstance(part, int) for part in at):
            with contextlib.suppress(ValueError):
                year, month, day, hour, minute, second = at
                return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1_000_000
    return None


def _time(said: object) -> int | None:
    """Read devpi's `2026-11-20T11:27:11Z`."""
    with contextlib.suppress(ValueError, TypeError):
        return int(datetime.strptime(str(said), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) * 1_000_000
    return None


def read_import(fields: Mapping[str, list[str]], filename: str) -> Import:
    """Read the form of an imported file. Raises `InvalidUpload`."""
    said = {key: values[0] for key, values in fields.items() if values}
    try:
        metadata, entries = json.loads(said.get("metadata") or "{}"), json.loads(said.get("log") or "[]")
    except ValueError:
        raise InvalidUpload("metadata and log are JSON") from None
    if not isinstance(metadata, dict) or not isinstance(entries, list):
        raise InvalidUpload("metadata is an object and log a list")
    wanted = {key: said.get(key, "") for key in ("index", "name", "version", "rel", "sha256", "md5", "of")}
    missing = [key for key in ("index", "name", "version", "rel") if not wanted[key]]
    if missing:
        raise InvalidUpload(f"the form has no {', '.join(missing)}")
    told = tuple(entry for entry in entries if isinstance(entry, dict))
    yanked = said.get("yanked")
    return Import(**wanted, filename=filename, yanked=yanked, metadata=metadata, log=told)
