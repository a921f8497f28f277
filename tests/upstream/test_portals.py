"""What came instead of a page, in words."""

from __future__ import annotations

import pytest

from localpi.errors import InvalidPage
from localpi.upstream.outcomes import Unreachable
from localpi.upstream.portals import judge_no_page

HTML = "text/html; charset=utf-8"
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"<form action='/login'><a href='/terms'>Terms</a></form>", ""),
        (b"<title>Hotel &amp; Spa</title><form method=post><button>Accept</button></form>", "Hotel & Spa"),
        (b"<html><input name=p type='password'></html>", ""),
        (b"<meta http-equiv=refresh content='0;url=/x'>", ""),
        (b"<script>var a = 1; window.location.href = '/portal'</script>", ""),
        (b"<TITLE>Sign in \n - \x1b[1mArtifactory</TITLE>", "Sign in - [1mArtifactory"),
        (b"<title>" + b"WLAN Portal " * 30 + b"</title>", ("WLAN Portal " * 30)[:59] + "…"),
    ],
)
def test_a_login_page(body: bytes, title: str) -> None:
    """Forms that post, pages that lead on, titles that say so; the title is one short line."""
    said = "pkgs.test answered with a login page" + (f' (title "{title}")' if title else "")
    assert judge_no_page("pkgs.test", body, HTML, InvalidPage("")) == Unreachable("captive", said)


@pytest.mark.parametrize(
    ("body", "content_type", "seen"),
    [
        (b"<title>Welcome to nginx!</title><p>It works", HTML, 'title "Welcome to nginx!"'),
        (b"<title>Wiki</title><form><input name=search></form><a href=/in>Log in</a>", HTML, 'title "Wiki"'),
        (b"<p>hello</p><script>let a = 1</script>", HTML, "it ends in the middle"),
        (b'{"error": "please log in"}', JSON, "it ends in the middle"),
        (b"", HTML, "it ends in the middle"),
    ],
)
def test_another_page(body: bytes, content_type: str, seen: str) -> None:
    """Nobody is sent to a login where none was seen."""
    outcome = judge_no_page("pkgs.test", body, content_type, InvalidPage("it ends in the middle"))
    assert outcome == Unreachable("page", f"pkgs.test answered with a page that is no index page ({seen})")


def test_a_large_page_takes_no_time() -> None:
    """A hostile page costs no more than its beginning."""
    for piece in (b"<form ", b"<title>", b"<script>", b"<meta <input ", b"location ", b"<title" + b" " * 190):
        assert judge_no_page("h", piece * 200_000, HTML, InvalidPage("no")).kind in ("page", "captive")
