"""Documentation of releases: a zip that is taken in whole, and read page by page."""

from __future__ import annotations

import logging
import mimetypes
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import FileNotHere, InvalidName, InvalidUpload, NotFound, TooLarge
from localpi.index.versions import newest, spelled
from localpi.simple.archive import open_zip
from localpi.simple.names import normalize
from localpi.simple.upload_form import check_version
from localpi.store.attachments import AttachmentRow
from localpi.store.file_log import dump_log, upload_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from localpi.index.permissions import Principal
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.index.uploads import Uploads
    from localpi.simple.names import ProjectName
    from localpi.store import Store
    from localpi.store.receiving import Receiving

log = logging.getLogger(__name__)

MAX_MEMBERS = 50_000
MAX_PAGE = 16 << 20  # bytes of one member, unpacked
FRONT = "index.html"


@dataclass(frozen=True, slots=True)
class DocPage:
    """A file of the documentation; `etag` unquoted."""

    body: bytes
    content_type: str
    etag: str


class Docs:
    """Takes documentation in and gives its pages out."""

    def __init__(
        self, store: Store, registry: Registry, uploads: Uploads, stamps: Stamps, clock: Callable[[], int]
    ) -> None:
        """Keep what is needed; `clock` gives integer microseconds UTC."""
        self._store, self._registry, self._uploads = store, registry, uploads
        self._stamps, self._clock = stamps, clock

    def accept(
        self, index: str, principal: Principal, fields: Mapping[str, Sequence[str]], receiving: Receiving
    ) -> AttachmentRow:
        """Keep a received zip as the documentation of the release that the form names, or of the newest one.

        A release that is not there yet is announced by it, as with devpi. Raises what `Uploads.check` does,
        `InvalidUpload`, `FileExists` (other documentation on an index that is not volatile).
        """
        holding = self._registry.holding
        try:
            with receiving:
                stage = self._uploads.check(index, principal)
                project = _project(fields)
                version, is_known = self._version(index, project, fields)
                sha256 = receiving.finish()
                _check_zip(receiving)
                at_us, by = self._clock(), principal.name or ""
                row = AttachmentRow(
                    index=index,
                    project=project,
                    version=version,
                    rel="doczip",
                    key=sha256[:16],
                    filename=f"{project}-{version}.doc.zip",
                    sha256=sha256,
                    size=receiving.received,
                    stored_us=at_us,
                    log=dump_log([upload_entry(at_us, by, index)]),
                )
                if not is_known:
                    said = {"name": fields["name"][0].strip(), "version": version}
                    self._store.releases.register(index, project, version, said, by=by)
                with holding.lock(sha256):
                    receiving.publish()
                    self._store.attachments.add(row, volatile=stage.volatile, by=by)
        finally:
            if receiving.stored and receiving.sha256 is not None:
                holding.let_go((receiving.sha256,))
        self._stamps.bump(project)
        log.info("documentation of %s %s uploaded to %s by %s", project, version, index, principal.name)
        return row

    def open(self, index: str, project: ProjectName, version: str, path: str) -> DocPage:
        """Return a page of the documentation of a release of this very index.

        `version` may be "latest" or "stable": the newest release that has documentation. A path that ends in a slash,
        or is empty, means the `index.html` there. Raises `IndexNotFound`, `NotFound`.
        """
        row = self._row(index, project, version)
        name = path + FRONT if not path or path.endswith("/") else path
        file = self._store.uploads.open(row.sha256)
        if file is None:
            raise FileNotHere(index, row.filename)
        with file, open_zip(file) as archive:
            try:
                body = _read(archive, archive.getinfo(name))
            except KeyError:
                raise NotFound(f"the documentation of {project} {row.version} has no {name[:200]!r}") from None
            except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError):
                raise NotFound(f"{name[:200]!r} in the documentation of {project} cannot be read") from None
        kind = mimetypes.guess_type(name, strict=False)[0] or "application/octet-stream"
        return DocPage(body, kind, f"{row.sha256[:32]}-{zlib.crc32(name.encode()):08x}")

    def _row(self, index: str, project: ProjectName, version: str) -> AttachmentRow:
        self._registry.get(index)
        rows = [row for row in self._store.attachments.of_project(index, project) if row.rel == "doczip"]
        if not rows:
            raise NotFound(f"{index} has no documentation of {project}")
        by_version = {row.version: row for row in rows}
        if version in ("latest", "stable") and version not in by_version:
            found = newest(by_version, stable=version == "stable")
            if found is None:
                raise NotFound(f"{index} has no documentation of a stable release of {project}")
            return by_version[found]
        return by_version[spelled(project, by_version, version)]

    def _version(self, index: str, project: ProjectName, fields: Mapping[str, Sequence[str]]) -> tuple[str, bool]:
        """Return the version that the form means and whether there is such a release."""
        known = self._store.releases.metadata(index, project)
        asked = next(iter(fields.get("version", ())), "").strip()
        if not asked:
            found = newest(known)
            if found is None:
                raise InvalidUpload(f"doczip has no version and {project!r} has no releases to derive one from")
            return found, True
        try:
            return spelled(project, known, asked), True
        except NotFound:
            return check_version(asked), False


def _project(fields: Mapping[str, Sequence[str]]) -> ProjectName:
    try:
        return normalize(next(iter(fields.get("name", ())), "").strip())
    except InvalidName as error:
        raise InvalidUpload(f"Invalid package name. {error.rule}") from error


def _check_zip(receiving: Receiving) -> None:
    """Refuse what is no zip, or one with too many files; what is inside is looked at when it is asked for."""
    try:
        with receiving.open_file() as file, open_zip(file) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise InvalidUpload(f"the documentation has over {MAX_MEMBERS:,} files")
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError) as error:
        raise InvalidUpload("the documentation is not a zip file") from error


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.is_dir():
        raise KeyError(info.filename)
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size > MAX_PAGE:
        raise TooLarge("a file of the documentation", MAX_PAGE)
    with archive.open(info) as member:
        data = member.read(MAX_PAGE + 1)
    if len(data) > MAX_PAGE:
        raise TooLarge("a file of the documentation", MAX_PAGE)
    return data
