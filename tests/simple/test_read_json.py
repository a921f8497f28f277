"""JSON pages (PEP 691): what is taken, what is mended, what is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from localpi.errors import InvalidPage
from localpi.simple.model import Page
from localpi.simple.names import ProjectName
from localpi.simple.parse import parse_page
from localpi.simple.render import JSON_TYPE

PROJECT = ProjectName("a-b")
URL = "https://index.example/simple/a-b/"
SHA = "0123456789abcdef" * 4
WHEEL = "a_b-1.0-py3-none-any.whl"


def page(*files: Any, **keys: Any) -> dict[str, Any]:
    return {"meta": {"api-version": "1.4"}, "name": "a-b", "files": list(files), **keys}


def file(**keys: Any) -> dict[str, Any]:
    return {"filename": WHEEL, "url": f"https://files.example/x/{WHEEL}", "hashes": {"sha256": SHA}, **keys}


def parse(value: Any, content_type: str = JSON_TYPE) -> Page:
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return parse_page(body, content_type, PROJECT, URL)


def test_a_page_of_pypi_is_taken_as_it_is() -> None:
    """All of API 1.4 survives, PyPI's alias of core-metadata excepted."""
    full = file(
        **{
            "core-metadata": {"sha256": SHA},
            "requires-python": ">=3.9",
            "size": 12345,
            "upload-time": "2024-01-02T03:04:05.123456Z",
            "yanked": "broken",
            "gpg-sig": True,
            "provenance": "https://index.example/integrity/a-b/1.0/x/provenance",
        }
    )
    keys: dict[str, Any] = {"versions": ["1.0"], "project-status": {"status": "archived", "reason": "old"}}
    sent = page(full | {"data-dist-info-metadata": {"sha256": SHA}}, **keys)
    assert page(full, **keys) == parse(sent)


def test_unknown_keys_survive() -> None:
    """What later PEPs bring goes through, at every level."""
    sent = page(file(shiny={"a": [1, 2.5, None]}), namespaces=None) | {"meta": {"api-version": "1.9", "_serial": 5}}
    assert sent == parse(sent)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"upload-time": ""}, {}),
        ({"upload-time": None}, {}),
        ({"upload-time": 5}, {}),
        ({"upload-time": "yesterday"}, {}),
        ({"upload-time": "2024-01-02T03:04:05"}, {}),
        ({"upload-time": "2024-01-02T03:04:05+00:00"}, {"upload-time": "2024-01-02T03:04:05.000000Z"}),
        ({"upload-time": "2024-01-02T03:04:05.5+02:00"}, {"upload-time": "2024-01-02T01:04:05.500000Z"}),
        ({"upload-time": "0001-01-01T00:00:00+02:00"}, {}),
        ({"upload-time": "2024-01-02T03:04:05Z"}, {"upload-time": "2024-01-02T03:04:05Z"}),
        ({"requires-python": ""}, {}),
        ({"requires-python": None}, {}),
        ({"requires-python": ["3"]}, {}),
        ({"requires-python": ">" * 1001}, {}),
        ({"yanked": None}, {}),
        ({"yanked": ""}, {}),
        ({"yanked": 1}, {}),
        ({"yanked": False}, {"yanked": False}),
        ({"yanked": True}, {"yanked": True}),
        ({"yanked": "y" * 2000}, {"yanked": "y" * 1000}),
        ({"size": -1}, {}),
        ({"size": True}, {}),
        ({"size": "5"}, {}),
        ({"size": 1 << 60}, {}),
        ({"size": 0}, {"size": 0}),
        ({"gpg-sig": "true"}, {}),
        ({"provenance": None}, {}),
        ({"provenance": "javascript:alert(1)"}, {}),
        ({"core-metadata": None}, {}),
        ({"core-metadata": "true"}, {}),
        ({"core-metadata": False}, {"core-metadata": False}),
        ({"core-metadata": {}}, {"core-metadata": True}),
        ({"core-metadata": {"sha256": SHA.upper()}}, {"core-metadata": {"sha256": SHA}}),
        ({"core-metadata": {"sha256": "x"}}, {"core-metadata": True}),
        ({"dist-info-metadata": {"sha256": SHA}}, {"core-metadata": {"sha256": SHA}}),
        ({"data-dist-info-metadata": True}, {"core-metadata": True}),
        ({"deep": {"a": {"b": {}}}}, {"deep": {"a": {"b": {}}}}),
    ],
)
def test_optional_keys_are_right_or_left_out(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """A value that a PEP does not allow would make uv refuse the page: it is dropped."""
    assert [file(**expected)] == parse(page(file(**given)))["files"]


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        ({}, {}),
        (None, {}),
        ([SHA], {}),
        ({"sha256": SHA.upper()}, {"sha256": SHA}),
        ({"sha256": SHA[:-1]}, {}),
        ({"sha256": 5}, {}),
        ({"sha256": ""}, {}),
        ({"md5": "a" * 32}, {"md5": "a" * 32}),
        ({"md5": "a" * 32, "sha256": SHA}, {"md5": "a" * 32, "sha256": SHA}),
        ({"blake2b": "ab" * 32, "sha256": SHA}, {"blake2b": "ab" * 32, "sha256": SHA}),
        ({"sha256-" + SHA: ""}, {}),
    ],
)
def test_hashes_are_digests_or_left_out(hashes: Any, expected: dict[str, str]) -> None:
    """Digests are compared in lower case; what is none does not count."""
    assert [file(hashes=expected)] == parse(page(file(hashes=hashes)))["files"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://files.example/{WHEEL}", f"https://files.example/{WHEEL}"),
        (f"https://files.example/{WHEEL}#sha256={SHA}", f"https://files.example/{WHEEL}"),
        (WHEEL, f"https://index.example/simple/a-b/{WHEEL}"),
        (f"./{WHEEL}", f"https://index.example/simple/a-b/{WHEEL}"),
        (f"../../files/x/{WHEEL}", f"https://index.example/files/x/{WHEEL}"),
        (f"../../../../{WHEEL}", f"https://index.example/{WHEEL}"),
        (f"/files/{WHEEL}", f"https://index.example/files/{WHEEL}"),
        (f"//files.example/{WHEEL}", f"https://files.example/{WHEEL}"),
        (f"x/../{WHEEL}", f"https://index.example/simple/a-b/{WHEEL}"),
        (f"{WHEEL}?token=a b", f"https://index.example/simple/a-b/{WHEEL}?token=a%20b"),
        (f"https://me:secret@files.example/{WHEEL}", f"https://files.example/{WHEEL}"),
        (f"HTTPS://files.example/ü/{WHEEL}", f"https://files.example/%C3%BC/{WHEEL}"),
        (f"http://[::1]:80/{WHEEL}", f"http://[::1]:80/{WHEEL}"),
    ],
)
def test_urls_become_absolute(url: str, expected: str) -> None:
    """URLs are relative to the page; fragments and userinfo go."""
    assert [file(url=expected)] == parse(page(file(url=url)))["files"]


@pytest.mark.parametrize(
    "bad",
    [
        5,
        None,
        [],
        {},
        file(filename="../a.whl"),
        file(filename="other-1.0-py3-none-any.whl"),
        file(filename="a-1.0.zip"),
        file(filename="a_b_c-1.0.zip"),
        file(filename=""),
        file(filename=5),
        file(filename="a" * 300 + ".whl"),
        file(url=None),
        file(url="ftp://files.example/a.whl"),
        file(url="file:///etc/passwd"),
        file(url="http://[::1/a.whl"),
        file(url="http://[::::::::::]/a.whl"),
        file(url="http://files.example:99999/a.whl"),
        file(url="http://files.example:a/a.whl"),
        file(url="http://:80/a.whl"),
        file(url="https://files.example/a\r\nLocation: b"),
        file(url="javascript:alert(1)"),
        file(url="https://files.example/" + "a" * 5000),
    ],
)
def test_files_without_usable_name_or_url_are_left_out(bad: Any) -> None:
    """One bad file does not cost the page."""
    good = file(filename="a_b-2.0-py3-none-any.whl")
    assert [good] == parse(page(bad, good))["files"]
    with pytest.raises(InvalidPage):
        parse(page(bad))


def test_the_first_of_two_files_of_one_name_counts() -> None:
    """A file name stands once on a page."""
    assert [file(size=1)] == parse(page(file(size=1), file(size=2)))["files"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff",
        orjson.dumps(page(file()))[:-5],
        b"[" * 100_000,
        b'{"meta":{"api-version":"1.0"},"name":"a-b","files":[],"x":"\xed\xa0\x80"}',
        orjson.dumps(page() | {"name": "other"}),
        orjson.dumps(page() | {"name": None}),
        orjson.dumps(page() | {"name": "../a-b"}),
        orjson.dumps(page() | {"files": {}}),
        orjson.dumps(page() | {"files": None}),
        orjson.dumps(page() | {"meta": None}),
        orjson.dumps(page() | {"meta": {"api-version": "2.0"}}),
        orjson.dumps(page() | {"meta": {"api-version": "0.9"}}),
        orjson.dumps(page() | {"meta": {"api-version": "10.0"}}),
        orjson.dumps(page() | {"meta": {"api-version": 1.0}}),
        orjson.dumps(page() | {"meta": {"api-version": "1.x"}}),
        orjson.dumps({"meta": {"api-version": "1.0"}, "projects": [{"name": "a-b"}]}),
        orjson.dumps({"message": "please log in"}),
    ],
)
def test_what_is_no_page_of_the_project_is_refused(body: bytes) -> None:
    """Nothing but a page of that project with major version 1 passes."""
    with pytest.raises(InvalidPage):
        parse(body)


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "image/png"])
def test_other_content_types_are_refused(content_type: str) -> None:
    """Only the types of the Simple API are looked at."""
    with pytest.raises(InvalidPage):
        parse(page(file()), content_type)


@pytest.mark.parametrize("content_type", [JSON_TYPE + "; charset=utf-8", JSON_TYPE.upper()])
def test_content_types_have_parameters_and_any_case(content_type: str) -> None:
    """A content type is compared as RFC 9110 says."""
    assert page(file()) == parse(page(file()), content_type)


def test_the_name_on_a_page_may_be_unnormalised() -> None:
    """The page has the normal form afterwards."""
    assert page() == parse(page() | {"name": "A.B"})


def test_a_page_without_files_is_a_page() -> None:
    """A project may have no files."""
    assert page(versions=[]) == parse(page(versions=[]))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"versions": None}, {}),
        ({"versions": ["1.0", 5, "", "9" * 300]}, {"versions": ["1.0"]}),
        ({"project-status": "archived"}, {}),
        ({"project-status": {"status": 5}}, {}),
        ({"project-status": {"status": "active", "reason": ""}}, {"project-status": {"status": "active"}}),
        ({"project-status": {"status": "active", "reason": 5}}, {"project-status": {"status": "active"}}),
        ({"project-status": {"status": "active", "more": 1}}, {"project-status": {"status": "active", "more": 1}}),
    ],
)
def test_optional_keys_of_the_page_are_right_or_left_out(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """The page's own keys are held to their PEPs too."""
    assert page(**expected) == parse(page(**given))


def test_values_that_nest_too_deep_are_left_out() -> None:
    """An unknown value that could not be written again does not cost the page."""
    deep: Any = []
    for _ in range(300):
        deep = {"x": deep}
    body = b'{"meta":{"api-version":"1.0","m":%b},"name":"a-b","d":%b,"files":[%b]}'
    nested = b"[" * 500 + b"]" * 500
    sent = body % (nested, nested, orjson.dumps(file())[:-1] + b',"deep":' + nested + b"}")
    assert {"meta": {"api-version": "1.0"}, "name": "a-b", "files": [file()]} == parse(sent)


def test_a_page_of_too_many_files_is_refused() -> None:
    """200,000 files are the limit, whether they are good or not."""
    with pytest.raises(InvalidPage, match="200,001 files"):
        parse(b'{"meta":{"api-version":"1.0"},"name":"a-b","files":[' + b"0," * 200_000 + b"0]}")


def test_a_page_of_too_many_bytes_is_refused() -> None:
    """64 MB are the limit."""
    with pytest.raises(InvalidPage, match="limit"):
        parse(b" " * (64 * 1024 * 1024 + 1))
