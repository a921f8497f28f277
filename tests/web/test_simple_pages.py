"""Project pages and lists over a socket: forms, redirects, ETags, gzip, HEAD, waiting."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest

from localpi.web.app import create_app
from made.loops import serving, wait_for
from made.served import SITE, Served
from made.wheels import make_wheel

if TYPE_CHECKING:
    from localpi.index.library import Library
    from made.upstream import MadeUpstream

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {HTML}; q=0.1, text/html; q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGE = "/root/local/+simple/demo/"


@pytest.fixture(autouse=True)
def demo(upstream: MadeUpstream) -> None:
    """Publish two projects upstream."""
    for name, version in (("demo", "1.0"), ("demo", "1.1+local.1"), ("some_thing", "2.0")):
        upstream.add(*make_wheel(name, version))


@pytest.mark.parametrize(
    ("accept", "query", "content_type"),
    [
        (PIP, "", JSON),
        (JSON, "", JSON),
        (HTML, "", HTML),
        ("text/html", "", "text/html; charset=utf-8"),
        (None, "", "text/html; charset=utf-8"),
        (BROWSER, "", "text/html; charset=utf-8"),
        ("application/vnd.pypi.simple.latest+json", "", JSON),
        ("text/html", f"?format={JSON}", JSON),
        (JSON, f"?format={HTML.replace('+', '%2B')}", HTML),
    ],
)
def test_the_form_is_negotiated(served: Served, accept: str | None, query: str, content_type: str) -> None:
    """PEP 691: the Accept header chooses, ?format= beats it, hot answers say the same as cold ones."""
    headers = {"Accept": accept} if accept else {}
    replies = [served.ask("GET", PAGE + query, headers) for _ in range(2)]
    assert [(reply.status, reply.headers["content-type"]) for reply in replies] == [(200, content_type)] * 2
    assert replies[0].body == replies[1].body
    assert replies[0].headers["vary"] == "Accept, Accept-Encoding"
    assert replies[0].headers["cache-control"] == "no-cache"


def test_nothing_acceptable_is_406(served: Served) -> None:
    """A type that is not on offer is refused with 406, in the query too."""
    assert served.ask("GET", PAGE, {"Accept": "application/xml"}).status == 406
    assert served.ask("GET", PAGE + "?format=text/plain").status == 406


def test_every_form_of_the_url_has_the_same_bytes(served: Served) -> None:
    """With and without +simple and the final slash, on the mirror and what inherits from it: one body."""
    ways = [f"/{index}/{middle}demo" for index in ("root/pypi", "root/local") for middle in ("+simple/", "")]
    paths = [way + end for way in ways for end in ("/", "")]
    replies = [served.page(path) for path in paths]
    assert {reply.status for reply in replies} == {200}
    assert len({(reply.body, reply.headers["etag"]) for reply in replies}) == 1
    urls = {file["url"] for file in replies[0].json()["files"]}
    assert all(url.startswith("/root/pypi/+f/") for url in urls)


@pytest.mark.parametrize(
    ("path", "headers", "location"),
    [
        ("/root/local/+simple/Some.Thing/", {"Accept": JSON}, "/root/local/+simple/some-thing/"),
        ("/root/local/+simple/Some_Thing", {"Accept": JSON}, "/root/local/+simple/some-thing/"),
        ("/root/local/Some_Thing/", {"Accept": JSON}, "/root/local/some-thing/"),
        ("/root/local/+simple/demo", {"Accept": BROWSER}, "/root/local/+simple/demo/"),
        ("/root/local/+simple", {"Accept": BROWSER}, "/root/local/+simple/"),
        ("/root/local/demo", {"Accept": BROWSER}, "/root/local/+simple/demo/"),
        ("/root/local/+simple/DEMO/?format=text/html", {}, "/root/local/+simple/demo/?format=text/html"),
        ("/root/local/+simple/DEMO/", {"X-Forwarded-Prefix": "/p"}, "/p/root/local/+simple/demo/"),
    ],
)
def test_other_spellings_are_redirected(served: Served, path: str, headers: dict[str, str], location: str) -> None:
    """Names are redirected to their normalised form, browsers to the final slash; queries are kept."""
    reply = served.ask("GET", path, headers)
    assert (reply.status, reply.headers["location"]) == (302, location)


def test_old_pip_is_known_by_its_agent(served: Served) -> None:
    """An installer that takes HTML alone gets pages below /user/index as well, and hot bytes do not confuse it."""
    agent = {"User-Agent": "pip/19.0 {}", "Accept": "text/html"}
    for _ in range(3):
        assert served.ask("GET", "/root/pypi/demo/", agent).status == 200
        assert served.ask("GET", "/root/pypi/demo/", {"Accept": "text/html"}).status == 302
        assert served.ask("GET", "/root/pypi/demo/").json()["type"] == "projectconfig"


@pytest.mark.parametrize("path", ["/root/none/+simple/demo/", "/none/local/+simple/", PAGE.replace("demo", "absent")])
def test_what_is_not_there_is_404_with_the_reason(served: Served, path: str) -> None:
    """Unknown index, unknown project: 404, the sentence in the reason phrase and in the JSON."""
    reply = served.page(path)
    assert (reply.status, reply.headers["cache-control"]) == (404, "no-store")
    assert reply.reason == reply.json()["message"]


@pytest.mark.parametrize("name", ["-x", "x%20y", "%C3%A4", "..", "x%2F..%2Fy"])
def test_impossible_names_are_client_errors(served: Served, name: str) -> None:
    """A name that no project can have is refused and never a fault of ours."""
    assert served.page(f"/root/local/+simple/{name}/").status in {400, 404}


def test_an_unreachable_base_is_424_with_the_cause(served: Served, upstream: MadeUpstream) -> None:
    """Cannot know is never a 404: the reason phrase names the base, nothing may cache it."""
    upstream.refuse()
    reply = served.page(PAGE)
    assert (reply.status, reply.headers["cache-control"]) == (424, "no-store")
    assert re.match("base root/pypi ", reply.reason)


def test_a_known_etag_costs_no_body(served: Served) -> None:
    """If-None-Match is answered 304, cold and hot, and the connection's answers have no body."""
    etag = served.page(PAGE).headers["etag"]
    for _ in range(2):
        reply = served.page(PAGE, If_None_Match=etag, **{"If-None-Match": etag})
        assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", etag)
    assert served.page(PAGE, **{"If-None-Match": '"other"'}).status == 200


def test_gzip_comes_with_the_second_request(served: Served, upstream: MadeUpstream) -> None:
    """The first answer is identity, further ones are packed and have an ETag of their own, either is known."""
    for number in range(30):
        upstream.add(*make_wheel("large", f"1.{number}"))
    path = "/root/local/+simple/large/"
    replies = [served.page(path, **{"Accept-Encoding": "gzip"}) for _ in range(4)]
    assert [reply.headers.get("content-encoding") for reply in replies] == [None, "gzip", "gzip", "gzip"]
    assert [gzip.decompress(reply.body) for reply in replies[1:]] == [replies[0].body] * 3
    plain, packed = replies[0].headers["etag"], replies[1].headers["etag"]
    assert packed == f'{plain[:-1]}-gz"'
    for tag in (plain, packed):
        assert served.page(path, **{"If-None-Match": tag, "Accept-Encoding": "gzip"}).status == 304
    assert "content-encoding" not in served.page(path).headers


def test_head_has_the_headers_of_get(served: Served) -> None:
    """HEAD says what GET would, cold and hot, without a body."""
    head = served.ask("HEAD", PAGE, {"Accept": JSON})
    get = served.page(PAGE)
    hot = served.ask("HEAD", PAGE, {"Accept": JSON})
    for reply in (head, hot):
        assert (reply.status, reply.body) == (200, b"")
        assert {k: v for k, v in reply.headers.items() if k != "date"} == {
            k: v for k, v in get.headers.items() if k != "date"
        }


def test_what_was_answered_is_ready_for_the_loop(library: Library) -> None:
    """Page and file are found on the loop thread, behind the guard, until something changes."""
    application = create_app(library, SITE)
    page = {"HOST": "localhost:3141", "ACCEPT": JSON, "ACCEPT_ENCODING": "identity"}
    assert application.find_hot("GET", PAGE, "", page) is None
    with serving(application) as running:  # type: ignore[arg-type]  # same face
        served = Served(library, running.address)
        file = unquote(served.page(PAGE, Host="localhost:3141").json()["files"][0]["url"])

        def is_ready() -> bool:
            served.ask("GET", quote(file), {"Host": "localhost:3141"})
            served.page(PAGE, Host="localhost:3141")
            return all(application.find_hot("GET", path, "", page) is not None for path in (PAGE, file))

        wait_for(is_ready)  # once the file is stored, and its row is written behind
        assert application.find_hot("GET", PAGE, "", page | {"HOST": "evil.example"}) is None
        closed = create_app(library, replace(SITE, reading_open=False))
        assert closed.find_hot("GET", PAGE, "", page) is None
        name, data = make_wheel("demo", "9.0")
        served.upload("/root/local/", name, data, name="demo", version="9.0", filetype="bdist_wheel")
        assert application.find_hot("GET", PAGE, "", page) is None
        assert [file["filename"] for file in served.page(PAGE).json()["files"]] == [name]


def test_no_cache_asks_the_upstream_and_max_age_zero_does_not(served: Served, upstream: MadeUpstream) -> None:
    """`no-cache` revalidates now; `max-age=0`, which old pips send always, does not."""
    served.page(PAGE)
    before = len(upstream.requests)
    served.page(PAGE, **{"Cache-Control": "max-age=0"})
    assert len(upstream.requests) == before
    served.page(PAGE, **{"Cache-Control": "no-cache"})
    assert len(upstream.requests) == before + 1


def test_refresh_asks_the_upstream_again(served: Served, upstream: MadeUpstream) -> None:
    """`devpi refresh` is a POST that ends at the page, and the page is new."""
    served.page(PAGE)
    upstream.add(*make_wheel("demo", "5.0"))
    reply = served.ask("POST", PAGE + "refresh")
    assert (reply.status, reply.headers["location"]) == (302, PAGE)
    assert any("5.0" in file["filename"] for file in served.page(PAGE).json()["files"])


@pytest.mark.parametrize("accept", [JSON, "text/html"])
def test_a_prefix_stands_in_front_of_every_link(served: Served, accept: str) -> None:
    """Behind a proxy the links have its prefix, and without the header they have none."""
    plain = served.ask("GET", PAGE, {"Accept": accept})
    behind = served.ask("GET", PAGE, {"Accept": accept, "X-Forwarded-Prefix": "/pypi"})
    assert b'"/root/pypi/+f/' in plain.body
    assert b'"/pypi/root/pypi/+f/' in behind.body
    assert b'"/root/pypi/+f/' not in behind.body
    assert served.ask("GET", PAGE, {"Accept": accept}).body == plain.body


def test_the_list_has_what_is_known(served: Served) -> None:
    """The project list names what was asked for and what was uploaded, in both forms, with an ETag."""
    served.page(PAGE)
    wait_for(lambda: served.page("/root/local/+simple/").json()["projects"])  # names are written behind
    reply = served.page("/root/local/+simple/")
    assert reply.json()["projects"] == [{"name": "demo"}]
    assert b'<a href="demo/">demo</a>' in served.ask("GET", "/root/local/+simple/").body
    assert served.page("/root/local/+simple/", **{"If-None-Match": reply.headers["etag"]}).status == 304
    assert served.page("/root/local/").json() == reply.json()


def test_html_is_escaped_and_locked_down(served: Served, upstream: MadeUpstream) -> None:
    """What an upstream says goes into HTML escaped, under a policy that runs nothing."""
    upstream.add(*make_wheel("demo", "6.0"), yanked='<script>alert("x")</script>')
    reply = served.ask("GET", PAGE, {"Accept": "text/html", "Cache-Control": "no-cache"})
    assert b"<script>" not in reply.body
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
