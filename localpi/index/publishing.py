"""Pushing beyond this daemon: a release to an index elsewhere, or a mirror's release to a stage. May take minutes."""

from __future__ import annotations

import contextlib
import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from localpi.errors import (
    BadRequest,
    CannotKnow,
    FileNotHere,
    InvalidName,
    InvalidUpload,
    NotFound,
    NothingToPush,
    ReleaseNotFound,
)
from localpi.index.files import FileAnswer
from localpi.index.push import Copies
from localpi.index.versions import spelled
from localpi.index.waiting import Waiting
from localpi.simple.archive import read_core_metadata
from localpi.simple.links import parse_ref
from localpi.simple.names import parse_filename
from localpi.simple.render import load_page
from localpi.store.releases import FileRow
from localpi.upstream.outcomes import Unreachable
from localpi.upstream.publication import Publication

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from localpi.index.files import Files
    from localpi.index.pages import Pages
    from localpi.index.permissions import Principal
    from localpi.index.push import Actions, Asked, Pushing
    from localpi.index.upload_room import UploadRoom
    from localpi.simple.model import File
    from localpi.simple.names import ParsedFilename
    from localpi.store import Store
    from localpi.store.receiving import Receiving
    from localpi.upstream import Upstream

log = logging.getLogger(__name__)

LASTS_S = 1800.0
"""The longest that all files of a release may take."""

_LOOK_S = 0.02
_PIECE = 1 << 18
T = TypeVar("T")


class Publishing:
    """Pushes that need the network: for a thread of their own, never for a worker."""

    def __init__(
        self,
        store: Store,
        pages: Pages,
        files: Files,
        pushing: Pushing,
        upstream: Upstream,
        *,
        room: UploadRoom | None = None,
    ) -> None:
        self._store, self._pages, self._files = store, pages, files
        self._pushing, self._upstream, self._room = pushing, upstream, room

    def copy_from_mirror(self, principal: Principal, source: str, asked: Asked) -> Actions:
        """Fetch the files of a mirror's release and put them on a stage: all of them, or none.

        Raises what `Pushing.push` does, and `CannotKnow` when the upstream cannot be reached.
        """
        until = time.monotonic() + LASTS_S
        self._pushing.check(principal, source, asked)
        chosen = self._mirror_files(source, asked, until)
        version = parse_filename(chosen[0]["filename"]).version
        with ExitStack() as stack:
            receivings = [stack.enter_context(self._receive(source, file, until)) for file in chosen]
            rows = tuple(_row(source, file, receiving) for file, receiving in zip(chosen, receivings, strict=True))
            metadata: dict[str, Any] = {"name": asked.name, "version": version}
            if rows[0].requires_python:
                metadata["requires_python"] = rows[0].requires_python

            def publish() -> None:
                for receiving in receivings:
                    receiving.publish()

            return self._pushing.take(principal, source, asked, Copies(rows, metadata, publish))

    def upload_elsewhere(self, principal: Principal, source: str, asked: Asked) -> tuple[bool, Actions]:
        """Upload a stage's release to `asked.posturl`; whether all of it was taken, and what was done.

        Raises `NothingToPush`, `NotFound`, `BadRequest`, and what `Pushing.check` does.
        """
        self._pushing.check(principal, source, asked)
        if urlsplit(asked.posturl).scheme not in ("http", "https"):
            raise BadRequest("the posturl of a push is an http or https URL")
        version = self._pushing.version(source, asked)
        metadata = self._store.releases.metadata(source, asked.project)[version]
        fields: dict[str, str | tuple[str, ...]] = {
            key: tuple(value) if isinstance(value, list) else str(value) for key, value in metadata.items() if value
        }
        actions: Actions = []
        if asked.register:
            form = {**fields, ":action": "submit", "protocol_version": "1"}
            actions.append(self._send(asked, form, "register", asked.name, asked.version))
        for release, filename, file, size, what in self._to_send(source, asked, metadata):
            if actions and not _is_done(actions[-1]) and actions[-1][0] != 410:
                file.close()
                continue  # what follows a refusal would be half a release
            with file:
                form = {**fields, **release, "protocol_version": "1"}
                actions.append(self._send(asked, form, *what, filename=filename, file=file, size=size))
        if not actions:
            raise NotFound(f"no release/files found for {asked.name} {asked.version}")
        done = all(_is_done(action) or (action[0] == 410 and action[1] == "register") for action in actions)
        log.info("%s %s of %s published by %s: %s", asked.project, version, source, principal.name, done)
        return done, actions

    def _to_send(
        self, source: str, asked: Asked, metadata: Mapping[str, Any]
    ) -> Iterator[tuple[dict[str, str], str, BinaryIO, int, tuple[str, ...]]]:
        """Give for each file: its own fields, its name, itself, its size, and how the action log calls it."""
        name, version = str(metadata["name"]), metadata["version"]
        rows = self._store.releases.files(source, asked.project) if asked.files else ()
        for row in sorted((row for row in rows if row.version == version), key=lambda row: row.filename):
            file = self._store.uploads.open(row.sha256)
            if file is None:
                raise FileNotHere(source, row.filename)
            own = {
                ":action": "file_upload",
                "filetype": row.filetype,
                "pyversion": row.filename.split("-")[-3] if row.filetype == "bdist_wheel" else "source",
                "sha256_digest": row.sha256,
            }
            path = f"{source}/+f/{row.sha256[:3]}/{row.sha256[3:16]}/{row.filename}"
            yield own, row.filename, file, row.size, ("upload", path)
        for attached in self._store.attachments.of_project(source, asked.project) if asked.docs else ():
            if attached.rel == "doczip" and attached.version == version:
                file = self._store.uploads.open(attached.sha256)
                if file is not None:
                    yield {":action": "doc_upload"}, f"{name}.zip", file, attached.size, ("docfile", name)

    def _send(
        self,
        asked: Asked,
        form: dict[str, str | tuple[str, ...]],
        *what: str,
        filename: str = "",
        file: BinaryIO | None = None,
        size: int = 0,
    ) -> list[Any]:
        sent = Publication(asked.posturl, asked.username, asked.password, form, filename, file, size)
        outcome = self._upstream.publish(sent)
        if isinstance(outcome, Unreachable):
            return [-1, *what, outcome.reason]
        return [outcome.status, *what, outcome.said] if what[0] == "upload" else [outcome.status, *what]

    def _mirror_files(self, source: str, asked: Asked, until: float) -> list[File]:
        page = self._wait(
            lambda at: self._pages.project(source, asked.project, asked_at=at), until, f"the page of {asked.project}"
        )
        by_version: dict[str, list[File]] = {}
        for file in load_page(page.body)["files"]:
            parsed = _parsed(file)
            if parsed is not None:
                by_version.setdefault(parsed.version, []).append(file)
        try:
            return by_version[spelled(asked.project, by_version, asked.version)]
        except ReleaseNotFound:
            raise NothingToPush(asked.name, asked.version, source) from None

    def _receive(self, source: str, file: File, until: float) -> Receiving:
        """Copy a mirror's file to where uploads come in; it waits there, checked, for its name."""
        area, _, rest = file["url"].removeprefix("/").split("/", 2)[2].partition("/")
        ref = parse_ref(area, *unquote(rest).split("/"))
        answer = self._wait(lambda at: self._files.open(source, ref, asked_at=at), until, ref.filename)
        if not isinstance(answer, FileAnswer) or answer.file is None:
            raise BadRequest(f"{source} keeps no files (mirror_use_external_urls), so none can be pushed from it")
        if self._room is not None:
            self._room.make(answer.size)
        receiving = self._store.uploads.receive(size=answer.size, extra=("md5",), commit=False)
        try:
            with answer.file as incoming:
                while receiving.received < answer.size:
                    piece = incoming.read(_PIECE)
                    if piece:
                        receiving.write(piece)
                    else:
                        _pause(incoming, until, f"{ref.filename} of {source}")
            receiving.finish()
        except BaseException:
            receiving.close()
            raise
        return receiving

    def _wait(self, ask: Callable[[float], T | Waiting], until: float, what: str) -> T:
        """Ask until there is an answer."""
        asked_at = time.monotonic()
        while isinstance(answer := ask(asked_at), Waiting):
            while not answer.ready() and time.monotonic() < answer.until:
                time.sleep(_LOOK_S)
            if time.monotonic() > until:
                raise CannotKnow("of the source", f"does not send {what}")
        return answer


def _pause(incoming: BinaryIO, until: float, what: str) -> None:
    """Let more of a file come that is still growing; CannotKnow when none will."""
    if getattr(incoming, "broken", bool)() or time.monotonic() > until:
        raise CannotKnow("of the source", f"does not send {what}")
    time.sleep(_LOOK_S)


def _row(index: str, file: File, receiving: Receiving) -> FileRow:
    """Make the row of a file; what a page says of it counts where nothing can be read out of it."""
    parsed = parse_filename(file["filename"])
    sha256 = receiving.sha256
    if sha256 is None:
        message = "the file is not finished"
        raise ValueError(message)
    raw = b""
    with contextlib.suppress(InvalidUpload), receiving.open_file() as opened:
        raw = read_core_metadata(opened, parsed)
    return FileRow(
        index=index,
        project=parsed.project,
        version=parsed.version,
        filename=parsed.filename,
        sha256=sha256,
        size=receiving.received,
        md5=receiving.digests["md5"],
        filetype=parsed.filetype,
        requires_python=file.get("requires-python"),
        uploaded_us=0,
        uploaded_by="",
        core_metadata=raw if raw and parsed.filetype == "bdist_wheel" else None,
    )


def _parsed(file: File) -> ParsedFilename | None:
    try:
        return parse_filename(file["filename"])
    except InvalidName:
        return None


def _is_done(action: list[Any]) -> bool:
    return action[0] in (200, 201)
