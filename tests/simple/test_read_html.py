"""HTML pages (PEP 503): the quick way, the thorough way, and what is no page at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.errors import InvalidPage
from localpi.simple.model import File, Page
from localpi.simple.names import ProjectName
from localpi.simple.parse import parse_page
from localpi.simple.render import HTML_TYPE, TEXT_HTML
from localpi.simple.tags import start_tags

PROJECT = ProjectName("a-b")
URL = "https://index.example/simple/a-b/"
SHA = "0123456789abcdef" * 4
WHEEL = "a_b-1.0-py3-none-any.whl"
HERE = f"https://index.example/simple/a-b/{WHEEL}"
META = '<meta name="pypi:repository-version" content="1.4">'


def parse(text: str, content_type: str = TEXT_HTML) -> Page:
    return parse_page(text.encode(), content_type, PROJECT, URL)


def files(text: str) -> list[File]:
    return parse(text)["files"]


PYPI = f"""<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.4">
    <meta name="pypi:project-status" content="archived">
    <meta name="pypi:project-status-reason" content="use &quot;c&quot;">
    <title>Links for a-b</title>
  </head>
  <body>
    <h1>Links for a-b</h1>
    <a href="https://files.example/packages/01/23/{WHEEL}#sha256={SHA}" data-requires-python="&gt;=3.9,&lt;4" \
data-dist-info-metadata="sha256={SHA}" data-core-metadata="sha256={SHA}" data-yanked="" \
data-provenance="https://index.example/p?a&amp;b">{WHEEL}</a><br />
<a href="../../packages/a-b-1.0.tar.gz#sha256={SHA}" data-yanked="don&#39;t" data-gpg-sig="true" >a-b</a><br />
    </body>
</html>
<!--SERIAL 123456-->"""

PYPI_PAGE: Page = {
    "meta": {"api-version": "1.4"},
    "name": "a-b",
    "files": [
        {
            "filename": WHEEL,
            "url": f"https://files.example/packages/01/23/{WHEEL}",
            "hashes": {"sha256": SHA},
            "core-metadata": {"sha256": SHA},
            "requires-python": ">=3.9,<4",
            "yanked": True,
            "provenance": "https://index.example/p?a&b",
        },
        {
            "filename": "a-b-1.0.tar.gz",
            "url": "https://index.example/packages/a-b-1.0.tar.gz",
            "hashes": {"sha256": SHA},
            "yanked": "don't",
            "gpg-sig": True,
        },
    ],
    "project-status": {"status": "archived", "reason": 'use "c"'},
}


@pytest.mark.parametrize("content_type", [TEXT_HTML, HTML_TYPE, "Text/HTML; charset=UTF-8"])
def test_a_page_of_pypi_makes_the_same_dict_as_json(content_type: str) -> None:
    """All attributes that HTML has are in the page."""
    assert parse(PYPI, content_type) == PYPI_PAGE


@pytest.mark.parametrize(
    "text",
    [
        PYPI.replace("<a href", "<a  href"),
        PYPI.replace("<a href", "<A HREF"),
        PYPI.replace("<a href", "<a\nhref"),
        PYPI.replace("<a href", '<a rel="internal" href'),
        PYPI.replace("<a href", "<abbr>x</abbr><a href"),
        PYPI.replace("<h1>", "<h1><!-- all <a href='x'> of them -->"),
        PYPI.replace("</a>", "</a><a>"),
        PYPI.replace('data-requires-python="&gt;=3.9,&lt;4"', "data-requires-python='>=3.9,<4'"),
        PYPI.replace("<h1>", '<a href="../">up</a><a href="/login.html">x</a><h1>'),
        PYPI.replace("<body>", '<body><script>if (a<b) "<a href=x-1.zip>"</script><style>a<b</style>'),
        PYPI.replace("<body>", "<body><br/><p a='>'>1 < 2 </3> <é>"),
        PYPI.replace('data-yanked=""', "data-yanked"),
        PYPI.replace("sha256=", "SHA256=").replace(SHA, SHA.upper()),
    ],
)
def test_other_ways_to_write_it_give_the_same(text: str) -> None:
    """What the quick way does not know, the thorough way reads alike."""
    assert parse(text) == PYPI_PAGE


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        (WHEEL, {"url": HERE, "hashes": {}}),
        (f"{WHEEL}#sha256={SHA}", {"url": HERE, "hashes": {"sha256": SHA}}),
        (f"{WHEEL}#md5={'a' * 32}", {"url": HERE, "hashes": {"md5": "a" * 32}}),
        (f"{WHEEL}#sha256={SHA}&amp;egg=a_b", {"url": HERE, "hashes": {"sha256": SHA}}),
        (f"{WHEEL}#md5={'a' * 32}&sha256={SHA}", {"url": HERE, "hashes": {"md5": "a" * 32, "sha256": SHA}}),
        (f"{WHEEL}#sha256-{SHA}", {"url": HERE, "hashes": {}}),
        (f"{WHEEL}#sha256=123", {"url": HERE, "hashes": {}}),
        (f"{WHEEL}#egg=a_b", {"url": HERE, "hashes": {}}),
        (f"{WHEEL}?x=1&amp;y=2", {"url": HERE + "?x=1&y=2", "hashes": {}}),
        ("a%5Fb-1.0-py3-none-any.whl", {"url": HERE.replace("_", "%5F"), "hashes": {}}),
        (f" {WHEEL} ", {"url": HERE, "hashes": {}}),
        (f"https://files.example:8443/{WHEEL}", {"url": f"https://files.example:8443/{WHEEL}", "hashes": {}}),
        (f"//files.example/{WHEEL}", {"url": f"https://files.example/{WHEEL}", "hashes": {}}),
        (f"https://me:pw@files.example/{WHEEL}", {"url": f"https://files.example/{WHEEL}", "hashes": {}}),
    ],
)
def test_links_are_read_as_pip_reads_them(href: str, expected: File) -> None:
    """The name is the last part of the path, the digests are in the fragment."""
    assert files(f'{META}<a href="{href}">x</a>') == [{"filename": WHEEL, **expected}]


@pytest.mark.parametrize(
    "href",
    [
        "",
        "#",
        "../",
        "login.html",
        "a_b-1.0.whl.asc",
        f"{WHEEL}.metadata",
        "ftp://x/a_b-1.0.zip",
        "a b-1.0.zip",
        "a%2Fb.zip",
    ],
)
def test_links_to_other_things_are_left_out(href: str) -> None:
    """Only links to distributions are files."""
    assert files(f'{META}<a href="{href}">x</a>') == []


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://files.example/x/", "https://files.example/x/"),
        ("../y/", "https://index.example/simple/y/"),
        ("ftp://x/", URL),
    ],
)
def test_base_href_counts(base: str, expected: str) -> None:
    """Links are relative to the base element, if there is a usable one."""
    text = f'<head><base href="{base}">{META}</head><a href="{WHEEL}">x</a>'
    assert [{"filename": WHEEL, "url": expected + WHEEL, "hashes": {}}] == files(text)


@pytest.mark.parametrize("value", ["true", "True"])
def test_metadata_without_a_digest_is_true(value: str) -> None:
    """PEP 714 allows the bare word, and the older attribute."""
    text = f'<a href="{WHEEL}" data-dist-info-metadata="{value}">x</a>'
    assert files(text) == [{"filename": WHEEL, "url": HERE, "hashes": {}, "core-metadata": True}]


def test_a_page_without_version_speaks_1_0() -> None:
    """PEP 629: "clients should assume version 1.0"."""
    expected: Page = {"meta": {"api-version": "1.0"}, "name": "a-b", "files": []}
    expected["files"] = [{"filename": WHEEL, "url": HERE, "hashes": {}}]
    assert expected == parse(f'<a href="{WHEEL}">x</a>')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please log in",
        "<html><body><form action=/login><input name=user></form></body></html>",
        '<a href="client-1.0.zip">Get our client</a>',
        '<meta name="pypi:repository-version" content="2.0"><a href="a_b-1.0.zip">x</a>',
        '<meta content="11.4" name="pypi:repository-version"><a href="a_b-1.0.zip">x</a>',
        f'{META}<title>Links for other</title><a href="other-1.0.zip">x</a>',
        f"{META}<h1>Links for other</h1>",
        f'{META}<a href="other-1.0.zip">x</a>',
        '<a href="a_bc-1.0.zip">x</a>',
        '<a href="a_b_c-1.0.zip">x</a>',
        f'{META}<title>Links for a-b</title><a href="other-1.0.zip">x</a>',
        f'{META}<title>Links for a-b-c</title><a href="a-b-c-1.0.zip">x</a>',
        '<title>Links for a-b-c</title><a href="a_b_c-1.0-py3-none-any.whl">x</a><a href="a-b-c-1.0.zip">x</a>',
        '<a href="a-b-1.0.zip',
        '<!-- <a href="a-b-1.0.zip">x</a>',
        pytest.param("<p>" * 1_000_001 + '<a href="a-b-1.0.zip">x</a>', id="a-million-tags"),
    ],
)
def test_what_is_no_page_of_the_project_is_refused(text: str) -> None:
    """A portal, a login form, another project's page, a newer major version, half a page."""
    with pytest.raises(InvalidPage):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [META, f"{META}<title>Links for A.B</title>"],
)
def test_a_page_may_be_empty_if_it_says_that_it_is_one(text: str) -> None:
    """The version meta makes it a page."""
    assert parse(text) == {"meta": {"api-version": "1.4"}, "name": "a-b", "files": []}


def test_files_of_other_projects_are_left_out() -> None:
    """No resolver takes them, and a link to them would make us look for the other project."""
    text = f'<title>Links for all</title><a href="{WHEEL}">x</a><a href="a-1.0.zip">x</a><a href="a_b_c-1.0.zip">x</a>'
    assert [file["filename"] for file in files(text)] == [WHEEL]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/integrity/x", "//index.example/x"])
def test_a_provenance_is_a_web_address(url: str) -> None:
    """PEP 740: a fully qualified URL."""
    assert files(f'<a href="{WHEEL}" data-provenance="{url}">x</a>') == [{"filename": WHEEL, "url": HERE, "hashes": {}}]


def test_bytes_that_are_not_utf8_do_not_matter() -> None:
    """A legacy charset in a title does not cost the page."""
    body = f'<title>\xe9</title><a href="{WHEEL}">x</a>'.encode("latin-1")
    assert parse_page(body, TEXT_HTML, PROJECT, URL)["files"] == [{"filename": WHEEL, "url": HERE, "hashes": {}}]


def test_a_page_of_too_many_files_is_refused() -> None:
    """200,000 files are the limit."""
    text = "".join(f'<a href="a-b-{n}.zip">' for n in range(200_001))
    with pytest.raises(InvalidPage, match="200,001 files"):
        parse(text)


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<!--", "<!", "<a b='", '<a href="', '<a href="a-1.zip" x="', "</", "<title>"]
)
def test_crafted_pages_take_time_in_proportion(unit: str) -> None:
    """Half a megabyte of unfinished tags is read within the test's time: html.parser would need minutes for some."""
    with pytest.raises(InvalidPage):
        parse(unit * (500_000 // len(unit)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<A HREF=x>", [("a", {"href": "x"})]),
        ("<a href='x y' b = \"1\" c d=&amp;>", [("a", {"href": "x y", "b": "1", "c": "", "d": "&"})]),
        ("<a href=x href=y>", [("a", {"href": "x"})]),
        ("<br/><a/>", [("br", {}), ("a", {})]),
        ("</a><a b='>'>", [("a", {"b": ">"})]),
        ("<!-- <a> --><b>", [("b", {})]),
        ("<!-- <a>", []),
        ("<script><a></SCRIPT><b>", [("script", {}), ("b", {})]),
        ("<title><a>", [("title", {})]),
        ("a < b <3 <> <b>", [("b", {})]),
        ("<a b='", []),
        ("<!DOCTYPE html><?xml?><b>", [("b", {})]),
    ],
)
def test_start_tags(text: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """The tags of a document, as the HTML standard sees them."""
    assert expected == list(start_tags(text))


@given(st.text(alphabet="<>a/ ='\"!-bx&;\n", max_size=80))
def test_any_text_has_tags_or_none(text: str) -> None:
    """No text stops the scan."""
    assert len(list(start_tags(text))) <= text.count("<")


@pytest.mark.parametrize("end", ["", "</body>", "<a href='x"])
def test_a_document_that_was_begun_has_to_end(end: str) -> None:
    """A page cut short between two links looks whole but for its missing end."""
    body = f'<!DOCTYPE html><html><body><a href="/x-1.0.tar.gz">x-1.0.tar.gz</a>{end}'.encode()
    with pytest.raises(InvalidPage, match="ends in the middle"):
        parse_page(body, "text/html", ProjectName("x"), "https://i.example/simple/x/")
