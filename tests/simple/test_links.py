"""Our URLs of files, and the way back from one to the file on a stored page."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from localpi.errors import InvalidName
from localpi.simple.links import FileRef, file_path, find_file, link_page, origin_of, parse_ref, ref_of
from localpi.simple.model import File, Page
from localpi.simple.names import Filename, ProjectName
from localpi.simple.parse import parse_page
from localpi.simple.render import JSON_TYPE, TEXT_HTML

PROJECT = ProjectName("a-b")
URL = "https://index.example/simple/a-b/"
SHA = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def a_file(filename: str = "a_b-1.0.zip", sha256: str = SHA, url: str = "", **keys: Any) -> File:
    file: File = {"filename": filename, "url": url or f"https://files.example:80/x/y/{filename}", "hashes": {}}
    if sha256:
        file["hashes"]["sha256"] = sha256
    file.update(keys)  # type: ignore[typeddict-item]  # keys of later PEPs
    return file


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (a_file(), "/root/pypi/+f/012/3456789abcdef/a_b-1.0.zip"),
        (a_file("a_b-1.0+x.zip"), "/root/pypi/+f/012/3456789abcdef/a_b-1.0%2Bx.zip"),
        (a_file("a_b-1!1.0.zip"), "/root/pypi/+f/012/3456789abcdef/a_b-1%211.0.zip"),
        (a_file(sha256=""), "/root/pypi/+e/https_files.example_80_x_y/a_b-1.0.zip"),
        (
            a_file(sha256="", url="http://localhost:33101/pkg/a.zip?x#y"),
            "/root/pypi/+e/http_localhost_33101_pkg/a_b-1.0.zip",
        ),
        (a_file(sha256="", url="http://h/a.zip"), "/root/pypi/+e/http_h/a_b-1.0.zip"),
        (a_file(sha256="", url="http://me:pw@h/a.zip"), "/root/pypi/+e/http_h/a_b-1.0.zip"),
    ],
)
def test_a_file_has_a_path(file: File, expected: str) -> None:
    """Paths are devpi's, percent-encoded, without a host."""
    assert expected == file_path("root/pypi", file)


def test_an_index_name_is_quoted() -> None:
    """Index names may have characters that a URL may not."""
    assert file_path("ä/b", a_file()).startswith("/%C3%A4/b/+f/")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            ("+f", "012", "3456789abcdef", "a-1.0.zip"),
            FileRef("+f", "0123456789abcdef", Filename("a-1.0.zip"), is_metadata=False),
        ),
        (
            ("+f", "012", "3456789abcdef", "a-1.0-py3-none-any.whl.metadata"),
            FileRef("+f", "0123456789abcdef", Filename("a-1.0-py3-none-any.whl"), is_metadata=True),
        ),
        (
            ("+e", "http_h_80_x", "a-1.0+x.zip"),
            FileRef("+e", "http_h_80_x", Filename("a-1.0+x.zip"), is_metadata=False),
        ),
    ],
)
def test_a_path_is_read_back(parts: tuple[str, ...], expected: FileRef) -> None:
    """A ref says what the path says."""
    assert expected == parse_ref(*parts)
    assert "/".join(parts) == expected.path


@pytest.mark.parametrize(
    "parts",
    [
        ("+f", "012", "3456789abcdef"),
        ("+f", "012", "3456789abcdef", "a.zip", "b"),
        ("+f", "01A", "3456789abcdef", "a.zip"),
        ("+f", "..", "3456789abcdef", "a.zip"),
        ("+f", "012", "3456789abcde", "a.zip"),
        ("+f", "012", "3456789abcdef", "../a.zip"),
        ("+f", "012", "3456789abcdef", ".metadata"),
        ("+f", "012", "3456789abcdef", ""),
        ("+e", "..", "a.zip"),
        ("+e", "http_" + "a" * 300, "a.zip"),
        ("+e", "http_h", "x", "a.zip"),
        ("+g", "http_h", "a.zip"),
        ("",),
    ],
)
def test_other_paths_are_none_of_a_file(parts: tuple[str, ...]) -> None:
    """A path that we do not make is refused."""
    with pytest.raises(InvalidName):
        parse_ref(*parts)


@pytest.mark.parametrize(
    "file", [a_file(), a_file(sha256=""), a_file(sha256="", url="https://h/" + "x" * 900 + "/a.zip")]
)
def test_the_path_of_a_file_leads_to_its_ref(file: File) -> None:
    """file_path, parse_ref and ref_of agree."""
    assert ref_of(file) == parse_ref(*file_path("r/i", file).split("/")[3:])


def test_origins_are_bounded() -> None:
    """A very long URL has a name of bounded length."""
    assert len(origin_of("https://h/" + "x/" * 1000)) == len("https_") + 250


def test_a_linked_page_keeps_all_but_what_is_private() -> None:
    """Our paths instead of URLs; private keys stay behind, on every level; the page itself is not changed."""
    sent: Page = {
        "meta": {"api-version": "1.4", "_last-serial": 5, "more": 1},
        "name": "a-b",
        "files": [a_file(size=5, _private=1, shiny=2), a_file("a_b-2.0.zip", sha256="")],
        "versions": ["1.0"],
    }
    page: Any = sent | {"_x": 1, "shiny": 2}
    before = orjson.dumps(page)
    assert link_page(page, "root/pypi") == {
        "meta": {"api-version": "1.4", "more": 1},
        "name": "a-b",
        "files": [
            a_file(url="/root/pypi/+f/012/3456789abcdef/a_b-1.0.zip", size=5, shiny=2),
            a_file("a_b-2.0.zip", sha256="", url="/root/pypi/+e/https_files.example_80_x_y/a_b-2.0.zip"),
        ],
        "versions": ["1.0"],
        "shiny": 2,
    }
    assert before == orjson.dumps(page)


def _json(*files: File, indent: bool = False) -> tuple[bytes, str]:
    value = {"meta": {"api-version": "1.4"}, "name": "a-b", "files": list(files)}
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None), JSON_TYPE


def _html(*files: File, start: str = "") -> tuple[bytes, str]:
    digests = [f"#sha256={file['hashes']['sha256']}" if file["hashes"] else "" for file in files]
    links = [f'<a href="{file["url"]}{digests[at]}">{file["filename"]}</a>\n' for at, file in enumerate(files)]
    return (start + "".join(links)).encode(), TEXT_HTML


FILES = (
    a_file("a_b-1.0-py3-none-any.whl"),
    a_file("a_b-1.0.zip", OTHER),
    a_file("a_b-1.0+local.zip", SHA),
    a_file("a_b-2.0.zip", ""),
)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        _json(*FILES),
        _json(*FILES, indent=True),
        _json(a_file("a_b-1.0.zip", sha256="", url="ftp://x/a_b-1.0.zip"), *FILES),
        (_json(*FILES)[0].replace(b"+", rb"\u002b"), JSON_TYPE),
        (_json(*FILES)[0].replace(b'{"filename', b'{"x":{"y":{}},"filename'), JSON_TYPE),
        _html(*FILES),
        _html(*FILES, start="<p>a_b-1.0.zip</p>"),
        (_html(*FILES)[0].replace(b"+", b"%2B"), TEXT_HTML),
        (_html(*FILES)[0].replace(b"+", b"%2b"), TEXT_HTML),
        (_html(*FILES)[0].replace(b"+", b"&#43;"), TEXT_HTML),
        (_html(*FILES)[0].replace(b"<a href", b"<A title='>' HREF"), TEXT_HTML),
        (_html(*FILES)[0].replace(b"https://files.example:80/x/y/", b""), TEXT_HTML),
        _html(*FILES, start='<base href="https://base.example/">'),
        (_html(*FILES, start='<base href="/base/">')[0].replace(b"https://files.example:80/x/y/", b"../"), TEXT_HTML),
    ],
)
def test_one_file_of_a_page_is_found_as_parsing_finds_it(body: bytes, content_type: str) -> None:
    """find_file gives for each file of the page what parse_page has, and nothing for others."""
    page = parse_page(body, content_type, PROJECT, URL)
    assert len(FILES) == len(page["files"])
    for file in page["files"]:
        ref = ref_of(file)
        assert file == find_file(body, content_type, PROJECT, URL, ref)
        wrong = FileRef(ref.area, "0" * 16, ref.filename, is_metadata=False)
        assert find_file(body, content_type, PROJECT, URL, wrong) is None
    missing = FileRef("+f", SHA[:16], Filename("a_b-9.0.zip"), is_metadata=False)
    assert find_file(body, content_type, PROJECT, URL, missing) is None


@pytest.mark.parametrize(
    "body", [b"", b'{"filename":"a_b-1.0.zip"', b'"a_b-1.0.zip"' * 50, b'{{{"a_b-1.0.zip"', b"\xff\\u"]
)
@pytest.mark.parametrize("content_type", [JSON_TYPE, TEXT_HTML, "x"])
def test_a_damaged_page_has_no_files(body: bytes, content_type: str) -> None:
    """What cannot be read is not found."""
    ref = FileRef("+f", SHA[:16], Filename("a_b-1.0.zip"), is_metadata=False)
    assert find_file(body, content_type, PROJECT, URL, ref) is None
