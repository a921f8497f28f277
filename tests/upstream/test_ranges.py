"""Pieces of files by range requests, from servers that know them, half know them, or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localpi.upstream import Mirror, Missing, Unreachable, Upstream
from localpi.upstream.pieces import Peeked, Piece, Unranged
from made.bounds import within
from made.faults import CloseEarly, Encoded, Fault, NoLength, RedirectTo, Stall, Status, Swallow

if TYPE_CHECKING:
    from made.upstream import MadeUpstream

WHEEL = "acme-1.0-py3-none-any.whl"


@pytest.fixture
def data(made: MadeUpstream) -> bytes:
    """The bytes of the wheel, over 100,000."""
    return made.files[WHEEL].data


def test_pieces_of_a_file(client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes) -> None:
    """From the front, the middle, the end, and what is there where less is there; on one connection."""
    size, url = len(data), made.file_url(WHEEL)
    for first, length, expected in (
        (0, 1, Piece(data[:1], 0, size)),
        (100, 50, Piece(data[100:150], 100, size)),
        (None, 2000, Piece(data[-2000:], size - 2000, size)),
        (size - 5, 100, Piece(data[-5:], size - 5, size)),
        (None, size * 2, Piece(data, 0, size)),
    ):
        assert client.read_range(mirror, url, first=first, length=length) == expected
    assert made.connections == 1
    assert all("range" in request.headers for request in made.asked())


@pytest.mark.parametrize(
    "answer",
    [Status(416), Status(501), Status(400), Status(416, {"Content-Range": "bytes */SIZE"})],
    ids=["416", "501", "400", "416-with-size"],
)
def test_servers_without_suffix_ranges(
    client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes, answer: Status
) -> None:
    """The size is learnt another way, and the end asked for by its position."""
    headers = {name: value.replace("SIZE", str(len(data))) for name, value in (answer.headers or {}).items()}
    made.fail(Status(answer.status, headers), at=made.file_path(WHEEL), times=1)
    found = client.read_range(mirror, made.file_url(WHEEL), first=None, length=1000)
    assert found == Piece(data[-1000:], len(data) - 1000, len(data))


def test_servers_without_ranges(client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes) -> None:
    """A large file is not read, its size is told; one that is no longer than what was wanted is taken."""
    made.ranges = False
    assert client.read_range(mirror, made.file_url(WHEEL), first=None, length=1000) == Unranged(len(data))
    assert client.read_range(mirror, made.file_url(WHEEL), first=0, length=1) == Unranged(len(data))
    assert client.read_range(mirror, made.file_url(WHEEL), first=None, length=len(data)) == Piece(data, 0, len(data))
    made.fail(NoLength(), at="/files/")
    assert client.read_range(mirror, made.file_url(WHEEL), first=0, length=1) == Unranged(None)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (CloseEarly(10), "broken"),
        (Stall(10), "timeout"),
        (Swallow(), "timeout"),
        (Status(503), "server"),
        (Status(401), "auth"),
        (Status(206, {"Content-Range": "bytes 0-99999/100000"}), "broken"),
        (Status(206, {"Content-Range": "bytes 5-6/3"}, b"no"), "broken"),
        (RedirectTo("ftp://elsewhere.example/x"), "broken"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_piece(client: Upstream, made: MadeUpstream, mirror: Mirror, fault: Fault, kind: str) -> None:
    """It comes out as a value, within the deadline."""
    made.fail(fault, at="/files/")
    with within(1.0):
        found = client.read_range(mirror, made.file_url(WHEEL), first=None, length=1000, deadline_s=1.0)
    assert isinstance(found, Unreachable)
    assert found.kind == kind


def test_missing_and_encoded_files(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """404 is an answer; a body in an encoding has no byte positions."""
    assert client.read_range(mirror, made.file_url("nix-1.0.whl"), first=0, length=1) == Missing()
    made.fail(Encoded(), at="/files/")
    assert isinstance(client.read_range(mirror, made.file_url(WHEEL), first=0, length=1), Unranged)


def test_redirects_are_followed(client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes) -> None:
    """Mirrors keep files in object stores."""
    made.fail(RedirectTo(made.file_url(WHEEL)), at="/elsewhere/")
    assert client.read_range(mirror, made.origin + "/elsewhere/x", first=3, length=4) == Piece(data[3:7], 3, len(data))


@pytest.mark.parametrize("json", [True, False])
def test_a_list_is_read_no_further_than_wanted(
    client: Upstream, made: MadeUpstream, mirror: Mirror, *, json: bool
) -> None:
    """The first bytes, whether that is all, and where they are from."""
    made.json = json
    for number in range(300):
        made.add(f"p{number:03}-1.0.tar.gz", b"x")
    found = client.peek(mirror, most=1000, deadline_s=5)
    assert isinstance(found, Peeked)
    assert (len(found.body), found.whole, found.url) == (1000, False, made.url)
    whole = client.peek(mirror, most=100_000, deadline_s=5)
    assert isinstance(whole, Peeked)
    assert whole.whole
    assert whole.body.startswith(found.body)


def test_a_list_that_is_none(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """No list is Missing; a portal's redirect is captive."""
    made.lists = False
    assert client.peek(mirror, most=1000, deadline_s=5) == Missing()
    made.fail(RedirectTo("http://portal.example/login"))
    found = client.peek(mirror, most=1000, deadline_s=5)
    assert isinstance(found, Unreachable)
    assert found.kind == "captive"


def test_a_credential_is_tried_and_not_kept(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """It goes to its own address, and the others do not learn of it."""
    made.credential = ("me", "secret")
    assert isinstance(client.peek(mirror, most=1000, deadline_s=5), Unreachable)
    other = client.as_given(made.url, "me", "secret")
    try:
        assert isinstance(other.peek(mirror, most=1000, deadline_s=5), Peeked)
    finally:
        other.close()
    assert isinstance(client.peek(mirror, most=1000, deadline_s=5), Unreachable)
