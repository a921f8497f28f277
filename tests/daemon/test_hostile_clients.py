"""Clients that want to hold up the loop, fill the memory, take every place, or have one request read as two."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from waitress.buffers import OverflowableBuffer  # type: ignore[import-untyped]

from localpi.daemon import limits, listener, unread
from localpi.daemon.chunks import LONGEST_LINE, LONGEST_TRAILER, Chunks
from made.loops import Serving, wait_for, whole

CHUNKED = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


def echo(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer with the body that came."""
    body = environ["wsgi.input"].read()
    assert environ["CONTENT_LENGTH"] == str(len(body))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.mark.parametrize("step", [1, 2, 7, 100_000])
@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"0\r\n\r\n", b""),
        (b"A;name=value\r\n0123456789\r\n1 ;x\r\n\n\r\n00\r\n\r\n", b"0123456789\n"),
        (b'2;a="b c"\r\n\r\n\r\n0\r\nX-Trailer: is dropped\r\nContent-Length: 9\r\n\r\n', b"\r\n"),
        (b"fF\r\n" + b"y" * 255 + b"\r\n0;last\r\n\r\n", b"y" * 255),
    ],
)
def test_chunks_are_put_together(step: int, sent: bytes, body: bytes) -> None:
    """However the bytes arrive, the body is the same, and what follows it is not touched."""
    chunks = Chunks(OverflowableBuffer(1000))
    data, used = sent + b"GET /", 0
    while not chunks.completed:
        used += chunks.received(data[used : used + step])
    assert (chunks.error, used) == (None, len(sent))
    assert chunks.getfile().read() == body
    assert len(chunks) == len(body)


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n",
        b"g\r\n",
        b"0x3\r\nabc\r\n",
        b"-3\r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"1_0\r\n",
        b"1" * 16 + b"\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"3\nabc\r\n",
        b"3;a=\nb\r\nabc\r\n",
        b"3;a=\x00\r\nabc\r\n",
        b"3;" + b"a" * LONGEST_LINE,
        b"0\r\n" + b"X: y\r\n" * LONGEST_TRAILER,
        b"0\r\nX:" + b"y" * LONGEST_LINE,
    ],
)
@pytest.mark.parametrize("step", [1, 100_000])
def test_malformed_and_endless_chunks_are_refused(step: int, sent: bytes) -> None:
    """As soon as it shows, and never by waiting for more."""
    chunks = Chunks(OverflowableBuffer(1000))
    for at in range(0, len(sent), step):
        chunks.received(sent[at : at + step])
    assert chunks.error is not None
    assert chunks.completed


def test_chunks_of_one_byte_take_linear_time() -> None:
    """With waitress's receiver 2 MB of them took 9 s of the loop's time."""
    chunks = Chunks(OverflowableBuffer(1 << 20))
    piece = b"1\r\na\r\n" * 11_000
    began = time.process_time()
    for _ in range(30):
        chunks.received(piece)
    took = time.process_time() - began
    chunks.received(b"0\r\n\r\n")
    assert len(chunks) == 330_000
    assert took < 3


def test_body_in_chunks_reaches_the_application(served: Serving) -> None:
    """With its length, and the next request after it."""
    served.application.routes |= {"/echo": echo, "/next": whole(b"next")}
    with served.connect() as client:
        client.socket.sendall(CHUNKED + b"5\r\nhello\r\n3\r\n, I\r\n0\r\n\r\n")
        assert client.answer() == ("HTTP/1.1 200 OK", b"hello, I")
        assert client.get("/next")[1] == b"next"


@pytest.mark.parametrize(
    "head",
    [
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ],
)
def test_request_of_two_readings_is_refused(served: Serving, head: bytes) -> None:
    """What a proxy in front may read as another request than we do is none: 400, and the end of the connection."""
    served.application.routes |= {"/echo": echo, "/next": whole(b"next")}
    with served.connect() as client:
        client.socket.sendall(head + b"0\r\n\r\nGET /next HTTP/1.1\r\nHost: localhost\r\n\r\n")
        line, headers = client.head()
        client.read(int(headers["content-length"]))
        assert client.rest() == b""

    assert line.partition(" ")[2] == "400 Bad Request"
    assert served.application.runs == []


def test_empty_lines_before_a_request_are_nothing(served: Serving) -> None:
    """RFC 9112 (2.2) wants them ignored; a million of them hold up nobody."""
    served.application.routes["/"] = whole(b"here")
    with served.connect() as flood, served.connect() as client:
        for _ in range(50):
            flood.socket.sendall(b"\r\n" * 32_768)
        began = time.monotonic()
        assert client.get("/")[1] == b"here"
        assert time.monotonic() - began < 1
        assert flood.get("/")[1] == b"here"


def test_clients_that_drip_do_not_shut_anyone_out(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full house of half requests makes room, whether it is the head or the body that does not come."""
    monkeypatch.setattr(listener, "GRACE_S", 0.2)
    served.loop.adjustments.connection_limit = 20
    served.application.routes["/"] = whole(b"here")
    dripping = []
    for number in range(40):
        dripping.append(served.connect())
        dripping[-1].socket.sendall(
            b"GET / HTTP/1.1\r\nX: " if number % 2 else b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\nx"
        )
    with served.connect() as client:
        answer = client.get("/")
    for each in dripping:
        each.close()

    assert answer == ("HTTP/1.1 200 OK", b"here")


def test_request_that_drips_is_closed_in_the_end(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte now and then is not silence, and yet no request."""
    monkeypatch.setattr(listener, "DRIP_S", 0.0)
    served.application.routes["/"] = whole(b"here")
    with served.connect() as client, served.connect() as idle:
        client.socket.sendall(b"GET / HTTP/1.1\r\nX: ")
        wait_for(lambda: any(listener._drips(each) for each in served.loop.channels()))
        served.loop.listeners[0].maintenance(time.time())
        served.loop.wake()
        assert client.rest() == b""
        assert idle.get("/")[1] == b"here"


def test_clients_that_do_not_read_make_room(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody takes does not keep its place when others come."""
    monkeypatch.setattr(listener, "GRACE_S", 0.2)
    served.loop.adjustments.connection_limit = 20
    big = bytes(30_000_000)

    def send(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", str(len(big)))])
        return environ["wsgi.file_wrapper"](io.BytesIO(big))

    served.application.routes |= {"/big": send, "/": whole(b"here")}
    readers = [served.connect(buffer=4096).send("/big") for _ in range(30)]
    with served.connect() as client:
        answer = client.get("/")
    for each in readers:
        each.close()

    assert answer == ("HTTP/1.1 200 OK", b"here")


@pytest.mark.parametrize("length", ["Content-Length: 60000000", "Transfer-Encoding: chunked"])
def test_large_body_that_nobody_wants_is_not_taken_in(served: Serving, length: str) -> None:
    """It is answered as it would be with all of it; the client may finish sending, and gets the answer."""
    served.application.wanting = False
    served.application.routes["/"] = whole(b"who are you?", "401 Unauthorized")
    chunk = bytes(1_000_000)
    with served.connect() as client:
        client.socket.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
        for _ in range(60):
            client.socket.sendall(b"%X\r\n%s\r\n" % (len(chunk), chunk) if "chunked" in length else chunk)
        status, headers = client.head()
        assert (status, headers["connection"]) == ("HTTP/1.1 401 Unauthorized", "close")
        assert client.rest() == b"who are you?"
    with served.connect() as client:
        status, _ = client.send("/", method="POST", body=bytes(16 << 20)).head()
        assert status == "HTTP/1.1 401 Unauthorized"


def test_client_that_never_reads_is_closed_in_the_end(served: Serving) -> None:
    """Its socket never takes anything again, so that there is no turn to write in which it could be closed."""
    served.application.routes["/"] = whole(bytes(30_000_000))
    with served.connect(buffer=4096) as client:
        client.send("/").head()
        wait_for(lambda: all(each.last_activity < time.time() - 0.2 for each in served.loop.channels()))
        served.loop.adjustments.channel_timeout = 0
        served.loop.listeners[0].next_channel_cleanup = 0
        served.loop.wake()
        wait_for(lambda: not served.loop.channels())


def test_what_nobody_reads_does_not_fill_the_memory(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that many share count once; when all that is held is too much, the longest silent go."""
    monkeypatch.setattr(unread, "MOST", 50_000_000)
    shared = bytes(10_000_000)

    def send(environ: dict[str, Any], start_response: Any) -> Any:
        body = shared if environ["PATH_INFO"] == "/shared" else bytes(10_000_000)
        start_response("200 OK", [("Content-Length", "10000000")])
        return environ["wsgi.file_wrapper"](io.BytesIO(body))

    served.application.routes |= {"/shared": send, "/own": send, "/": whole(b"here")}
    sharing = [served.connect(buffer=4096).send("/shared") for _ in range(12)]
    wait_for(lambda: len(served.application.runs) == 12)
    unread.close_unread(served.loop.channels(), time.time() + 10)
    assert len(served.loop.channels()) == 12

    own = [served.connect(buffer=4096).send("/own") for _ in range(12)]
    wait_for(lambda: len(served.application.runs) == 24)
    wait_for(lambda: sum(each.total_outbufs_len > 0 for each in served.loop.channels()) <= 16)
    with served.connect() as client:
        assert client.get("/")[1] == b"here"
    assert sum(each.total_outbufs_len > 0 for each in served.loop.channels()) >= 4
    for each in (*sharing, *own):
        each.close()


def test_half_bodies_of_a_full_house_fit_into_memory() -> None:
    """What is kept in memory of a body before it goes to disk, times the connections."""
    adjusted = limits.adjust(threads=8, max_body=1 << 30)
    assert adjusted.inbuf_overflow * adjusted.connection_limit <= 150_000_000
