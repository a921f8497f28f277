"""Uploads: who may, what was sent, what is in it, and only then the file under its name and its row.

The legacy upload API (warehouse's docs, DEVPI section 4), but atomic and with the digests verified. What fails
leaves nothing behind.
"""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import InvalidUpload, NotFound, TooLarge
from localpi.index.permissions import demand_upload
from localpi.simple.archive import read_core_metadata
from localpi.simple.metadata import check_agreement, parse_core_metadata
from localpi.simple.names import parse_filename
from localpi.simple.upload_form import parse_announcement, parse_upload_form
from localpi.store.durable import check_room
from localpi.store.releases import FileRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from localpi.index.config import StageConfig
    from localpi.index.permissions import Principal
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.index.upload_room import UploadRoom
    from localpi.simple.upload_form import UploadForm
    from localpi.store import Store
    from localpi.store.receiving import Receiving
    from localpi.store.releases import Outcome

log = logging.getLogger(__name__)

MAX_FILE = 16 * 1024**3


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an upload: new, the same bytes as before (nothing changed), or replaced on a volatile stage."""

    outcome: Outcome
    row: FileRow


class Uploads:
    """Takes files in."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        stamps: Stamps,
        clock: Callable[[], int],
        *,
        room: UploadRoom | None = None,
    ) -> None:
        """Keep what is needed; `clock` gives integer microseconds UTC, without `room` nothing is evicted."""
        self._store, self._registry, self._stamps, self._clock = store, registry, stamps, clock
        self.room = room

    def check(self, index: str, principal: Principal) -> StageConfig:
        """Return the stage's settings when the principal may upload to it; ask before the body is read.

        Raises `IndexNotFound`, `NotFound` (a mirror; before the credential is looked at, as devpi), `NotAuthenticated`,
        `NotAllowed`.
        """
        stage = self._registry.get(index).stage
        if stage is None:
            raise NotFound("cannot submit to mirror index")
        demand_upload(principal, index, stage)
        return stage

    def announce(self, index: str, principal: Principal, fields: Mapping[str, Sequence[str]]) -> None:
        """Register a release from a `submit` form; its files come later, or never.

        What a release on a stage that is not volatile says of itself stays as it is. Raises what `check` does, and
        `InvalidUpload`.
        """
        stage = self.check(index, principal)
        name, project, version, metadata = parse_announcement(fields)
        if not stage.volatile and version in self._store.releases.metadata(index, project):
            return
        said = _metadata(metadata, name, version)
        self._store.releases.register(index, project, version, said, by=principal.name or "")
        self._stamps.bump(project)
        log.info("%s %s registered on %s by %s", project, version, index, principal.name)

    def receive(self, size: int | None = None) -> Receiving:
        """Begin to take in a file; `size` is the length of the whole request in bytes, where known.

        Give it to `accept`, or `close` it. Raises `TooLarge`, `DiskFull`.
        """
        if size is not None and size > MAX_FILE:
            raise TooLarge("the upload", MAX_FILE)
        if size:
            if self.room is not None:
                self.room.make(size)
            check_room(self._store.uploads.incoming, size)
        return self._store.uploads.receive(limit=MAX_FILE, extra=("md5", "blake2_256"), commit=False)

    def accept(
        self,
        index: str,
        principal: Principal,
        fields: Mapping[str, Sequence[str]],
        filename: str,
        receiving: Receiving,
    ) -> Accepted:
        """Check and keep a received file; `fields` and `filename` are the form's.

        Whatever happens, `receiving` is closed. Raises what `check` does, `InvalidUpload`, `FileExists` (other bytes
        on a stage that is not volatile), `DiskFull`.
        """
        holding = self._registry.holding
        try:
            with receiving:
                stage = self.check(index, principal)
                form = parse_upload_form(fields, filename)
                sha256 = receiving.finish()
                _check_digests(form, receiving.digests)
                core_metadata, requires_python = _look_inside(form, receiving)
                row = FileRow(
                    index=index,
                    project=form.project,
                    version=form.version,
                    filename=form.filename,
                    sha256=sha256,
                    size=receiving.received,
                    md5=receiving.digests["md5"],
                    filetype=form.filetype,
                    requires_python=requires_python,
                    uploaded_us=self._clock(),
                    uploaded_by=principal.name or "",
                    core_metadata=core_metadata,
                )
                with holding.lock(sha256):
                    receiving.publish()
                    metadata = _metadata(form.metadata, form.name, form.version)
                    added = self._store.releases.add_file(row, metadata, volatile=stage.volatile)
        except BaseException:
            if receiving.stored and receiving.sha256 is not None:
                holding.let_go((receiving.sha256,))
            raise
        if added.replaced is not None:
            holding.let_go((added.replaced,))
        self._stamps.bump(form.project)
        log.info("%s uploaded to %s by %s: %s", row.filename, index, principal.name, added.outcome.name.lower())
        return Accepted(added.outcome, added.file)


def _look_inside(form: UploadForm, receiving: Receiving) -> tuple[bytes | None, str | None]:
    """Return the core metadata that is offered beside the file (wheels: PEP 658) and its Requires-Python."""
    with receiving.open_file() as file:
        raw = read_core_metadata(file, parse_filename(form.filename))
    if not raw:  # an old sdist: the form is all there is
        announced = form.metadata.get("requires_python")
        return None, announced if isinstance(announced, str) and announced else None
    metadata = parse_core_metadata(raw)
    check_agreement(form, metadata)
    return raw if form.filetype == "bdist_wheel" else None, metadata.requires_python or None


def _check_digests(form: UploadForm, found: Mapping[str, str]) -> None:
    for name, announced in form.digests.items():
        if name in found and not hmac.compare_digest(announced.lower(), found[name]):
            raise InvalidUpload(f"{name} of the form is {announced[:128]}, of the file {found[name]}")


def _metadata(fields: Mapping[str, str | tuple[str, ...]], name: str, version: str) -> dict[str, object]:
    listed: dict[str, object] = {
        key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()
    }
    return listed | {"name": name, "version": version}
