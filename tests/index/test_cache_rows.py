"""Cached files selected and added up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localpi.errors import BadRequest
from localpi.index.cache_rows import Selection, group
from localpi.reports import CacheRow
from localpi.simple.names import Sha256, normalize
from localpi.store.cached import CachedFile

PYPI, OTHER = "https://pypi.example/simple/", "https://other.example/simple/"
DAY_US = 86_400 * 1_000_000
NAMES = {PYPI: ("root/mirror", "root/pypi")}


def cached(project: str, filename: str, digit: str, size: int, used_days: int, *, source: str = PYPI) -> CachedFile:
    return CachedFile(
        source=source,
        key=digit * 16,
        filename=filename,
        project=normalize(project),
        sha256=Sha256(digit * 64),
        size=size,
        stored_us=0,
        used_us=used_days * DAY_US,
    )


IDNA = cached("idna", "idna-3.10-py3-none-any.whl", "1", 100, 5)
META = cached("idna", "idna-3.10-py3-none-any.whl.metadata", "2", 1, 6)
OLD = cached("idna", "idna-2.0.tar.gz", "3", 50, 1)
OWN = cached("acme-lib", "acme_lib-1.0-py3-none-any.whl", "4", 10, 2, source=OTHER)
FILES = (OWN, OLD, IDNA, META)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), FILES),
        (Selection(("IDNA",)), (OLD, IDNA, META)),
        (Selection(("idna==3.10.0",)), (IDNA, META)),
        (Selection(("Acme.Lib==1",)), (OWN,)),
        (Selection(("idna-2.0.tar.gz",)), (OLD,)),
        (Selection((IDNA.filename,)), (IDNA, META)),
        (Selection(("3" * 64, "acme-lib")), (OWN, OLD)),
        (Selection(("flask",)), ()),
        (Selection(unused_s=3 * 86_400), (OWN, OLD)),
        (Selection(("idna",), unused_s=3 * 86_400), (OLD,)),
    ],
)
def test_a_name_selects(selection: Selection, expected: tuple[CachedFile, ...]) -> None:
    """Projects, releases, files and hashes; metadata goes with its wheel."""
    assert selection.of(FILES, None, 6 * DAY_US) == expected


def test_an_index_selects() -> None:
    """By the sources behind it."""
    assert Selection(("idna", "acme-lib"), index="root/x").of(FILES, {OTHER}, 0) == (OWN,)


@pytest.mark.parametrize("name", ["", "idna==", "idna==x.y", "../idna", "==1", "a b"])
def test_what_is_no_name(name: str) -> None:
    """It is refused, not taken for nothing."""
    with pytest.raises(BadRequest):
        Selection((name,)).of(FILES, None, 0)


def test_too_many_names() -> None:
    """There is a limit."""
    with pytest.raises(BadRequest):
        Selection(("idna",) * 1001).of((), None, 0)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("project", [("idna", 3, 151), ("acme-lib", 1, 10)]),
        ("release", [("idna==3.10", 2, 101), ("idna==2.0", 1, 50), ("acme-lib==1.0", 1, 10)]),
        ("file", [(IDNA.filename, 1, 100), (OLD.filename, 1, 50), (OWN.filename, 1, 10), (META.filename, 1, 1)]),
        ("index", [("root/mirror", 3, 151), ("root/pypi", 3, 151), ("(no index)", 1, 10)]),
        ("user", [("root", 3, 151), ("(no index)", 1, 10)]),
    ],
)
def test_groups(by: str, expected: list[tuple[str, int, int]]) -> None:
    """The largest first; a source counts for each of its mirrors."""
    rows = group(by, FILES, NAMES, (), ())
    assert [(row.name, row.files, row.bytes) for row in rows] == expected


def test_a_row_has_it_all() -> None:
    """Last use, pins, last copies; bytes with two names count once."""
    twice = cached("idna", "idna-3.10-py2-none-any.whl", "1", 100, 7, source=OTHER)
    (row,) = group("project", (IDNA, OLD, twice), NAMES, {IDNA.sha256}, {OLD.sha256})
    both = ("root/mirror", "root/pypi")
    expected = CacheRow("idna", (), 2, 150, "1970-01-08T00:00:00Z", pinned=1, last_copies=1)
    assert replace(row, indexes=()) == expected
    assert set(row.indexes) <= set(both)
