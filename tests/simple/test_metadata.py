"""Core metadata, and whether it agrees with the form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.errors import InvalidUpload
from localpi.simple.metadata import CoreMetadata, check_agreement, parse_core_metadata
from localpi.simple.upload_form import parse_upload_form


def metadata(name: str = "A.B", version: str = "1.0", metadata_version: str = "2.1", more: str = "") -> bytes:
    return f"Metadata-Version: {metadata_version}\nName: {name}\nVersion: {version}\n{more}\nLong text\n".encode()


def test_metadata_in_full() -> None:
    """Fields of several values are tuples."""
    more = "Requires-Python: >=3\nRequires-Dist: x\nRequires-Dist: y\nProject-URL: Home, https://a\nKeywords: k,l\n"
    expected = CoreMetadata(
        name="A.B",
        version="1.0",
        metadata_version="2.1",
        requires_python=">=3",
        fields={
            "metadata_version": "2.1",
            "name": "A.B",
            "version": "1.0",
            "requires_python": ">=3",
            "requires_dist": ("x", "y"),
            "project_urls": ("Home, https://a",),
            "keywords": ("k", "l"),
            "description": "Long text\n",
        },
    )
    assert expected == parse_core_metadata(metadata(more=more))


@pytest.mark.parametrize("version", ["1.0", "1.2", "2.4", "2.6", "2.99"])
def test_newer_minor_versions_are_read(version: str) -> None:
    """An index stores and serves minor versions that it does not know."""
    assert parse_core_metadata(metadata(metadata_version=version)).metadata_version == version


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\xff",
        b"Name: a\nVersion: 1\n",
        b"Metadata-Version: 2.1\nVersion: 1\n",
        b"Metadata-Version: 2.1\nName: a\n",
        b"Metadata-Version: 2.1\nName: a\nName: b\nVersion: 1\n",
        b"Metadata-Version: 2.1\nName: \nVersion: 1\n",
        metadata(metadata_version="3.0"),
        metadata(metadata_version="two"),
        metadata(more="x" * (5 * 1024 * 1024)),
    ],
    ids=range(10),
)
def test_metadata_that_is_none(data: bytes) -> None:
    """Without one name and one version of a known major version it is refused."""
    with pytest.raises(InvalidUpload):
        parse_core_metadata(data)


@pytest.mark.parametrize(
    ("name", "version", "fine"),
    [
        ("a_b", "1.0.0", True),
        ("A.B", "1.0", True),
        ("a", "1.0", False),
        ("a-b", "1.1", False),
        ("a b", "1.0", False),
        ("a-b", "x", False),
    ],
)
def test_metadata_agrees_with_the_form(name: str, version: str, fine: bool) -> None:
    """Normalised names and PEP 440 versions are compared."""
    form = parse_upload_form({":action": ["file_upload"], "name": ["a-b"], "version": ["1.0"]}, "a_b-1.0.tar.gz")
    found = parse_core_metadata(metadata(name, version))
    if fine:
        check_agreement(form, found)
    else:
        with pytest.raises(InvalidUpload):
            check_agreement(form, found)


@given(st.binary(max_size=60), st.text(max_size=30))
def test_any_metadata_gets_an_answer(data: bytes, text: str) -> None:
    """Core metadata, or InvalidUpload."""
    for found in (data, metadata(text), metadata(more=text), metadata() + data):
        try:
            assert parse_core_metadata(found).name
        except InvalidUpload:
            continue
