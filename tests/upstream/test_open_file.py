"""Files: streamed, resumed, and broken off when the upstream misbehaves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from localpi.upstream import Broken, Credentials, Mirror, Missing, Unreachable, Upstream, files
from localpi.upstream.files import OpenedFile
from made.bounds import within
from made.faults import (
    Chunked,
    CloseEarly,
    Drip,
    Encoded,
    Fault,
    NoLength,
    OtherBytes,
    RedirectTo,
    Stall,
    Status,
    Swallow,
    WrongLength,
)
from made.upstream import MadeUpstream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHEEL = "acme-1.0-py3-none-any.whl"


@pytest.fixture
def data(made: MadeUpstream) -> bytes:
    """The bytes of the wheel."""
    return made.files[WHEEL].data


@pytest.fixture
def short_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second for a read instead of fifteen."""
    monkeypatch.setattr(files, "READ_S", 1.0)


def test_a_file_comes_whole(client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes) -> None:
    """Size, type and validator are known before the bytes; the connection is used again."""
    for _ in range(2):
        with _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
            facts = (file.offset, file.total, file.content_type, file.validator)
            assert _read(file) == data
            assert file.read() == b""
        assert facts == (0, len(data), "application/octet-stream", f'"{hashlib.sha256(data).hexdigest()[:20]}"')
    assert [request.headers.get("accept-encoding") for request in made.asked()] == ["identity", "identity"]
    assert made.connections == 1


@pytest.mark.parametrize("fault", [NoLength(), Chunked()])
def test_a_file_of_unknown_size(
    client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes, fault: Fault
) -> None:
    """Without a length the total is None and the bytes come all the same."""
    made.fail(fault)
    with _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
        assert file.total is None
        assert _read(file) == data


def test_resuming(client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes) -> None:
    """With its validator a file goes on where it broke off."""
    made.fail(CloseEarly(40_000), times=1)
    with _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
        begun, _ = _read_until_broken(file)
        validator = file.validator
    assert len(begun) == 40_000
    with _opened(client.open_file(mirror, made.file_url(WHEEL), offset=40_000, validator=validator)) as file:
        assert (file.offset, file.total) == (40_000, len(data))
        assert begun + _read(file) == data
    assert made.asked()[-1].headers["if-range"] == validator


@pytest.mark.parametrize(
    ("ranges", "validator"), [(False, '"a"'), (True, '"another"'), (True, None)], ids=["no ranges", "changed", "none"]
)
def test_resuming_what_cannot_be(
    client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes, *, ranges: bool, validator: str | None
) -> None:
    """A server without ranges, a changed file or no validator means from the start."""
    made.ranges = ranges
    with _opened(client.open_file(mirror, made.file_url(WHEEL), offset=40_000, validator=validator)) as file:
        assert (file.offset, file.total) == (0, len(data))
        assert _read(file) == data


@pytest.mark.parametrize(
    "headers", [{"Content-Range": "bytes 0-9/10"}, {"Content-Range": "bytes 50-59/100"}, {"Content-Range": "x"}, {}]
)
def test_another_range_than_asked_for(
    client: Upstream, made: MadeUpstream, mirror: Mirror, headers: dict[str, str]
) -> None:
    """206 must begin where it was asked to, or at the start."""
    made.fail(Status(206, headers, b"0123456789"))
    outcome = client.open_file(mirror, made.file_url(WHEEL), offset=40, validator='"a"')
    if headers.get("Content-Range", "").startswith("bytes 0"):
        with _opened(outcome) as file:
            assert file.offset == 0
    else:
        assert _kind(outcome) == "broken"


def test_beyond_the_end(client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes) -> None:
    """416 is an answer that helps nobody."""
    with _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
        validator = file.validator
    outcome = client.open_file(mirror, made.file_url(WHEEL), offset=len(data), validator=validator)
    assert _kind(outcome) == "server"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_an_encoding_that_was_not_asked_for(
    client: Upstream, made: MadeUpstream, mirror: Mirror, encoding: str
) -> None:
    """An encoded file would be decoded by somebody, and its hash be wrong."""
    made.fail(Encoded(encoding))
    assert _kind(client.open_file(mirror, made.file_url(WHEEL))) == "broken"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Status(404), "missing"), (Status(410), "missing"), (Status(403), "auth"), (Status(500), "server")],
)
def test_statuses(client: Upstream, made: MadeUpstream, mirror: Mirror, fault: Fault, expected: str) -> None:
    """A file that is gone is Missing, all else is Unreachable."""
    made.fail(fault)
    outcome = client.open_file(mirror, made.file_url(WHEEL))
    assert ("missing" if isinstance(outcome, Missing) else _kind(outcome)) == expected


@pytest.mark.parametrize("fault", [Swallow(), Drip(headers=True)])
def test_headers_within_the_deadline(client: Upstream, made: MadeUpstream, mirror: Mirror, fault: Fault) -> None:
    """Opening has a deadline of its own."""
    made.fail(fault)
    with within(1):
        assert _kind(client.open_file(mirror, made.file_url(WHEEL), deadline_s=1)) == "timeout"


def test_opening_late_leaves_time_to_read(client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes) -> None:
    """The deadline of the headers does not cut the body."""
    made.fail(Drip(every_s=0.1, size=len(data) // 15))
    with _opened(client.open_file(mirror, made.file_url(WHEEL), deadline_s=0.5)) as file:
        assert _read(file) == data


@pytest.mark.usefixtures("short_reads")
@pytest.mark.parametrize(
    ("fault", "kind", "received"),
    [
        (Stall(50_000), "timeout", 50_000),
        (CloseEarly(50_000), "broken", 50_000),
        (WrongLength(1), "broken", None),
    ],
)
def test_what_breaks_in_the_middle(
    client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes, *, fault: Fault, kind: str, received: int | None
) -> None:
    """What came is handed out, then Broken says why; never a quiet end."""
    made.fail(fault)
    with within(1), _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
        begun, error = _read_until_broken(file)
        with pytest.raises(Broken):
            file.read()
    assert (begun, error.kind) == (data[:received], kind)


@pytest.mark.usefixtures("short_reads")
def test_cut_chunks(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """A missing last chunk is seen."""
    made.fail(Chunked(cut=True))
    with _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
        assert _read_until_broken(file)[1].kind == "broken"


def test_less_than_a_kilobyte_per_second(
    client: Upstream, made: MadeUpstream, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trickle that beats the timeout of each read is broken off (here over 1 s instead of 30)."""
    monkeypatch.setattr(files, "SLOW_S", 1.0)
    monkeypatch.setattr(files, "SLOW_BYTES", 1000)
    made.fail(Drip(every_s=0.05, size=10))
    with within(1), _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
        assert str(_read_until_broken(file)[1]).endswith("sends less than 1 kB/s")


def test_wrong_bytes_are_for_the_store_to_see(
    client: Upstream, made: MadeUpstream, mirror: Mirror, data: bytes
) -> None:
    """This room does not know hashes: the right count of wrong bytes comes through."""
    made.fail(OtherBytes())
    with _opened(client.open_file(mirror, made.file_url(WHEEL))) as file:
        received = _read(file)
    assert len(received) == len(data)
    assert received != data


def test_files_on_another_host(
    client: Upstream, made: MadeUpstream, data: bytes, make_client: Callable[..., Upstream], tmp_path: Path
) -> None:
    """Redirects and links to other hosts are followed without the mirror's credentials."""
    credentials = Credentials(tmp_path / "credentials.toml")
    with MadeUpstream(credential=("me", "secret")) as home:
        credentials.store(home.url, "me", "secret")
        home.fail(RedirectTo(made.file_url(WHEEL)), at="/files/there.whl")
        client = make_client(credentials=credentials)
        for url in (home.file_url("there.whl"), made.file_url(WHEEL)):
            with _opened(client.open_file(Mirror("root/home", home.url), url)) as file:
                assert _read(file) == data
        assert [request.headers.get("authorization") for request in home.asked()] == ["Basic bWU6c2VjcmV0"]
    assert [request.headers.get("authorization") for request in made.asked()] == [None, None]


def test_redirects_in_a_circle(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """Five are enough."""
    made.fail(RedirectTo("/files/round.whl"))
    assert _kind(client.open_file(mirror, made.file_url(WHEEL))) == "broken"
    assert len(made.asked()) == 6


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a.whl", "file:///etc/passwd", "a.whl", "http://[/a.whl", ""])
def test_a_link_that_is_none(client: Upstream, mirror: Mirror, url: str) -> None:
    """A page may link to anything; what is no web address is not asked."""
    assert _kind(client.open_file(mirror, url)) == "broken"


def _opened(outcome: OpenedFile | Missing | Unreachable) -> OpenedFile:
    assert isinstance(outcome, OpenedFile), outcome
    return outcome


def _kind(outcome: OpenedFile | Missing | Unreachable) -> str:
    assert isinstance(outcome, Unreachable), outcome
    return outcome.kind


def _read(file: OpenedFile) -> bytes:
    return b"".join(iter(lambda: file.read(65_536), b""))


def _read_until_broken(file: OpenedFile) -> tuple[bytes, Broken]:
    received = b""
    try:
        while piece := file.read(65_536):
            received += piece
    except Broken as error:
        return received, error
    raise AssertionError("a quiet end")
