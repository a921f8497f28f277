"""Files over a socket: whole, parts, HEAD, 304, metadata, deleted under us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from made.wheels import make_wheel, wheel_metadata

if TYPE_CHECKING:
    from made.served import Served
    from made.upstream import MadeUpstream

NAME, DATA = make_wheel("demo", "1.0+cu128")


@pytest.fixture
def url(served: Served, upstream: MadeUpstream) -> str:
    """Publish a wheel upstream and return its URL here."""
    upstream.add(NAME, DATA)
    url: str = served.page("/root/pypi/+simple/demo/").json()["files"][0]["url"]
    assert "%2B" in url
    return url


def test_a_file_is_the_same_cold_cached_and_hot(served: Served, upstream: MadeUpstream, url: str) -> None:
    """The first request streams from upstream, further ones come from the disk; bytes and headers agree."""
    replies = [served.ask("GET", url) for _ in range(4)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, DATA)] * 4
    assert {reply.headers["cache-control"] for reply in replies} == {"max-age=365000000, immutable"}
    assert len({reply.headers["etag"] for reply in replies}) == 1
    assert {reply.headers["accept-ranges"] for reply in replies} == {"bytes"}
    assert sum(NAME.replace("+", "%2B") in request.path for request in upstream.requests) <= 1


@pytest.mark.parametrize("area", ["%2Bf", "%2bf"])
def test_the_plus_of_the_area_may_be_quoted(served: Served, url: str, area: str) -> None:
    """Pip asks for /%2Bf/ where the page says /+f/."""
    assert served.ask("GET", url.replace("+f", area)).body == DATA


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=100-", 100, len(DATA) - 1), ("bytes=-20", len(DATA) - 20, len(DATA) - 1)],
)
def test_a_range_is_a_part_cold_and_cached(served: Served, url: str, asked: str, first: int, last: int) -> None:
    """206 with exactly those bytes, while the file is on its way and when it is here."""
    for _ in range(3):
        reply = served.ask("GET", url, {"Range": asked})
        assert (reply.status, reply.body) == (206, DATA[first : last + 1])
        assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(DATA)}"
        assert reply.headers["content-length"] == str(last - first + 1)


def test_a_range_behind_the_end_is_416(served: Served, url: str) -> None:
    """The answer names the size."""
    reply = served.ask("GET", url, {"Range": f"bytes={len(DATA)}-"})
    assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{len(DATA)}")


def test_if_range_guards_a_resumed_download(served: Served, url: str) -> None:
    """With our ETag the rest comes, with another one the whole file."""
    etag = served.ask("GET", url).headers["etag"]
    assert served.ask("GET", url, {"Range": "bytes=10-", "If-Range": etag}).status == 206
    assert served.ask("GET", url, {"Range": "bytes=10-", "If-Range": '"other"'}).body == DATA


def test_head_says_what_get_would(served: Served, upstream: MadeUpstream, url: str) -> None:
    """HEAD has length and ETag, cold (nothing is fetched for it) and cached."""
    before = len(upstream.requests)
    cold = served.ask("HEAD", url)
    assert len(upstream.requests) == before
    get = served.ask("GET", url)
    for head in (cold, served.ask("HEAD", url), served.ask("HEAD", url)):
        assert (head.status, head.body) == (200, b"")
        for name in ("content-length", "etag", "content-type", "accept-ranges"):
            assert head.headers[name] == get.headers[name]


def test_a_known_etag_is_304(served: Served, url: str) -> None:
    """Cold, cached and hot."""
    etag = served.ask("HEAD", url).headers["etag"]
    for _ in range(3):
        assert served.ask("GET", url, {"If-None-Match": etag}).status == 304
        served.ask("GET", url)


def test_metadata_lies_beside_the_wheel(served: Served, url: str) -> None:
    """PEP 658: the core metadata of an upstream's wheel, byte for byte."""
    reply = served.ask("GET", url + ".metadata")
    assert (reply.status, reply.body) == (200, wheel_metadata(DATA))


def test_a_blob_deleted_under_us_is_fetched_again(served: Served, url: str) -> None:
    """A hot file that somebody deleted is not a fault: it is not here, so it is fetched."""
    for _ in range(3):
        served.ask("GET", url)
    for sha256, _size in served.library.store.files.all():
        served.library.store.files.path(sha256).unlink()
    reply = served.ask("GET", url)
    assert (reply.status, reply.body) == (200, DATA)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/root/pypi/+f/abc/def0123456789/absent-1.0-py3-none-any.whl", 404),
        ("/root/local/+f/abc/def0123456789/absent-1.0-py3-none-any.whl", 404),
        ("/root/none/+f/abc/def0123456789/demo-1.0-py3-none-any.whl", 404),
        ("/root/pypi/+f/abc/demo-1.0-py3-none-any.whl", 400),
        ("/root/pypi/+f/../../demo", 400),
        ("/root/pypi/+f/abc/def0123456789/..%2f..%2fetc%2fpasswd", 400),
        ("/root/pypi/+f/abc/def0123456789/.hidden-1.0.whl", 400),
        ("/root/pypi/+f/abc/def0123456789/a%00b-1.0.whl", 400),
        ("/root/pypi/+f/", 400),
    ],
)
def test_other_paths_are_refused(served: Served, path: str, status: int) -> None:
    """What names no file is a client error and touches nothing."""
    reply = served.ask("GET", path)
    assert (reply.status, status) in {(status, status), (404, 400)}


def test_pass_through_redirects_without_credentials(served: Served, upstream: MadeUpstream) -> None:
    """mirror_use_external_urls: what is not here is redirected to the upstream, and nothing may cache that."""
    upstream.add(NAME, DATA)
    changed = served.ask("PATCH", "/root/pypi", data=["mirror_use_external_urls=True"], owner=True)
    assert changed.status == 200
    url = served.page("/root/pypi/+simple/demo/").json()["files"][0]["url"]
    reply = served.ask("GET", url)
    assert (reply.status, reply.headers["cache-control"]) == (302, "no-store")
    assert reply.headers["location"].startswith(upstream.origin)


def test_a_file_of_a_stage_ends_with_its_removal(served: Served) -> None:
    """A removed file answers 410 at once, though it was hot."""
    name, data = make_wheel("own", "1.0")
    served.upload("/root/local/", name, data, name="own", version="1.0", filetype="bdist_wheel")
    url = served.page("/root/local/+simple/own/").json()["files"][0]["url"]
    assert [served.ask("GET", url).body for _ in range(3)] == [data] * 3
    assert served.ask("GET", url + ".metadata").body == wheel_metadata(data)
    assert served.ask("DELETE", url, owner=True).status == 200
    assert served.ask("GET", url).status == 410
