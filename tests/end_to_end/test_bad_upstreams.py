"""Upstreams that misbehave: nothing wrong is stored, nothing wrong completes at a client, and nobody waits for ever."""

from __future__ import annotations

import hashlib
import threading
import time

import pytest

from made import faults
from made.daemon import Daemon, Reply
from made.upstream import MadeUpstream
from made.wheels import make_wheel

NAME, DATA = make_wheel("acme", "1.0", filler=400_000)
NEWER, NEWER_DATA = make_wheel("acme", "2.0")
STRANGER = make_wheel("stranger", "1.0")
THIRD = make_wheel("third", "1.0")


def link_of(reply: Reply, filename: str = NAME) -> str:
    url = next(file["url"] for file in reply.json()["files"] if file["filename"] == filename)
    assert isinstance(url, str)
    return url


def have(daemon: Daemon) -> Reply:
    """The page of acme, whose one file and its metadata are here from now on."""
    page = daemon.page("acme")
    assert daemon.get(link_of(page)).status == 200
    if "core-metadata" in page.json()["files"][0]:
        assert daemon.get(link_of(page) + ".metadata").status == 200
    return page


def download(daemon: Daemon, path: str) -> Reply | None:
    """The answer to a GET, None when it broke off before its end."""
    import http.client  # noqa: PLC0415 -- for its exceptions alone

    try:
        return daemon.get(path)
    except (http.client.IncompleteRead, ConnectionError):
        return None


def stored(daemon: Daemon) -> set[str]:
    """The hashes under which files lie in the cache; each is checked against its bytes."""
    found = set()
    for path in (daemon.home / "cache" / "files").glob("*/*"):
        name = path.parent.name + path.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name
        found.add(name)
    return found


@pytest.mark.parametrize(
    "fault",
    [
        faults.LoginPage(),
        faults.RedirectTo("http://127.0.0.1:9/login"),
        faults.Status(500),
        faults.Status(403),
        faults.Status(429),
        faults.Status(511),
        faults.Truncated(),
        faults.CloseEarly(),
        faults.CloseEarly(after=-1),
        faults.WrongLength(),
        faults.PageOf("stranger"),
        faults.GzipBomb(),
        faults.Chunked(cut=True),
    ],
    ids=lambda fault: type(fault).__name__,
)
@pytest.mark.parametrize("json", [True, False], ids=["json", "html"])
def test_a_bad_page_never_replaces_a_good_one(
    daemon: Daemon, upstream: MadeUpstream, fault: faults.Fault, *, json: bool
) -> None:
    """With a page at hand it goes out again; without one the answer is 424 with the reason, never 404.

    Where the failure is one of the whole upstream, what is shown after a probe lists only files that are here.
    """
    upstream.json = json
    upstream.add(NAME, DATA)
    upstream.add(*STRANGER)
    upstream.add(*THIRD)
    daemon.mirror("root/pypi", upstream.url, mirror_cache_expiry=0)
    good = have(daemon)
    upstream.add(NEWER, NEWER_DATA)
    upstream.fail(fault)
    assert daemon.page("acme").json()["files"] == good.json()["files"]
    unknown = daemon.page("third")
    assert unknown.status == 424, unknown
    assert "root/pypi" in unknown.reason
    assert unknown.headers["cache-control"] == "no-store"
    upstream.heal()
    until = time.monotonic() + 20
    while len(daemon.page("acme").json()["files"]) < 2:
        assert time.monotonic() < until, "it did not recover"


@pytest.mark.parametrize(
    "fault",
    [
        faults.OtherBytes(),
        faults.WrongLength(),
        faults.Encoded(),
        faults.LoginPage(),
        faults.Status(503),
        faults.RedirectTo("http://127.0.0.1:9/login"),
    ],
    ids=lambda fault: type(fault).__name__,
)
@pytest.mark.parametrize("json", [True, False], ids=["json", "html"])
def test_a_wrong_file_never_completes(
    daemon: Daemon, upstream: MadeUpstream, fault: faults.Fault, *, json: bool
) -> None:
    """The client gets an error or a broken transfer, nothing is stored, and later the right file comes."""
    upstream.json = json
    upstream.add(NAME, DATA)
    link = link_of(daemon.page("acme"))
    upstream.fail(fault, at="/files/")
    reply = download(daemon, link)
    assert reply is None or reply.status in (404, 424), reply
    assert stored(daemon) == set()
    upstream.heal()
    until = time.monotonic() + 20
    while (reply := download(daemon, link)) is None or reply.status != 200:
        assert time.monotonic() < until, reply
    assert reply.body == DATA
    while stored(daemon) != {hashlib.sha256(DATA).hexdigest()}:  # the last byte goes out before the fsync
        assert time.monotonic() < until, stored(daemon)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.CloseEarly(after=150_000), id="closes"),
        pytest.param(faults.Stall(after=150_000), id="stalls", marks=pytest.mark.long),  # 15 s
    ],
)
def test_a_broken_transfer_is_taken_up_again(daemon: Daemon, upstream: MadeUpstream, fault: faults.Fault) -> None:
    """The client notices nothing; only the rest is fetched."""
    upstream.add(NAME, DATA)
    link = link_of(daemon.page("acme"))
    upstream.fail(fault, at=upstream.file_path(NAME), times=1)
    reply = daemon.request("GET", link, timeout=60)
    assert (reply.status, reply.body == DATA) == (200, True)
    ranges = [request.headers.get("range") for request in upstream.asked(upstream.file_path(NAME))]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert ranges[1].startswith("bytes=")


def test_an_upstream_that_swallows_requests_holds_nobody_up(daemon: Daemon, upstream: MadeUpstream) -> None:
    """A page that is here goes out after the bounded wait, at once the next time; other mirrors are not touched."""
    upstream.add(NAME, DATA)
    daemon.mirror("root/pypi", upstream.url, mirror_cache_expiry=0)
    good = have(daemon)
    upstream.fail(faults.Swallow())
    assert daemon.page("acme").json() == good.json()
    with MadeUpstream() as other:
        other.add(*STRANGER)
        daemon.mirror("root/other", other.url)
        replies: list[int] = []
        held = [threading.Thread(target=lambda: replies.append(daemon.page("acme").status)) for _ in range(20)]
        for thread in held:
            thread.start()
        assert daemon.page("stranger", "root/other").status == 200
        for thread in held:
            thread.join(30)
        assert replies == [200] * 20
    assert len(upstream.asked(upstream.page_path("acme"))) <= 4, "one flight at a time"


def test_many_clients_share_one_download(daemon: Daemon, upstream: MadeUpstream) -> None:
    """Twenty clients of a cold file cost the upstream one request, and each gets all of it."""
    upstream.add(NAME, DATA)
    link = link_of(daemon.page("acme"))
    release = threading.Event()
    upstream.fail(faults.HoldBody(release, after=100_000), at=upstream.file_path(NAME))
    bodies: list[bytes] = []
    clients = [threading.Thread(target=lambda: bodies.append(daemon.get(link).body)) for _ in range(20)]
    for client in clients:
        client.start()
    upstream.wait_for(upstream.file_path(NAME))
    release.set()
    for client in clients:
        client.join(30)
    assert [hashlib.sha256(body).hexdigest() for body in bodies] == [hashlib.sha256(DATA).hexdigest()] * 20
    assert len(upstream.asked(upstream.file_path(NAME))) == 1


def test_a_file_without_a_length_is_parked_until_it_is_here(daemon: Daemon, upstream: MadeUpstream) -> None:
    """An HTML mirror without sizes whose files have no Content-Length either."""
    upstream.json = False
    upstream.add(NAME, DATA)
    link = link_of(daemon.page("acme"))
    upstream.fail(faults.NoLength(), at=upstream.file_path(NAME))
    reply = daemon.get(link)
    assert (reply.status, reply.headers["content-length"], reply.body) == (200, str(len(DATA)), DATA)


def test_many_ask_for_one_page_once(daemon: Daemon, upstream: MadeUpstream) -> None:
    """Fifty clients of a cold page cost the upstream one request."""
    upstream.add(NAME, DATA)
    release = threading.Event()
    upstream.fail(faults.Hold(release), at=upstream.page_path("acme"))
    statuses: list[int] = []
    clients = [threading.Thread(target=lambda: statuses.append(daemon.page("acme").status)) for _ in range(50)]
    for client in clients:
        client.start()
    upstream.wait_for(upstream.page_path("acme"))
    release.set()
    for client in clients:
        client.join(30)
    assert statuses == [200] * 50
    assert len(upstream.asked(upstream.page_path("acme"))) == 1
