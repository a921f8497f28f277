"""Content negotiation (PEP 691, RFC 9110)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpi.errors import NotAcceptable
from localpi.simple.negotiate import choose, names_html
from localpi.simple.render import HTML_TYPE, JSON_TYPE, TEXT_HTML

PIP = f"{JSON_TYPE}, {HTML_TYPE}; q=0.1, text/html; q=0.01"
UV = f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.01"
PYX = f"application/vnd.pyx.simple.v1+msgpack, {UV}"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, TEXT_HTML),
        ("", TEXT_HTML),
        ("*/*", TEXT_HTML),
        ("text/*", TEXT_HTML),
        ("application/*", JSON_TYPE),
        (PIP, JSON_TYPE),
        (UV, JSON_TYPE),
        (PYX, JSON_TYPE),
        (BROWSER, TEXT_HTML),
        (JSON_TYPE.upper(), JSON_TYPE),
        (HTML_TYPE, HTML_TYPE),
        (f"{HTML_TYPE}, {JSON_TYPE}", JSON_TYPE),
        (f"{HTML_TYPE};q=0.9, {JSON_TYPE};q=0.8", HTML_TYPE),
        (f"{JSON_TYPE};q=0, */*", TEXT_HTML),
        (f"{JSON_TYPE};q=0.1, */*;q=0.5", TEXT_HTML),
        (f"{JSON_TYPE};q=0.5, */*;q=0.5", JSON_TYPE),
        ("application/vnd.pypi.simple.latest+json", JSON_TYPE),
        ("application/vnd.pypi.simple.latest+html", HTML_TYPE),
        ("application/json, */*;q=0.1", TEXT_HTML),
        ("text/html;level=1;q=0.4", TEXT_HTML),
        (f"{JSON_TYPE};q=nonsense, text/html;q=0.1", TEXT_HTML),
        (f"{JSON_TYPE};q=1.5, text/html;q=0.1", TEXT_HTML),
        (f"text/html;q=0.5, {JSON_TYPE} ; q = 1.000", JSON_TYPE),
        (",,;q=1, text/html", TEXT_HTML),
    ],
)
def test_the_accept_header_chooses(accept: str | None, expected: str) -> None:
    """What clients send gets what they like best."""
    assert expected == choose(accept, None)


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        (JSON_TYPE, JSON_TYPE),
        (JSON_TYPE.replace("+", " "), JSON_TYPE),
        (HTML_TYPE, HTML_TYPE),
        ("text/html", TEXT_HTML),
        ("application/vnd.pypi.simple.latest+json", JSON_TYPE),
    ],
)
def test_the_format_parameter_goes_first(format_: str, expected: str) -> None:
    """?format= beats the header, its plus decoded or not."""
    assert expected == choose("image/png", format_)


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("application/json", None),
        ("image/png, text/plain", None),
        (f"{JSON_TYPE};q=0", None),
        ("*/*;q=0", None),
        ("application/vnd.pypi.simple.v2+json", None),
        ("text/html;q=0, text/*;q=0.0", None),
        (";", None),
        (JSON_TYPE, "application/vnd.pypi.simple.v2+json"),
        (JSON_TYPE, "json"),
    ],
)
def test_nothing_on_offer_is_not_acceptable(accept: str, format_: str | None) -> None:
    """The recommended answer is 406."""
    with pytest.raises(NotAcceptable):
        choose(accept, format_)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (BROWSER, True),
        ("text/html", True),
        (None, False),
        ("*/*", False),
        ("application/json", False),
        (PIP, False),
        (UV, False),
        ("text/html;q=0, */*", False),
        ("text/htmlx", False),
    ],
)
def test_a_browser_names_html(accept: str | None, expected: bool) -> None:
    """Installers name HTML too, but beside the types of the Simple API."""
    assert expected is names_html(accept)


@given(st.text(alphabet="*/;q=., 01texhmlapicon+jsv\t²", max_size=60))
def test_any_header_gets_an_answer(accept: str) -> None:
    """A type on offer or NotAcceptable."""
    names_html(accept)
    try:
        assert choose(accept, None) in {JSON_TYPE, HTML_TYPE, TEXT_HTML}
    except NotAcceptable as error:
        assert error.asked == accept  # noqa: PT017  # either outcome is right
