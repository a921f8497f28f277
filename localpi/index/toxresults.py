"""Results of test runs (tox), kept beside the files that they are about."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from localpi.errors import BadRequest, FileNotHere, NotAllowed, TooLarge
from localpi.index.permissions import may_add_toxresult
from localpi.store.attachments import AttachmentRow
from localpi.store.file_log import dump_log, upload_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.permissions import Principal
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.simple.links import FileRef
    from localpi.store import Store

log = logging.getLogger(__name__)

MAX_RESULT = 16 << 20  # bytes; the output of every command stands in it
MOST_RESULTS = 1_000  # of one file: anyone may send them unless acl_toxresult_upload says otherwise


class ToxResults:
    """Takes results in; they go out as files."""

    def __init__(self, store: Store, registry: Registry, stamps: Stamps, clock: Callable[[], int]) -> None:
        """Keep what is needed; `clock` gives integer microseconds UTC."""
        self._store, self._registry, self._stamps, self._clock = store, registry, stamps, clock

    def check(self, index: str, principal: Principal, ref: FileRef) -> None:
        """Raise `IndexNotFound`, `NotAllowed`, or `FileNotHere` where no result can be added; before it is read."""
        stage = self._registry.get(index).stage
        if stage is None or not may_add_toxresult(principal, index, stage):
            error = NotAllowed(
                "No permission to upload tox results. You can use the devpi test --no-upload option to skip the upload."
            )
            if stage is not None:
                error.hint = f"localpi index set {index} acl_toxresult_upload+={principal.name or ':ANONYMOUS:'}"
            raise error
        if ref.is_metadata or self._store.releases.file(index, ref.key, ref.filename) is None:
            raise FileNotHere(index, ref.filename)

    def add(self, index: str, principal: Principal, ref: FileRef, body: bytes) -> AttachmentRow:
        """Keep a result, a JSON document of any shape. Raises as `check`, `BadRequest`, `TooLarge`."""
        self.check(index, principal, ref)
        if len(body) > MAX_RESULT:
            raise TooLarge("the test result", MAX_RESULT)
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError:
            raise BadRequest("Bad request: could not decode json") from None
        file = self._store.releases.file(index, ref.key, ref.filename)
        if file is None:
            raise FileNotHere(index, ref.filename)
        others = self._store.attachments.of_project(index, file.project)
        count = sum(other.of_filename == file.filename for other in others)
        if count >= MOST_RESULTS:
            raise BadRequest(f"{file.filename} has {MOST_RESULTS} test results already")
        at_us, by = self._clock(), principal.name or ""
        stamp = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y%m%d%H%M%S")
        with self._store.uploads.receive(size=len(body), commit=False) as receiving:
            receiving.write(body)
            sha256 = receiving.finish()
            row = AttachmentRow(
                index=index,
                project=file.project,
                version=file.version,
                rel="toxresult",
                key=ref.key,
                filename=f"{file.filename}.toxresult-{stamp}-{count}",
                sha256=sha256,
                size=len(body),
                stored_us=at_us,
                log=dump_log([upload_entry(at_us, by, index)]),
                of_filename=file.filename,
            )
            try:
                with self._registry.holding.lock(sha256):
                    receiving.publish()
                    self._store.attachments.add(row, volatile=True, by=by)
            finally:
                self._registry.holding.let_go((sha256,))
        self._stamps.bump(file.project)
        log.info("test result for %s on %s by %s", file.filename, index, principal.name)
        return row
