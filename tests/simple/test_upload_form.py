"""The form of the legacy upload API."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.errors import InvalidUpload
from localpi.simple.names import Filename, ProjectName
from localpi.simple.upload_form import UploadForm, agree, parse_upload_form

SHA = "0123456789abcdef" * 4
MD5 = "0123456789abcdef" * 2
WHEEL = "a_b-1.0-py3-none-any.whl"


def fields(**changes: Sequence[str] | None) -> dict[str, Sequence[str]]:
    """A form as twine sends it; `colon_action` is `:action`, None leaves a field out."""
    form: dict[str, Sequence[str] | None] = {
        ":action": ["file_upload"],
        "protocol_version": ["1"],
        "name": ["A.B"],
        "version": ["1.0"],
        "filetype": ["bdist_wheel"],
        "sha256_digest": [SHA],
    }
    form |= {key.replace("colon_", ":"): value for key, value in changes.items()}
    return {key: value for key, value in form.items() if value is not None}


def test_a_form_of_twine() -> None:
    """Every field that is core metadata is kept, several values as tuples; UNKNOWN and empty ones are not."""
    form = fields(
        summary=["A thing"],
        requires_dist=["x", "y>1"],
        project_urls=["Home, https://a.example"],
        home_page=["UNKNOWN"],
        author=[""],
        classifiers=[],
        blake2_256_digest=[SHA.upper()],
        md5_digest=[base64.urlsafe_b64encode(bytes.fromhex(MD5)).decode().rstrip("=")],
        attestations=["[]"],
        license_file=["LICENSE", "UNKNOWN"],
    )
    expected = UploadForm(
        name="A.B",
        project=ProjectName("a-b"),
        version="1.0",
        filetype="bdist_wheel",
        filename=Filename(WHEEL),
        digests={"sha256": SHA, "blake2_256": SHA, "md5": MD5},
        metadata={
            "name": "A.B",
            "version": "1.0",
            "summary": "A thing",
            "requires_dist": ("x", "y>1"),
            "project_urls": ("Home, https://a.example",),
            "license_file": ("LICENSE",),
        },
    )
    assert expected == parse_upload_form(form, WHEEL)


@pytest.mark.parametrize(
    ("changes", "filename"),
    [
        ({"protocol_version": None, "filetype": None, "sha256_digest": None}, WHEEL),
        ({"filetype": ["sdist"]}, "a-b-1.0.tar.gz"),
        ({"filetype": ["sdist"]}, "A.B-1.0.0.zip"),
        ({"version": ["1.0.0"]}, WHEEL),
        ({"version": ["1.0-RC1"]}, "a_b-1.0rc1-py3-none-any.whl"),
        ({"version": ["1.0+Local.1"]}, "a_b-1.0+local.1-py3-none-any.whl"),
        ({"version": ["1!2.0"]}, "a_b-1!2.0-py3-none-any.whl"),
        ({"md5_digest": [MD5.upper()]}, WHEEL),
        ({"name": [" a-b "]}, WHEEL),
    ],
)
def test_forms_that_pass(changes: Mapping[str, Sequence[str] | None], filename: str) -> None:
    """Older clients send less, and versions have several spellings."""
    form = parse_upload_form(fields(**changes), filename)
    assert (form.project, form.filename) == ("a-b", filename)


@pytest.mark.parametrize(
    ("changes", "filename", "message"),
    [
        ({"colon_action": ["foo"]}, WHEEL, "action 'foo' not supported"),
        ({"colon_action": None}, WHEEL, "action '' not supported"),
        ({"protocol_version": ["2"]}, WHEEL, "protocol version '2' not supported"),
        ({}, "", "content file field not found"),
        ({"name": None}, WHEEL, 'invalid metadata: Missing required field "name"'),
        (
            {"name": ["a/b"]},
            WHEEL,
            "Invalid package name. Names must contain only ASCII letters, digits, underscores, ",
        ),
        ({"name": ["x" * 300]}, WHEEL, "Invalid package name. a project name has at most 200 characters"),
        ({"version": None}, WHEEL, 'invalid metadata: Missing required field "version"'),
        ({"version": ["one"]}, WHEEL, "invalid metadata: 'one' is not a valid version"),
        ({"version": ["1" * 5000]}, WHEEL, "is not a valid version"),
        ({"version": ["2.0"]}, WHEEL, f"filename {WHEEL!r} does not contain version '2.0'"),
        ({"name": ["c"]}, WHEEL, f"filename {WHEEL!r} does not match project name 'c'"),
        ({}, "a-b-1.0.foo", "'a-b-1.0.foo' is not a valid archive name"),
        ({}, "a-b-1.0.tar.bz2", "is not a valid archive name"),
        ({}, "../a-b-1.0.tar.gz", "is not a valid archive name"),
        ({}, "x/a-b-1.0.tar.gz", "is not a valid archive name"),
        ({}, "a-b-1.0.tar.gz\r\nX: y", "is not a valid archive name"),
        ({"filetype": ["sdist"]}, WHEEL, "does not match filetype 'sdist'"),
        ({"filetype": ["bdist_egg"]}, WHEEL, "does not match filetype 'bdist_egg'"),
        ({"sha256_digest": ["123"]}, WHEEL, "sha256_digest is not a hexadecimal digest"),
        ({"blake2_256_digest": ["g" * 64]}, WHEEL, "blake2_256_digest is not a hexadecimal digest"),
        ({"md5_digest": ["äöü"]}, WHEEL, "md5_digest is not an MD5 digest"),
        ({"md5_digest": ["abcd"]}, WHEEL, "md5_digest is not an MD5 digest"),
        ({"classifiers": ["x"] * 5001}, WHEEL, "too many or too long fields"),
        ({"description": ["x" * 9_000_000]}, WHEEL, "too many or too long fields"),
    ],
)
def test_forms_that_are_refused(changes: Mapping[str, Sequence[str] | None], filename: str, message: str) -> None:
    """The message is devpi's where devpi has one, and fits into a reason phrase."""
    with pytest.raises(InvalidUpload) as caught:
        parse_upload_form(fields(**changes), filename)
    assert message in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("1.0", "1.0.0", True), ("1.0rc1", "1.0-RC1", True), ("1.0", "1.1", False), ("x", "x", True), ("x", "1", False)],
)
def test_versions_agree_by_pep_440(one: str, other: str, expected: bool) -> None:
    """The same release may be spelt differently."""
    assert expected is agree(one, other)


_KEYS = st.sampled_from([":action", "name", "version", "filetype", "md5_digest", "sha256_digest", "classifiers", "x"])
_VALUES = st.lists(st.text(max_size=20) | st.sampled_from(["file_upload", "a-b", "1.0", SHA]), max_size=3)


@given(st.dictionaries(_KEYS, _VALUES, max_size=7), st.sampled_from([WHEEL, "a-b-1.0.zip"]) | st.text(max_size=20))
def test_any_form_gets_an_answer(form: dict[str, list[str]], filename: str) -> None:
    """A form, or InvalidUpload."""
    try:
        assert parse_upload_form(form, filename).filename == filename
    except InvalidUpload:
        return
