"""Whatever an upstream sends: InvalidPage, or a page that can be linked, written and searched."""

from __future__ import annotations

import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.errors import InvalidPage
from localpi.simple.links import find_file, link_page, parse_ref, ref_of
from localpi.simple.names import ProjectName
from localpi.simple.parse import parse_page
from localpi.simple.render import HTML_TYPE, JSON_TYPE, TEXT_HTML, load_page, render_html, render_json, with_prefix

PROJECT = ProjectName("a-b")
URL = "https://index.example/simple/a-b/"
SHA = "0123456789abcdef" * 4
WHEEL = "a_b-1.0-py3-none-any.whl"

HTML = f"""<!DOCTYPE html><html><head><base href="/x/"><meta name="pypi:repository-version" content="1.4">
<meta name="pypi:project-status" content="archived"><title>Links for a-b</title></head><body>
<a href="https://files.example/{WHEEL}#sha256={SHA}" data-requires-python="&gt;=3.9" data-yanked="">{WHEEL}</a><br />
<a href="../a-b-1.0.tar.gz?x=1&amp;y#md5={"a" * 32}" data-core-metadata="sha256={SHA}">a-b-1.0.tar.gz</a><br />
</body></html><!--SERIAL 1-->""".encode()

_FILE = {
    "filename": WHEEL,
    "url": f"../x/{WHEEL}",
    "hashes": {"sha256": SHA},
    "core-metadata": {"sha256": SHA},
    "requires-python": ">=3",
    "size": 1,
    "upload-time": "2024-01-02T03:04:05Z",
    "yanked": False,
}
JSON = orjson.dumps(
    {
        "meta": {"api-version": "1.4"},
        "name": "a-b",
        "files": [_FILE, _FILE | {"filename": "a-b-1.0.zip"}],
        "versions": ["1.0"],
        "project-status": {"status": "active"},
    }
)

_ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([SHA, WHEEL, URL]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_FILE_LIKE = st.fixed_dictionaries(
    {"filename": st.just(WHEEL) | _ANYTHING, "url": st.just(URL) | st.text(max_size=30) | _ANYTHING},
    optional={
        key: _ANYTHING | st.sampled_from([{"sha256": SHA}, {}, True, "", ">=3", 5])
        for key in ("hashes", "core-metadata", "requires-python", "size", "upload-time", "yanked", "gpg-sig", "_x", "y")
    },
)
_PAGE_LIKE = st.fixed_dictionaries(
    {
        "meta": st.just({"api-version": "1.4"}) | _ANYTHING,
        "name": st.just("a-b") | _ANYTHING,
        "files": st.lists(_FILE_LIKE | _ANYTHING, max_size=4) | _ANYTHING,
    },
    optional={"versions": st.lists(_ANYTHING, max_size=3) | _ANYTHING, "project-status": _ANYTHING, "z": _ANYTHING},
)
_URL_LIKE = st.text(alphabet="htps:/.?#@[]%\\ a-b1.zip\n\tü&;", max_size=40)
_EDITS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 12), st.binary(max_size=6)), max_size=6)


def judge(body: bytes, content_type: str) -> None:
    """Parse, and do with the page all that is done with pages."""
    try:
        page = parse_page(body, content_type, PROJECT, URL)
    except InvalidPage:
        return
    linked = link_page(page, "root/pypi")
    again = load_page(render_json(linked))
    assert linked["files"] == again["files"]
    render_html(with_prefix(linked, "/prefix"))
    for file, ours in zip(page["files"], linked["files"], strict=True):
        assert file["url"].startswith(("http://", "https://"))
        assert file["url"].isprintable()
        assert ours["url"].startswith("/root/pypi/+")
        ref = ref_of(file)
        assert ref == parse_ref(*ours["url"].replace("%2B", "+").replace("%21", "!").split("/")[3:])
        assert file == find_file(body, content_type, PROJECT, URL, ref)


def edited(body: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, put in edits:
        body = body[:at] + put + body[at + length :]
    return body


@given(_PAGE_LIKE)
def test_json_of_any_shape(value: Any) -> None:
    """Any value at any key."""
    judge(json.dumps(value).encode(), JSON_TYPE)


@given(_EDITS)
def test_json_with_edits(edits: list[tuple[int, int, bytes]]) -> None:
    """A page with bytes put in and taken out."""
    judge(edited(JSON, edits), JSON_TYPE)


@given(_EDITS, st.sampled_from([HTML_TYPE, TEXT_HTML]))
def test_html_with_edits(edits: list[tuple[int, int, bytes]], content_type: str) -> None:
    """So with HTML."""
    judge(edited(HTML, edits), content_type)


@given(st.binary(max_size=200), st.sampled_from([JSON_TYPE, HTML_TYPE, TEXT_HTML, "image/png"]))
def test_any_bytes(body: bytes, content_type: str) -> None:
    """Noise is no page, and no error of ours."""
    judge(body, content_type)


@given(_URL_LIKE, _URL_LIKE, st.booleans())
def test_any_url(url: str, base: str, html: bool) -> None:
    """URLs of files, and the base of a page, of any shape."""
    if html:
        page = f'<base href="{base}"><a href="{url}a-b-1.0.zip">x</a><a href="a-b-2.0.zip">x</a>'
        judge(page.encode(), TEXT_HTML)
    else:
        judge(orjson.dumps({"meta": {}, "name": "a-b", "files": [_FILE | {"url": url}, _FILE]}), JSON_TYPE)


@pytest.mark.parametrize(
    "part", ["<a ", "<A>", '<a href="', "<!--", "<", "<?", '<a title="<a ">', "<a href='x-1.0.zip'", "</a"]
)
def test_endless_tags_end_at_once(part: str) -> None:
    """A page of nothing but beginnings is refused before anyone else waits for the interpreter."""
    body = f"<!DOCTYPE html><html><body>{part * 3_000_000}</body></html>".encode()
    began = time.process_time()
    with pytest.raises(InvalidPage):
        parse_page(body, TEXT_HTML, PROJECT, URL)
    assert time.process_time() - began < 2
