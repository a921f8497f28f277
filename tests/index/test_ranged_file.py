"""A file read here and there."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest

from localpi.index import ranged_file
from localpi.index.ranged_file import LEAST, RangedFile
from made.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = bytes(range(256)) * 4096


def fetching(data: bytes) -> tuple[Callable[[int, int], bytes], list[tuple[int, int]]]:
    """What gets pieces, and the list of those that it got."""
    asked: list[tuple[int, int]] = []

    def fetch(first: int, length: int) -> bytes:
        asked.append((first, length))
        return data[first : first + length]

    return fetch, asked


def test_it_reads_as_a_file_does() -> None:
    """Wherever one seeks, the same bytes come as from a file; nothing is fetched twice."""
    fetch, asked = fetching(DATA)
    ranged, plain = RangedFile(len(DATA), DATA[-1000:], fetch), io.BytesIO(DATA)
    for offset, whence, size in (
        (-22, 2, 22), (0, 0, 10), (5, 1, 100), (LEAST - 5, 0, 10), (500_000, 0, 200_000), (0, 0, -1), (10, 2, 5),
    ):  # fmt: skip
        assert ranged.seek(offset, whence) == plain.seek(offset, whence)
        assert ranged.read(size) == plain.read(size)
        assert ranged.tell() == plain.tell()
    positions = [at for first, length in asked for at in range(first, first + length)]
    assert len(positions) == len(set(positions)) == len(DATA) - 1000


def test_a_member_costs_two_requests() -> None:
    """Of a wheel of 3 MB whose end is here, only what is around a far member is fetched."""
    _, data = make_wheel("acme", "1.0", filler=3_000_000)
    fetch, asked = fetching(data)
    ranged = RangedFile(len(data), data[-LEAST:], fetch)
    with zipfile.ZipFile(cast("BinaryIO", ranged)) as archive:
        assert archive.read("acme-1.0.dist-info/METADATA").startswith(b"Metadata-Version")
        assert asked == []
        assert archive.read("acme/__init__.py") == b'version = "1.0"\n'
    assert asked == [(0, LEAST)]


def test_what_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions before the first byte, pieces of another length, and files that would be read whole after all."""
    ranged = RangedFile(len(DATA), b"", lambda _first, _length: b"short")
    with pytest.raises(ValueError, match="before the first"):
        ranged.seek(-1)
    with pytest.raises(ValueError, match="shorter"):
        ranged.read(10)
    monkeypatch.setattr(ranged_file, "MOST", LEAST)
    with pytest.raises(ValueError, match="bytes of it are needed"):
        RangedFile(len(DATA), b"", fetching(DATA)[0]).read(LEAST + 1)
