"""A look into an uploaded wheel or sdist for its core metadata. Nothing is extracted, and nothing is trusted.

Essential reading: the wheel and sdist specifications of the PyPA, PEP 643. What is read is bounded by what comes out,
not by what headers claim: 306 kB of wheel can hold 300 MB of METADATA.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from localpi.errors import InvalidName, InvalidUpload
from localpi.simple.metadata import parse_core_metadata
from localpi.simple.names import normalize
from localpi.simple.upload_form import agree

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.simple.names import ParsedFilename

_MAX_METADATA: Final = 5 * 1024 * 1024
_MAX_MEMBERS: Final = 100_000
_MAX_DIRECTORY: Final = 16 * 1024 * 1024
"""The largest central directory, and the largest single read: 170,000 members take zipfile a second to list."""

_MAX_UNPACKED: Final = 1024 * 1024 * 1024
_MIN_UNPACKED: Final = 100 * 1024 * 1024
_MAX_RATIO: Final = 50
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 1
_BROKEN: Final = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, LookupError, OverflowError, gzip.BadGzipFile,
)  # fmt: skip
"""What zipfile, tarfile and gzip raise for bytes that are not such an archive."""


def read_core_metadata(file: BinaryIO, parsed: ParsedFilename) -> bytes:
    """Give the METADATA of a wheel or the PKG-INFO of an sdist; `b""` for an old sdist that has none.

    `file` is seekable and stays open. Raises InvalidUpload: not such an archive, no or several METADATA, that of
    another project or version, over 5 MB of it, over 100,000 members, names that lead elsewhere, a gzip bomb.
    """
    file.seek(0)
    reader = _reader(parsed)
    try:
        return reader(file, parsed)
    except _BROKEN as error:
        raise InvalidUpload(f"{parsed.filename!r} is not a valid archive: {_said(error)}") from error


def read_wheel_metadata(file: BinaryIO, parsed: ParsedFilename) -> bytes:
    """Give the METADATA of somebody else's wheel; its other members are for whoever installs it to judge.

    `file` is seekable and stays open; of a large wheel only the end and the member are read. Raises InvalidUpload: no
    wheel, no METADATA of that project and version in it, its CRC is wrong, over 5 MB of it.
    """
    try:
        with open_zip(file) as archive:
            found = [
                info
                for info in archive.infolist()[:_MAX_MEMBERS]
                if re.fullmatch(r"[^/]+\.dist-info/METADATA", info.orig_filename)
                and _is_of(info.orig_filename.partition(".dist-info/")[0], parsed)
            ]
            if len(found) != 1:
                raise InvalidUpload(f"{parsed.filename!r} has {len(found)} .dist-info/METADATA files of its own")
            data = _read_member(archive, found[0], parsed)
    except _BROKEN as error:
        raise InvalidUpload(f"{parsed.filename!r} is not a valid archive: {_said(error)}") from error
    metadata = parse_core_metadata(data)
    if not _agrees(metadata.name, metadata.version, parsed):
        raise InvalidUpload(f"{parsed.filename!r} has the metadata of {metadata.name[:80]!r} {metadata.version[:80]!r}")
    return data


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip whose list of members has a size that can be read: 1 GB of it would take 5 GB of memory.

    Raises what zipfile does, ValueError for one that is too large.
    """
    return zipfile.ZipFile(cast("BinaryIO", _Bounded(file)))


def _reader(parsed: ParsedFilename) -> Callable[[BinaryIO, ParsedFilename], bytes]:
    if parsed.filetype == "bdist_wheel":
        return _read_wheel
    return _read_zip_sdist if parsed.filename.endswith(".zip") else _read_tar_sdist


def _said(error: BaseException) -> str:
    return re.sub(r"[^ -~]+", " ", str(error))[:100] or type(error).__name__


def _read_wheel(file: BinaryIO, parsed: ParsedFilename) -> bytes:
    with open_zip(file) as archive:
        members = _members(archive, parsed)
        found = [name for name in members if re.fullmatch(r"[^/]+\.dist-info/METADATA", name, re.IGNORECASE)]
        if len(found) != 1:
            raise InvalidUpload(f"{parsed.filename!r} has {len(found)} .dist-info/METADATA files, not one")
        if not found[0].endswith(".dist-info/METADATA") or not _is_of(found[0].partition(".dist-info/")[0], parsed):
            raise InvalidUpload(f"{parsed.filename!r} has the metadata of {found[0][:80]!r}")
        return _read_member(archive, members[found[0]], parsed)


def _read_zip_sdist(file: BinaryIO, parsed: ParsedFilename) -> bytes:
    with open_zip(file) as archive:
        members = _members(archive, parsed)
        found = [name for name in members if re.fullmatch(r"[^/]+/PKG-INFO", name)]
        return _read_member(archive, members[found[0]], parsed) if found else b""


def _members(archive: zipfile.ZipFile, parsed: ParsedFilename) -> dict[str, zipfile.ZipInfo]:
    """List the members; refuse names that lead elsewhere, two of one name, and methods that installers do not read."""
    infos = archive.infolist()
    if len(infos) > _MAX_MEMBERS:
        raise InvalidUpload(f"{parsed.filename!r} has over {_MAX_MEMBERS:,} members")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.orig_filename
        if not _is_safe(name) or name in members:
            raise InvalidUpload(f"{parsed.filename!r} has a member {name[:80]!r} that is unsafe or there twice")
        if info.compress_type not in _METHODS or info.flag_bits & _ENCRYPTED:
            raise InvalidUpload(f"{parsed.filename!r} has a member {name[:80]!r} that is encrypted or packed unusually")
        members[name] = info
    return members


def _is_safe(name: str) -> bool:
    if not name or name.startswith("/") or "\\" in name or "\0" in name:
        return False
    return ".." not in name or ".." not in name.split("/")


def _is_of(stem: str, parsed: ParsedFilename) -> bool:
    """Say whether `{name}-{version}` in front of .dist-info is the file's own (wheel specification)."""
    name, _, version = stem.partition("-")
    return _agrees(name, version, parsed)


def _agrees(name: str, version: str, parsed: ParsedFilename) -> bool:
    try:
        return normalize(name) == parsed.project and agree(version, parsed.version)
    except InvalidName:
        return False


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, parsed: ParsedFilename) -> bytes:
    with archive.open(info) as member:
        return _bounded_metadata(member.read(_MAX_METADATA + 1), parsed)


def _bounded_metadata(data: bytes, parsed: ParsedFilename) -> bytes:
    if len(data) > _MAX_METADATA:
        raise InvalidUpload(f"{parsed.filename!r} has over {_MAX_METADATA:,} bytes of metadata")
    return data


def _read_tar_sdist(file: BinaryIO, parsed: ParsedFilename) -> bytes:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    limit = min(_MAX_UNPACKED, _MIN_UNPACKED + _MAX_RATIO * size)
    unpacked = _Bounded(gzip.GzipFile(fileobj=file, mode="rb"), limit)
    with tarfile.open(fileobj=cast("BinaryIO", unpacked), mode="r:") as archive:
        for _ in range(_MAX_MEMBERS):
            member = archive.next()
            if member is None:
                return b""
            archive.members.clear()  # type: ignore[attr-defined]  # typeshed lacks it; a TarInfo of 1 kB is kept of each
            if member.isfile() and re.fullmatch(r"(?:\./)?[^/]+/PKG-INFO", member.name):
                content = archive.extractfile(member)
                found = _bounded_metadata(content.read(_MAX_METADATA + 1), parsed) if content else b""
                while unpacked.read(_MAX_DIRECTORY):  # an upload that was cut off ends before its checksum
                    pass
                return found
    raise InvalidUpload(f"{parsed.filename!r} has over {_MAX_MEMBERS:,} members")


class _Bounded(io.RawIOBase):
    """A file that gives at most 16 MB per read; with a `limit`, nothing behind that and no way back.

    A member that claims a negative size sends tarfile back to where it was, without end (CVE-2025-8194).
    """

    def __init__(self, file: BinaryIO | gzip.GzipFile, limit: int | None = None) -> None:
        self._file = file
        self._limit = limit

    def read(self, size: int = -1, /) -> bytes:
        if size > _MAX_DIRECTORY:
            raise ValueError("a part of it is too large")
        data = self._file.read(size if size >= 0 else _MAX_DIRECTORY)
        self._check(self._file.tell())
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_SET:
            self._check(offset)
            if offset < (0 if self._limit is None else self._file.tell() - tarfile.BLOCKSIZE):
                raise ValueError("it points backwards")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def _check(self, position: int) -> None:
        if self._limit is not None and position > self._limit:
            raise ValueError("it unpacks to too much")
