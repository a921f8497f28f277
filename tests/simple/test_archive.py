"""A look into wheels and sdists, honest and crafted ones."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.errors import InvalidUpload
from localpi.simple.archive import open_zip, read_core_metadata
from localpi.simple.names import parse_filename
from made.wheels import core_metadata, make_sdist, make_wheel

WHEEL = "a_b-1.0-py3-none-any.whl"
SDIST = "a_b-1.0.tar.gz"
METADATA = "a_b-1.0.dist-info/METADATA"
FOUND = core_metadata("a-b", "1.0")


def look(filename: str, data: bytes) -> bytes:
    return read_core_metadata(io.BytesIO(data), parse_filename(filename))


def a_zip(members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def a_tar(members: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["a-b", "a.b", "A_B"])
def test_a_wheel_has_its_metadata(name: str) -> None:
    """METADATA of the one .dist-info that is the wheel's own."""
    filename, data = make_wheel(name, "1.0")
    assert core_metadata(name, "1.0") == look(filename, data)


def test_an_sdist_has_its_pkg_info() -> None:
    """PKG-INFO in the one top folder."""
    filename, data = make_sdist("a-b", "1.0")
    assert look(filename, data) == FOUND


@pytest.mark.parametrize(
    ("filename", "data", "expected"),
    [
        (SDIST, a_tar([("a_b-1.0/PKG-INFO", FOUND)]), FOUND),
        (SDIST, a_tar([("./a_b-1.0/PKG-INFO", FOUND)]), FOUND),
        (SDIST, a_tar([("a_b-1.0/x/PKG-INFO", b"other"), ("a_b-1.0/PKG-INFO", FOUND)]), FOUND),
        (SDIST, a_tar([("a_b-1.0/setup.py", b"")]), b""),
        (SDIST, a_tar([]), b""),
        (SDIST, gzip.compress(b"\0" * 512 + b"x" * 5000), b""),
        ("a_b-1.0.zip", a_zip([("a_b-1.0/PKG-INFO", FOUND)]), FOUND),
        ("a_b-1.0.zip", a_zip([("a_b-1.0/setup.py", b"")]), b""),
        (WHEEL, a_zip([("a_b-1.0.dist-info/METADATA", FOUND), ("x.dist-info/RECORD", b"")]), FOUND),
        (WHEEL, a_zip([("A.B-1.0.0.dist-info/METADATA", FOUND)]), FOUND),
        (WHEEL, a_zip([("a_b-1.0.dist-info/METADATA", FOUND)], zipfile.ZIP_STORED), FOUND),
        (WHEEL, a_zip([("x/y-1.0.dist-info/METADATA", b""), ("a_b-1.0.dist-info/METADATA", FOUND)]), FOUND),
    ],
)
def test_metadata_is_found(filename: str, data: bytes, expected: bytes) -> None:
    """Where the specifications put it, or nothing for an old sdist."""
    assert expected == look(filename, data)


def _lying_size() -> bytes:
    data = a_zip([(METADATA, b"a" * 1000)])
    at = data.rindex(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<L", 10) + data[at + 4 :]


def _encrypted() -> bytes:
    data = a_zip([(METADATA, FOUND)])
    at = data.rindex(b"PK\x01\x02") + 8
    return data[:at] + b"\x01\x00" + data[at + 2 :]


def _nul_name() -> bytes:
    return a_zip([(METADATA + "XtxtX", FOUND)]).replace(b"METADATAXtxtX", b"METADATA\0.txt")


def _far_directory() -> bytes:
    data = a_zip([(METADATA, FOUND)])
    at = data.rindex(b"PK\x05\x06") + 12
    return data[:at] + struct.pack("<L", 0x7FFFFFFF) + data[at + 4 :]


def _negative_tar() -> bytes:
    """A header whose size is -1024, in base 256 with its checksum right (CVE-2025-8194)."""
    header = bytearray(tarfile.TarInfo("a_b-1.0/x").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) * 4 + b"\0" * 1024)


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        pytest.param(WHEEL, b"", id="empty wheel"),
        pytest.param(SDIST, b"", id="empty sdist"),
        pytest.param(WHEEL, b"hello" * 100, id="no zip"),
        pytest.param(SDIST, b"hello" * 100, id="no gzip"),
        pytest.param(SDIST, gzip.compress(b"hello" * 1000), id="no tar"),
        pytest.param(WHEEL, make_wheel("a-b", "1.0")[1][:-30], id="cut wheel"),
        pytest.param(SDIST, a_tar([("x", b"y" * 99999)])[:-40], id="cut sdist"),
        pytest.param(WHEEL, a_tar([(METADATA, FOUND)]), id="tar as wheel"),
        pytest.param(WHEEL, a_zip([("a_b/__init__.py", b"")]), id="no metadata"),
        pytest.param(WHEEL, a_zip([("c-1.0.dist-info/METADATA", FOUND)]), id="of another project"),
        pytest.param(WHEEL, a_zip([("a_b-2.0.dist-info/METADATA", FOUND)]), id="of another version"),
        pytest.param(WHEEL, a_zip([("a_b.dist-info/METADATA", FOUND)]), id="of no version"),
        pytest.param(WHEEL, a_zip([("a_b-1.0.dist-info/metadata", FOUND)]), id="in lower case"),
        pytest.param(WHEEL, a_zip([(METADATA, FOUND), ("c-1.0.dist-info/METADATA", FOUND)]), id="two dist-infos"),
        pytest.param(WHEEL, a_zip([(METADATA, FOUND), ("../x", b"")]), id="up"),
        pytest.param(WHEEL, a_zip([(METADATA, FOUND), ("/x", b"")]), id="absolute"),
        pytest.param(WHEEL, a_zip([(METADATA, FOUND), ("a\\x", b"")]), id="backslash"),
        pytest.param(WHEEL, a_zip([(METADATA, FOUND), ("a/../../x", b"")]), id="up in between"),
        pytest.param(WHEEL, a_zip([(METADATA, FOUND), ("x", b"")], zipfile.ZIP_BZIP2), id="bzip2"),
        pytest.param(WHEEL, a_zip([(METADATA, b"x" * (5 * 1024 * 1024 + 1))]), id="metadata over 5 MB"),
        pytest.param(WHEEL, a_zip((f"x{n}", b"") for n in range(100_001)), id="over 100,000 members"),
        pytest.param(WHEEL, _lying_size(), id="lying size"),
        pytest.param(WHEEL, _encrypted(), id="encrypted"),
        pytest.param(WHEEL, _nul_name(), id="NUL in a name"),
        pytest.param(WHEEL, _far_directory(), id="directory beyond the file"),
        pytest.param(SDIST, a_tar([("a_b-1.0/PKG-INFO", b"x" * (5 * 1024 * 1024 + 1))]), id="PKG-INFO over 5 MB"),
        pytest.param(SDIST, _negative_tar(), id="negative size"),
        pytest.param("a_b-1.0.zip", b"PK", id="no zip sdist"),
    ],
)
def test_crafted_archives_are_refused(filename: str, data: bytes) -> None:
    """Each has an answer in bounded time and memory."""
    with pytest.raises(InvalidUpload) as caught:
        look(filename, data)
    assert caught.value.message.isprintable()


def test_a_member_there_twice_is_refused() -> None:
    """Installers differ in which of two they take."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = a_zip([(METADATA, FOUND), (METADATA, b"other")])
    with pytest.raises(InvalidUpload, match="there twice"):
        look(WHEEL, data)


def test_a_gzip_bomb_is_refused() -> None:
    """300 MB of zeros behind one header are 300 kB; at most 100 MB and fifty times its size are unpacked."""
    info = tarfile.TarInfo("a_b-1.0/zeros")
    info.size = 300 * 1024 * 1024
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as packed:
        packed.write(info.tobuf())
        for _ in range(300):
            packed.write(b"\0" * 1024 * 1024)
    with pytest.raises(InvalidUpload, match="unpacks to too much"):
        look(SDIST, buffer.getvalue())


def test_a_long_header_is_not_read() -> None:
    """A pax header that claims 50 MB is not taken into memory."""
    info = tarfile.TarInfo("a_b-1.0/pax")
    info.type = tarfile.XHDTYPE
    info.size = 50 * 1024 * 1024
    data = gzip.compress(info.tobuf() + b"\0" * (51 * 1024 * 1024), compresslevel=1)
    with pytest.raises(InvalidUpload, match="too large"):
        look(SDIST, data)


_EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 8), st.binary(max_size=5)), min_size=1, max_size=5)
_ORIGINALS = ((WHEEL, make_wheel("a-b", "1.0")[1]), ("a_b-1.0.zip", a_zip([("a_b-1.0/PKG-INFO", FOUND)])))
_TAR = gzip.decompress(make_sdist("a-b", "1.0")[1])


@given(_EDITS, st.integers(0, 2))
def test_damaged_archives_get_an_answer(edits: list[tuple[int, int, bytes]], which: int) -> None:
    """Metadata, or InvalidUpload."""
    filename, data = _ORIGINALS[which] if which < 2 else (SDIST, _TAR)
    for at, length, put in edits:
        at %= len(data) + 1  # noqa: PLW2901  # within what there is
        data = data[:at] + put + data[at + length :]
    try:
        look(filename, data if which < 2 else gzip.compress(data))
    except InvalidUpload:
        return


def test_list_of_members_is_bounded_before_it_is_read() -> None:
    """170,000 members in a list of 20 MB cost 80 MB and 2 s; 1 GB of them would cost all there is."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, *[0] * 7, 80, *[0] * 6) + b"x" * 80
    count = 170_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, count * len(entry), 0, 0)
    with pytest.raises(ValueError, match="too large"):
        open_zip(io.BytesIO(entry * count + end))


@pytest.mark.parametrize("missing", [1, 8, 20])
def test_sdist_that_was_cut_off_is_refused(missing: int) -> None:
    """Its PKG-INFO comes first and is whole; what is not is the end."""
    data = make_sdist("a-b", "1.0")[1]
    assert look(SDIST, data) == FOUND
    with pytest.raises(InvalidUpload, match="not a valid archive"):
        look(SDIST, data[:-missing])
