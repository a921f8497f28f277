"""The hot bytes: found by raw request, right while the stamps are, bounded by bytes."""

from __future__ import annotations

import gzip
import time
from io import BytesIO
from math import inf
from pathlib import Path
from typing import Any

import pytest

from localpi.index.stamps import Stamps
from localpi.simple.names import normalize
from localpi.web.hot import Body, Hot, HotAnswers, Kept

NAME = normalize("demo")
JSON = "application/vnd.pypi.simple.v1+json"
VARIANT = ("", JSON, None, None, None)
REQUEST = {"HOST": "localhost", "ACCEPT": JSON}
PATH = "/root/pypi/+simple/demo/"
LIMIT = 1_000_000


@pytest.fixture
def stamps() -> Stamps:
    return Stamps()


@pytest.fixture
def hot(stamps: Stamps) -> HotAnswers:
    return HotAnswers(stamps, LIMIT)


def keep(hot: HotAnswers, data: bytes, path: str = PATH, fresh_until: float = inf) -> Body:
    """Keep a page as the blueprint does."""
    body = hot.share(data, lambda: data)
    headers = [("Content-Type", JSON), ("ETag", body.etag), ("Content-Length", str(len(data)))]
    hot.keep_page(path, VARIANT, Kept.page(body, data, headers, ((NAME, hot.stamp(NAME)),), fresh_until))
    return body


def read_all(file: Any) -> list[bytes]:
    """Read and close a file as a server does."""
    with file:
        return [file.read()]


def send(hot: Hot) -> tuple[str, list[tuple[str, str]], bytes]:
    """Send an answer and return all of it."""
    begun: list[Any] = []
    environ = {"wsgi.file_wrapper": read_all}
    body = b"".join(hot.send(environ, lambda status, headers: begun.append((status, headers)), []))
    return begun[0][0], begun[0][1], body


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "OPTIONS"])
def test_what_changes_something_is_never_answered_by_304(hot: HotAnswers, method: str) -> None:
    """A DELETE with an entity tag that is known is a DELETE."""
    body = keep(hot, b"page")
    assert hot.find(method, PATH, "", {**REQUEST, "IF_NONE_MATCH": body.etag}) is None


def test_the_same_request_is_answered_again(hot: HotAnswers) -> None:
    """A request with the same path, query and shaping headers gets the whole answer, HEAD the headers of it."""
    body = keep(hot, b"page")
    headers = [("Content-Type", JSON), ("ETag", body.etag), ("Content-Length", "4")]
    found = hot.find("GET", PATH, "", REQUEST)
    head = hot.find("HEAD", PATH, "", {**REQUEST, "USER_AGENT": "x"})
    assert found is not None
    assert head is not None
    assert send(found) == ("200 OK", headers, b"page")
    assert send(head) == ("200 OK", headers, b"")


def test_a_wsgi_environ_is_looked_up_as_well(hot: HotAnswers) -> None:
    """A worker looks with the keys of PEP 3333."""
    keep(hot, b"page")
    assert hot.find("GET", PATH, "", {"HTTP_ACCEPT": JSON}, "HTTP_") is not None


@pytest.mark.parametrize(
    ("method", "path", "query", "headers"),
    [
        ("POST", PATH, "", {}),
        ("GET", PATH + "x", "", {}),
        ("GET", PATH, "format=x", {}),
        ("GET", PATH, "", {"ACCEPT": "text/html"}),
        ("GET", PATH, "", {"ACCEPT_ENCODING": "gzip"}),
        ("GET", PATH, "", {"X_FORWARDED_PREFIX": "/p"}),
        ("GET", PATH, "", {"X_OUTSIDE_URL": "http://p"}),
        ("GET", PATH, "", {"CACHE_CONTROL": "no-cache"}),
    ],
)
def test_other_requests_are_not_answered(
    hot: HotAnswers, method: str, path: str, query: str, headers: dict[str, str]
) -> None:
    """Whatever shapes an answer makes another request of it; no-cache wants the upstream asked."""
    keep(hot, b"page")
    assert hot.find(method, path, query, REQUEST | headers) is None


def test_max_age_zero_is_answered(hot: HotAnswers) -> None:
    """Old pips send max-age=0 always: that revalidates nothing."""
    keep(hot, b"page")
    assert hot.find("GET", PATH, "", REQUEST | {"CACHE_CONTROL": "max-age=0"}) is not None


def test_an_answer_is_right_until_its_stamp_or_its_time(hot: HotAnswers, stamps: Stamps) -> None:
    """A change of the project, of the configuration, or the end of its freshness ends an answer."""
    keep(hot, b"page")
    stamps.bump(normalize("other"))
    assert hot.find("GET", PATH, "", REQUEST) is not None
    stamps.bump(NAME)
    assert hot.find("GET", PATH, "", REQUEST) is None
    keep(hot, b"page")
    stamps.bump_config()
    assert hot.find("GET", PATH, "", REQUEST) is None
    keep(hot, b"page", fresh_until=time.monotonic() - 1)
    assert hot.find("GET", PATH, "", REQUEST) is None


def test_a_known_etag_is_answered_304(hot: HotAnswers) -> None:
    """The ETag in either form saves the body; the answer repeats what a cache has to know."""
    body = keep(hot, b"page")
    for tag in (body.etag, f'{body.etag[:-1]}-gz"'):
        found = hot.find("GET", PATH, "", REQUEST | {"IF_NONE_MATCH": tag})
        assert found is not None
        assert send(found) == ("304 NOT MODIFIED", [("ETag", body.etag)], b"")
    other = hot.find("GET", PATH, "", REQUEST | {"IF_NONE_MATCH": '"other"'})
    assert other is not None
    assert other.status == "200 OK"


def test_equal_bytes_are_in_memory_once(hot: HotAnswers) -> None:
    """Two paths whose pages are equal share their body."""
    keep(hot, b"page")
    keep(hot, b"page", "/root/local/+simple/demo/")
    assert hot.totals() == (1, 4)


def test_gzip_is_made_at_the_second_request(hot: HotAnswers) -> None:
    """The first answer is identity, the second pays for packing, all further ones have it."""
    data = b"x" * 5000
    body = hot.share(data, lambda: data)
    assert hot.zip(body) is None
    zipped = hot.zip(body)
    assert zipped is not None
    assert gzip.decompress(zipped) == data
    assert hot.zip(body) is zipped
    assert hot.totals() == (1, len(data) + len(zipped))


def test_small_bodies_are_never_zipped(hot: HotAnswers) -> None:
    """What fits a packet is sent as it is."""
    body = hot.share("small", lambda: b"x" * 100)
    assert [hot.zip(body), hot.zip(body)] == [None, None]


def test_memory_is_bounded_and_the_longest_unused_go(hot: HotAnswers) -> None:
    """Beyond the limit the bodies that nobody asked for longest are dropped, with the answers that use them."""
    for number in range(30):
        keep(hot, bytes([number]) * 100_000, f"/root/pypi/+simple/p{number}/")
        first = hot.find("GET", "/root/pypi/+simple/p0/", "", REQUEST)
        assert first is not None  # in use all the time
    bodies, size = hot.totals()
    assert size == bodies * 100_000 <= LIMIT
    assert hot.find("GET", "/root/pypi/+simple/p1/", "", REQUEST) is None
    assert hot.find("GET", "/root/pypi/+simple/p29/", "", REQUEST) is not None
    assert len(hot._pages) == bodies


def test_what_is_too_large_to_keep_is_not_kept(hot: HotAnswers) -> None:
    """One page may not push out all others."""
    body = keep(hot, b"x" * (LIMIT // 2))
    assert len(body.identity) == LIMIT // 2
    assert hot.totals() == (0, 0)
    assert hot.find("GET", PATH, "", REQUEST) is None


def test_a_changed_page_lets_its_old_body_go(hot: HotAnswers) -> None:
    """The old bytes go with the last request that was answered with them."""
    keep(hot, b"old!")
    keep(hot, b"newer")
    assert hot.totals() == (1, 5)


def test_variants_and_paths_are_bounded(hot: HotAnswers) -> None:
    """A client that asks in ever new ways does not fill the memory."""
    body = keep(hot, b"page")
    for number in range(1000):
        variant = ("", f"x/{number}", None, None, None)
        hot.keep_page(PATH, variant, Kept.page(body, b"page", [], (), inf))
    assert len(hot._pages[PATH]) <= 32


def test_what_makes_an_answer_leaves_nothing_behind(hot: HotAnswers) -> None:
    """A client that says something else each time does not fill the memory: not with keys, not with long ones."""
    body = hot.share(b"page", lambda: b"page")
    for number in range(30_000):
        variant = ("", f"text/{number}", None, None, None)
        kept = Kept.page(body, b"page", [], ((NAME, hot.stamp(NAME)),), inf)
        hot.keep_page(f"/root/pypi/+simple/{number // 30}/", variant, kept)
    assert hot._answers == sum(len(variants) for variants in hot._pages.values()) == len(body.places) <= 20_000
    assert hot.find("GET", PATH, "", REQUEST) is None
    keep(hot, b"page")
    assert hot.find("GET", PATH, "", REQUEST) is not None
    hot.keep_page(PATH, ("", "x" * 60_000, None, None, None), kept)
    assert hot.find("GET", PATH, "", {"ACCEPT": "x" * 60_000}) is None


def test_a_file_is_sent_from_the_disk(hot: HotAnswers, stamps: Stamps, tmp_path: Path) -> None:
    """A complete file is opened when it is sent; ranges and dates are a worker's business."""
    on_disk = tmp_path / "blob"
    on_disk.write_bytes(b"wheel")
    path = "/root/pypi/+f/abc/def/demo-1.0-py3-none-any.whl"
    headers = [("ETag", '"e"'), ("Content-Length", "5"), ("Accept-Ranges", "bytes")]
    hot.keep_file(path, Kept.file(str(on_disk), headers, '"e"', ((NAME, stamps.get(NAME)),)))
    found = hot.find("GET", path, "", {"ACCEPT": "*/*", "ACCEPT_ENCODING": "identity"})
    known = hot.find("GET", path, "", {"IF_NONE_MATCH": '"e"'})
    assert found is not None
    assert known is not None
    assert send(found) == ("200 OK", headers, b"wheel")
    assert send(known)[0] == "304 NOT MODIFIED"
    assert hot.find("GET", path, "", {"RANGE": "bytes=0-1"}) is None
    on_disk.unlink()
    with pytest.raises(OSError, match="No such file"):
        send(found)
    hot.forget_file(path)
    assert hot.find("GET", path, "", {}) is None


def test_finding_takes_microseconds(hot: HotAnswers) -> None:
    """A look costs far less than the 60 µs that a request may take on the loop; the bound is loose on purpose."""
    keep(hot, b"page")
    begun = time.perf_counter()
    for _ in range(10_000):
        hot.find("GET", PATH, "", REQUEST)
    assert (time.perf_counter() - begun) / 10_000 < 50e-6


def test_a_body_is_shared_and_not_copied() -> None:
    """BytesIO shares the bytes it is made of until somebody writes."""
    data = b"x" * 1_000_000
    seen: list[BytesIO] = []

    def wrap(file: BytesIO) -> list[bytes]:
        seen.append(file)
        return []

    Hot("200 OK", [], data).send({"wsgi.file_wrapper": wrap}, lambda *_: None, [])
    assert seen[0].getvalue() is data
