"""What we answer with: honest versions, everything escaped, the same page after a round trip."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.simple.links import link_page
from localpi.simple.model import Page
from localpi.simple.names import ProjectName
from localpi.simple.parse import parse_page
from localpi.simple.render import (
    HTML_TYPE,
    JSON_TYPE,
    load_page,
    render_html,
    render_json,
    render_names_html,
    render_names_json,
    with_prefix,
)

PROJECT = ProjectName("a-b")
HOME = "https://here.example"
URL = f"{HOME}/root/pypi/+simple/a-b/"
SHA = "0123456789abcdef" * 4
PATH = "/root/pypi/+f/012/3456789abcdef/a_b-1.0.zip"


def a_page(file: dict[str, Any] | None = None, **keys: Any) -> Page:
    files = [{"filename": "a_b-1.0.zip", "url": PATH, "hashes": {"sha256": SHA}, **(file or {})}]
    page: Any = {"meta": {"api-version": "1.0"}, "name": "a-b", "files": files, **keys}
    return page  # type: ignore[no-any-return]  # made of what a test gives


@pytest.mark.parametrize(
    ("page", "version"),
    [
        (a_page(), "1.0"),
        (a_page({"size": 1}), "1.0"),
        (a_page(versions=["1.0"]), "1.0"),
        (a_page({"size": 0}, versions=["1.0"]), "1.4"),
        (a_page(files=[], versions=[]), "1.4"),
    ],
)
def test_json_says_honestly_what_it_speaks(page: Page, version: str) -> None:
    """API 1.1 and later promise versions, and a size for every file."""
    assert orjson.loads(render_json(page)) == page | {"meta": {"api-version": version}}
    assert load_page(render_json(page))["meta"] == {"api-version": version}


def test_html_in_full() -> None:
    """Every attribute is there, and nothing in it can end it."""
    evil = '"><script>'
    page = a_page(
        {
            "requires-python": ">=3,<4",
            "core-metadata": {"sha256": SHA},
            "gpg-sig": False,
            "yanked": evil,
            "provenance": "https://x/?a&b",
        },
    ) | {"project-status": {"status": "archived", "reason": evil}}
    assert render_html(page).decode() == (
        "<!DOCTYPE html>\n<html>\n<head>\n"
        '<meta name="pypi:repository-version" content="1.4">\n'
        '<meta name="pypi:project-status" content="archived">\n'
        '<meta name="pypi:project-status-reason" content="&quot;&gt;&lt;script&gt;">\n'
        "<title>Links for a-b</title>\n</head>\n<body>\n<h1>Links for a-b</h1>\n"
        f'<a href="{PATH}#sha256={SHA}" data-requires-python="&gt;=3,&lt;4" '
        f'data-dist-info-metadata="sha256={SHA}" data-core-metadata="sha256={SHA}" data-gpg-sig="false" '
        'data-yanked="&quot;&gt;&lt;script&gt;" data-provenance="https://x/?a&amp;b">a_b-1.0.zip</a><br>\n'
        "</body>\n</html>\n"
    )


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"hashes": {}}, f'<a href="{PATH}">'),
        ({"hashes": {"md5": "a" * 32}}, f'<a href="{PATH}#md5={"a" * 32}">'),
        ({"hashes": {"md5": "a" * 32, "sha512": "b" * 128}}, f'<a href="{PATH}#sha512={"b" * 128}">'),
        ({"hashes": {"blake2b": "aa"}}, f'<a href="{PATH}">'),
        ({"yanked": True, "hashes": {}}, f'<a href="{PATH}" data-yanked="">'),
        ({"yanked": False, "hashes": {}}, f'<a href="{PATH}">'),
        (
            {"core-metadata": True, "hashes": {}},
            f'<a href="{PATH}" data-dist-info-metadata="true" data-core-metadata="true">',
        ),
        ({"core-metadata": False, "hashes": {}}, f'<a href="{PATH}">'),
        ({"core-metadata": {"blake2b": "a"}, "hashes": {}}, 'data-core-metadata="true">'),
        ({"gpg-sig": True, "hashes": {}}, f'<a href="{PATH}" data-gpg-sig="true">'),
    ],
)
def test_attributes_of_links(file: dict[str, Any], expected: str) -> None:
    """Attributes say what the JSON keys say, or are not there."""
    assert expected + "a_b-1.0.zip</a>" in render_html(a_page(file)).decode()


def test_lists_of_projects() -> None:
    """Both forms name every project."""
    assert orjson.loads(render_names_json(["a", "b"])) == {
        "meta": {"api-version": "1.4"},
        "projects": [{"name": "a"}, {"name": "b"}],
    }
    assert render_names_html(["a"]).decode() == (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta name="pypi:repository-version" content="1.4">\n'
        '<title>Simple index</title>\n</head>\n<body>\n<a href="a/">a</a><br>\n</body>\n</html>\n'
    )
    assert b'<a href="/x&amp;/a/">a</a>' in render_names_html(["a"], "/x&/")


@pytest.mark.parametrize("prefix", ["", "/pypi", "https://here.example/pypi"])
def test_a_prefix_goes_in_front_of_our_paths(prefix: str) -> None:
    """A page behind a proxy names the proxy's paths; the page itself is not changed."""
    page = a_page()
    assert with_prefix(page, prefix) == a_page({"url": prefix + PATH})
    assert a_page() == page


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: text.strip()
)
_HASHES: st.SearchStrategy[dict[str, str]] = st.just({"sha256": SHA}) | st.just({}) | st.just({"md5": "a" * 32})
_FILES = st.fixed_dictionaries(
    {"hashes": _HASHES, "v": st.integers(0, 99), "local": st.sampled_from(["", "+x"])},
    optional={
        "requires-python": _TEXT,
        "core-metadata": st.sampled_from([True, {"sha256": SHA}]),
        "yanked": _TEXT | st.just(value=True),
        "gpg-sig": st.booleans(),
        "provenance": _TEXT.map(lambda text: f"https://h.example/{text}"),
        "size": st.integers(0, 1 << 40),
        "upload-time": st.datetimes().map(lambda time: f"{time.isoformat()}Z"),
    },
)
_STATUS = st.fixed_dictionaries(
    {"status": st.sampled_from(["active", "archived"])}, optional={"reason": st.just('"<&')}
)
_HTML_LACKS = ("size", "upload-time")


def _made(files: list[dict[str, Any]], status: dict[str, str] | None) -> Page:
    page = a_page()
    page["files"] = []
    for name, file in {f"a_b-{file.pop('v')}{file.pop('local')}.zip": file for file in files}.items():
        made: Any = {"filename": name, "url": f"https://h.example/x/{name}", **file}
        page["files"].append(made)
    if status:
        page["project-status"] = status  # type: ignore[typeddict-item]  # a dict of its shape
    return page


@given(st.lists(_FILES, max_size=5), st.none() | _STATUS)
def test_json_comes_back_as_it_went(files: list[dict[str, Any]], status: dict[str, str] | None) -> None:
    """What we write, a localpi behind us reads the same, but for the URLs, which it makes absolute."""
    page = link_page(_made(files, status), "root/pypi")
    back = parse_page(render_json(page), JSON_TYPE, PROJECT, URL)
    assert with_prefix(page, HOME) == back


@given(st.lists(_FILES, max_size=5), st.none() | _STATUS)
def test_html_comes_back_as_it_went(files: list[dict[str, Any]], status: dict[str, str] | None) -> None:
    """So with HTML, which has no sizes and times and spells an absent yank."""
    page = link_page(_made(files, status), "root/pypi")
    back = parse_page(render_html(page), HTML_TYPE, PROJECT, URL)
    expected: Any = with_prefix(page, HOME)
    for file in expected["files"]:
        for key in _HTML_LACKS:
            file.pop(key, None)
    assert expected | {"meta": {"api-version": "1.4"}} == back
