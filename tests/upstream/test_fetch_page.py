"""Pages: what a well-behaved upstream says, and what each kind of bad behaviour comes to."""

from __future__ import annotations

import gzip
import json

import pytest

from localpi.upstream import Fetched, Mirror, Missing, NotModified, Reachable, Unreachable, Upstream
from localpi.upstream.bodies import decoded
from made.answering import bomb
from made.bounds import within
from made.corpus import V1_JSON
from made.faults import (
    Chunked,
    CloseEarly,
    Drip,
    Garbage,
    GzipBomb,
    LoginPage,
    NoLength,
    RedirectTo,
    Stall,
    Status,
    Swallow,
    WrongLength,
)
from made.upstream import MadeUpstream

PAGE = "/simple/acme/"


def test_a_json_page_comes_as_it_is(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """The body is gzip as it came, and its headers are told."""
    outcome = client.fetch_page(mirror, "acme", deadline_s=10)
    assert isinstance(outcome, Fetched)
    body = decoded(outcome.body, outcome.encoding)
    assert json.loads(body)["name"] == "acme"
    [request] = made.asked()
    assert outcome == Fetched(
        body=gzip.compress(body, 6, mtime=0),
        encoding="gzip",
        content_type=V1_JSON,
        url=f"{made.url}acme/",
        etag=outcome.etag,
        last_modified=None,
        max_age_s=60,
        serial=7,
    )
    assert {name: request.headers.get(name) for name in ("accept", "accept-encoding", "user-agent", "cookie")} == {
        "accept": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
        "accept-encoding": "gzip",
        "user-agent": "localpi/test",
        "cookie": None,
    }


@pytest.mark.parametrize("fault", [None, NoLength(), Chunked()])
@pytest.mark.parametrize("speaks_json", [True, False])
@pytest.mark.parametrize("packs", [True, False])
def test_every_way_to_end_a_body(
    client: Upstream, made: MadeUpstream, mirror: Mirror, fault: object, *, speaks_json: bool, packs: bool
) -> None:
    """JSON or HTML, packed or not, with a length, in chunks or up to the end of the connection."""
    made.json, made.gzip_pages = speaks_json, packs
    if fault is not None:
        made.fail(fault)  # type: ignore[arg-type]
    outcome = client.fetch_page(mirror, "acme", deadline_s=10)
    assert isinstance(outcome, Fetched)
    assert outcome.encoding == ("gzip" if packs else "")
    assert b"acme-1.0.tar.gz" in decoded(outcome.body, outcome.encoding)


def test_validators_make_it_conditional(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """ETag and Last-Modified are sent back, and 304 is NotModified with what may have changed."""
    made.last_modified = "Tue, 02 Jan 2024 03:04:06 GMT"
    first = client.fetch_page(mirror, "acme", deadline_s=10)
    assert isinstance(first, Fetched)
    made.max_age = 90
    again = client.fetch_page(
        mirror, "acme", etag=first.etag, last_modified=first.last_modified, fresh=True, deadline_s=10
    )
    assert again == NotModified(first.etag, first.last_modified, 90, 7)
    headers = made.asked()[-1].headers
    assert headers["if-none-match"] == first.etag
    assert headers["if-modified-since"] == made.last_modified
    assert headers["cache-control"] == "no-cache"
    assert made.connections == 1


def test_304_without_asking_is_no_answer(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """A 304 to an unconditional request is the server's mistake."""
    made.fail(Status(304))
    assert _kind(client, mirror) == "server"


@pytest.mark.parametrize(
    ("cache_control", "expected"),
    [
        ("max-age=600, public", 600),
        ("public,MAX-AGE=600", 600),
        ("max-age=99999999999", 86_400),
        ("max-age=9999999", 86_400),
        ("no-cache, max-age=600", 0),
        ("no-store", 0),
        ("s-maxage=5", None),
        ("max-age=-1", None),
        ("", None),
    ],
)
def test_max_age(
    client: Upstream, made: MadeUpstream, mirror: Mirror, cache_control: str, expected: int | None
) -> None:
    """Cache-Control is read leniently and bounded by a day."""
    page = Status(200, {"Content-Type": V1_JSON, "Cache-Control": cache_control}, b"{}")
    made.fail(page)
    outcome = client.fetch_page(mirror, "acme", deadline_s=10)
    assert isinstance(outcome, Fetched)
    assert outcome.max_age_s == expected


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (404, {}, Missing()),
        (410, {}, Missing()),
        (401, {}, Unreachable("auth", "HOST wants other credentials (401)")),
        (403, {}, Unreachable("auth", "HOST wants other credentials (403)")),
        (407, {}, Unreachable("proxy", "the proxy wants credentials")),
        (429, {"Retry-After": "30"}, Unreachable("server", "HOST answers 429", 30)),
        (451, {}, Unreachable("server", "HOST answers 451")),
        (500, {}, Unreachable("server", "HOST answers 500")),
        (503, {"Retry-After": "999999999"}, Unreachable("server", "HOST answers 503", 86_400)),
        (503, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, Unreachable("server", "HOST answers 503")),
        (511, {}, Unreachable("captive", "the network wants a login (511)")),
        (204, {}, Unreachable("server", "HOST answers 204")),
        (300, {}, Unreachable("server", "HOST answers 300")),
    ],
)
def test_what_a_status_means(
    client: Upstream, made: MadeUpstream, mirror: Mirror, *, status: int, headers: dict[str, str], expected: object
) -> None:
    """Only 404 and 410 mean that something is not there."""
    made.fail(Status(status, headers, b"" if status == 204 else b"no"))
    outcome = client.fetch_page(mirror, "acme", deadline_s=10)
    if isinstance(outcome, Unreachable):
        host = made.origin.removeprefix("http://")
        outcome = Unreachable(outcome.kind, outcome.reason.replace(host, "HOST"), outcome.retry_after_s)
    assert outcome == expected


@pytest.mark.parametrize(
    "fault",
    [Swallow(), Drip(), Drip(headers=True), Stall(), Stall(after=0)],
    ids=["swallows", "drips its body", "drips its headers", "stalls", "stalls before the body"],
)
@pytest.mark.parametrize("reused", [False, True], ids=["new connection", "reused connection"])
def test_slowness_ends_at_the_deadline(
    client: Upstream, made: MadeUpstream, mirror: Mirror, fault: object, *, reused: bool
) -> None:
    """Whatever an upstream is slow with, the deadline holds."""
    if reused:
        client.fetch_page(mirror, "acme", deadline_s=10)
    made.fail(fault)  # type: ignore[arg-type]
    with within(1.5):
        assert _kind(client, mirror, deadline_s=1.5) == "timeout"


@pytest.mark.parametrize(
    "fault",
    [
        CloseEarly(),
        CloseEarly(-1),
        WrongLength(),
        WrongLength(-10),
        Chunked(cut=True),
        Garbage(),
        Garbage(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 500),
        Garbage(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000),
        Status(200, {"Content-Type": "application/json"}, b"{}"),
        Status(200, {"Content-Type": "text/plain"}, b"hello"),
        Status(200, {"Content-Type": V1_JSON, "Content-Encoding": "br"}, b"{}"),
        Status(200, {"Content-Type": V1_JSON, "Content-Encoding": "gzip"}, b"not gzip"),
        Status(200, {"Content-Type": V1_JSON, "Content-Encoding": "gzip"}, gzip.compress(b"{}" * 500)[:-6]),
    ],
)
def test_a_broken_answer_is_no_page(client: Upstream, made: MadeUpstream, mirror: Mirror, fault: object) -> None:
    """What did not come whole, or is no simple page by its type, is known at once."""
    made.fail(fault)  # type: ignore[arg-type]
    with within(0):
        assert _kind(client, mirror) in ("broken", "page")


def test_cut_html_without_a_length_is_seen(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """HTML that ends with the connection must end with its document."""
    made.json, made.gzip_pages = False, False
    made.fail(Garbage(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body><a href='acme-1.0.tar.gz'>"))
    assert _kind(client, mirror) == "broken"


@pytest.mark.parametrize("members", [1, 2])
def test_a_gzip_bomb_is_counted_not_kept(client: Upstream, made: MadeUpstream, mirror: Mirror, members: int) -> None:
    """100 MB out of 100 kB are refused while they are counted."""
    packed = bomb(GzipBomb().size // members) * members
    made.fail(Status(200, {"Content-Type": V1_JSON, "Content-Encoding": "gzip"}, packed))
    outcome = client.fetch_page(mirror, "acme", deadline_s=20)
    host = made.origin.removeprefix("http://")
    assert outcome == Unreachable("broken", f"{host} sent a page of more than 64,000,000 bytes")


def test_a_wrong_encoding_that_is_gzip_is_taken(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """Gzip of several members is whole at the end of the last one."""
    made.fail(
        Status(200, {"Content-Type": V1_JSON, "Content-Encoding": "x-gzip"}, gzip.compress(b"{") + gzip.compress(b"}"))
    )
    outcome = client.fetch_page(mirror, "acme", deadline_s=10)
    assert isinstance(outcome, Fetched)
    assert decoded(outcome.body, outcome.encoding) == b"{}"


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("http://login.example/portal?from=me", "captive"),
        ("https://login.example/", "captive"),
        ("//login.example/", "captive"),
        ("http://127.0.0.1:1/simple/acme/", "captive"),
        ("file:///etc/passwd", "page"),
        ("http://[broken/", "page"),
        ("", "page"),
        (PAGE, "page"),
    ],
)
def test_a_redirect_elsewhere_may_be_a_portal(
    client: Upstream, made: MadeUpstream, mirror: Mirror, location: str, kind: str
) -> None:
    """A page comes from its own origin alone; another host is a portal's, a circle is nobody's. No query, no path."""
    made.fail(RedirectTo(location), at=PAGE)
    outcome = client.fetch_page(mirror, "acme", deadline_s=10)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == kind
    assert "portal" not in outcome.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_at_home_is_followed(client: Upstream, made: MadeUpstream, mirror: Mirror, status: int) -> None:
    """Indexes redirect to the normalised name; the URL of the answer is the last one."""
    made.fail(RedirectTo("../acme/", status), at="/simple/Acme/")
    outcome = client.fetch_page(mirror, "Acme", deadline_s=10)
    assert isinstance(outcome, Fetched)
    assert outcome.url == f"{made.url}acme/"


def test_a_redirect_that_hangs_is_within_the_deadline(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """One deadline for the whole chain."""
    made.fail(RedirectTo("/simple/slow/"), at=PAGE)
    made.fail(Drip(headers=True), at="/simple/slow/")
    with within(1):
        assert _kind(client, mirror, deadline_s=1) == "timeout"


def test_nobody_listens(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """A refused connection is known at once; when the upstream is back, so are we."""
    made.refuse()
    with within(0):
        assert _kind(client, mirror) == "connect"
    made.heal()
    assert isinstance(client.fetch_page(mirror, "acme", deadline_s=10), Fetched)


@pytest.mark.parametrize("url", ["ftp://example.org/simple/", "http:///simple/", "simple", "http://h:99999/"])
def test_a_url_that_is_none(client: Upstream, url: str) -> None:
    """A mirror that cannot be asked is an outcome, no exception."""
    assert _kind(client, Mirror("root/odd", url)) == "broken"


def test_probe(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """A probe wants a page of the mirror; a portal's page will not do."""
    assert client.probe(mirror, 10) == Reachable()
    made.add("pip-1.0.tar.gz", b"sdist")
    assert client.probe(mirror, 10) == Reachable()
    made.fail(LoginPage())
    host = made.origin.removeprefix("http://")
    assert client.probe(mirror, 10) == Unreachable("captive", f"{host} answered with a login page")
    made.refuse()
    outcome = client.probe(mirror, 10)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "connect"


def test_probe_of_a_server_that_sends_elsewhere_for_what_it_has_not(
    client: Upstream, made: MadeUpstream, mirror: Mirror
) -> None:
    """As pypiserver does for other names: a page that it lists itself is asked for before a portal is suspected."""
    made.add("acme-1.0.tar.gz", b"sdist")
    for name in ("pip", "gone"):
        made.fail(RedirectTo(f"http://127.0.0.1:9/simple/{name}/"), at=f"/simple/{name}/")
    assert client.probe(mirror, 10) == Reachable()
    assert client.probe(mirror, 10, project="gone") == Reachable()
    made.fail(RedirectTo("http://127.0.0.1:9/login"))
    outcome = client.probe(mirror, 10)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "captive"


def test_touch(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """A bare connect knows whether anybody is there."""
    assert client.touch(mirror, 5) == Reachable()
    made.refuse()
    outcome = client.touch(mirror, 5)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "connect"


def _kind(client: Upstream, mirror: Mirror, deadline_s: float = 10) -> str:
    outcome = client.fetch_page(mirror, "acme", deadline_s=deadline_s)
    assert isinstance(outcome, Unreachable), outcome
    return outcome.kind
