"""Connections: kept or closed as HTTP has it, limits, several listeners, the end."""

from __future__ import annotations

import errno
import io
import os
import resource
import socket
import tempfile
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from localpi.daemon import limits
from localpi.daemon.loop import Loop
from localpi.store.blobs import Blobs
from localpi.web.parked import Parked
from made.loops import Client, MadeApplication, Serving, bound, ready, serving, wait_for, whole, wrapped

BODY = b"twelve bytes"


KEPT = {"content-length": "12", "connection": "Keep-Alive"}


@pytest.mark.parametrize(
    ("method", "version", "line", "route", "expected", "kept"),
    [
        ("GET", "1.1", "", whole(BODY), {"content-length": "12"}, True),
        ("GET", "1.1", "Connection: close", whole(BODY), {"content-length": "12", "connection": "close"}, False),
        ("GET", "1.0", "", whole(BODY), {"content-length": "12", "connection": "close"}, False),
        ("GET", "1.0", "Connection: keep-alive", whole(BODY), KEPT, True),
        ("GET", "1.1", "", whole(b"", "304 Not Modified", ETag='"x"'), {"etag": '"x"'}, True),
        ("GET", "1.1", "Connection: close", whole(b"", "304 Not Modified"), {"connection": "close"}, False),
        ("GET", "1.0", "Connection: keep-alive", whole(b"", "304 Not Modified"), {"connection": "Keep-Alive"}, True),
        ("DELETE", "1.1", "", whole(b"", "204 No Content"), {}, True),
        ("HEAD", "1.1", "", whole(BODY), {"content-length": "12"}, True),
        ("HEAD", "1.1", "", wrapped(lambda: io.BytesIO(BODY), 12), {"content-length": "12"}, True),
        ("HEAD", "1.0", "Connection: keep-alive", whole(BODY), KEPT, True),
        ("HEAD", "1.1", "", whole(b"", "304 Not Modified"), {}, True),
    ],
)  # fmt: skip
def test_answer_says_what_it_is_and_keeps_the_connection(
    served: Serving,
    *,
    method: str,
    version: str,
    line: str,
    route: Any,
    expected: dict[str, str],
    kept: bool,
) -> None:
    """Nothing but the head goes out for HEAD, 204 and 304; after it the next request is answered, or the end comes."""
    served.application.routes["/"] = route
    served.application.routes["/next"] = whole(b"next")
    with served.connect() as client:
        client.send("/", *([line] if line else []), method=method, version=version)
        _, headers = client.head()
        assert parsedate_to_datetime(headers.pop("date")).tzinfo is not None
        if method == "GET" and "content-length" in headers:
            assert client.read(12) == BODY
        if kept:
            assert client.get("/next")[1] == b"next"
        else:
            assert client.rest() == b""

    assert headers == expected


def test_body_without_a_length_is_chunked_and_keeps_the_connection(served: Serving) -> None:
    """Its end can be seen, so the next request follows it (RFC 9112, 7.1)."""

    def endless(_environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"one"
        yield b"two"

    served.application.routes["/endless"] = endless
    served.application.routes["/next"] = whole(b"next")
    with served.connect() as client:
        _, headers = client.send("/endless").head()
        assert headers["transfer-encoding"] == "chunked"
        assert client.read(21) == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
        assert client.get("/next")[1] == b"next"


def test_head_closes_the_file_it_does_not_send(served: Serving) -> None:
    """No descriptor stays behind."""
    opened: list[io.BytesIO] = []

    def open_file() -> io.BytesIO:
        opened.append(io.BytesIO(BODY))
        return opened[-1]

    served.application.routes["/"] = wrapped(open_file, 12)
    with served.connect() as client:
        client.send("/", method="HEAD").head()
        client.send("/", method="HEAD").head()

    assert opened[0].closed


def test_no_server_header_and_no_proxy_headers(served: Serving) -> None:
    """Who we are is nobody's business, and who the client is says the connection alone."""
    seen: dict[str, Any] = {}

    def look(environ: dict[str, Any], start_response: Any) -> Any:
        seen.update(environ)
        return whole(b"")(environ, start_response)

    served.application.routes["/"] = look
    with served.connect() as client:
        client.send("/", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil.example", "X-Forwarded-Prefix: /pypi")
        _, headers = client.head()

    assert set(headers) == {"content-length", "date"}
    assert seen["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTP_X_FORWARDED_FOR" not in seen
    assert "HTTP_X_FORWARDED_HOST" not in seen
    assert seen["HTTP_X_FORWARDED_PREFIX"] == "/pypi"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * limits.MAX_HEADER + b"\r\n\r\n", "431"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", "413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "501"),
    ],
)
def test_bad_request_is_refused_and_closed(served: Serving, sent: bytes, status: str) -> None:
    """The application never sees it."""
    with served.connect() as client:
        client.socket.sendall(sent)
        line, headers = client.head()

    assert line.split()[1] == status
    assert headers["connection"] == "close"
    assert served.application.runs == []


@pytest.mark.parametrize("length", ["Content-Length: 60000000", "Transfer-Encoding: chunked"])
def test_client_that_sends_too_much_gets_its_answer(length: str) -> None:
    """It reads only when it has sent all; a connection closed before that would be reset, the answer lost."""
    with serving(max_body=1_000_000) as running, running.connect() as client:
        client.socket.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
        for _ in range(60):
            chunk = bytes(1_000_000)
            client.socket.sendall(b"%X\r\n%s\r\n" % (len(chunk), chunk) if "chunked" in length else chunk)
        status, headers = client.head()
        client.read(int(headers["content-length"]))
        assert client.rest() == b""
        wait_for(lambda: len(running.loop.channels()) == 1)

    assert status == "HTTP/1.1 413 Request Entity Too Large"


def test_body_without_room_on_the_disk_is_refused(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop lives on."""

    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda _: Full())
    served.application.routes["/"] = whole(b"here")
    with served.connect() as client:
        client.send("/", method="POST", body=bytes(3_000_000))
        status, _ = client.head()
    with served.connect() as client:
        answer = client.get("/")

    assert status == "HTTP/1.1 507 Insufficient Storage"
    assert answer[1] == b"here"


def test_hundred_and_fifty_idle_connections_shut_nobody_out(served: Serving) -> None:
    """The limit of waitress is 100."""
    served.application.hot["/"] = ready(b"hot")
    idle = [served.connect() for _ in range(150)]
    for client in idle:
        client.get("/")
    with served.connect() as client:
        answer = client.get("/")
    for client in idle:
        client.close()

    assert answer == ("HTTP/1.1 200 OK", b"hot")


def test_longest_idle_connections_go_when_there_are_too_many(served: Serving) -> None:
    """A full house does not shut newcomers out for two minutes."""
    served.loop.adjustments.connection_limit = 20
    served.application.routes["/"] = whole(b"cold")
    clients = []
    for _ in range(60):
        clients.append(served.connect())
        assert clients[-1].get("/")[1] == b"cold"
    open_now = len(served.loop.channels())
    for client in clients:
        client.close()

    assert open_now <= 20


def test_several_listeners_share_one_loop() -> None:
    """Each address is answered, one stop ends all."""
    application = MadeApplication(routes={"/": whole(b"cold")}, hot={"/hot": ready(b"hot")})
    loop = Loop(application)
    sockets = [bound(), bound(), *([bound("::1")] if _has_ipv6() else [])]
    listeners = [loop.listen(each) for each in sockets]
    thread = threading.Thread(target=loop.run, name="loop")
    thread.start()
    answers = []
    for listener in listeners:
        with Client((listener.effective_host, int(listener.effective_port))) as client:
            answers += [client.get("/")[1], client.get("/hot")[1]]
    loop.stop()
    thread.join(10)

    assert not thread.is_alive()
    assert answers == [b"cold", b"hot"] * len(listeners)


def _has_ipv6() -> bool:
    try:
        bound("::1").close()
    except OSError:
        return False
    return True


def test_stop_lets_what_runs_finish(tmp_path: Any) -> None:
    """A parked request, a starving file, a slow worker, half a request: all are answered; idle connections close."""
    blobs = Blobs(tmp_path / "files")
    receiving = blobs.receive(size=10)
    let_go = threading.Event()
    ready = threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> Any:
        assert let_go.wait(10)
        return whole(b"slow")(environ, start_response)

    def parked(environ: dict[str, Any], start_response: Any) -> Any:
        if not ready.is_set():
            raise Parked(ready.is_set, time.monotonic() + 60)
        return whole(b"parked")(environ, start_response)

    routes = {
        "/slow": slow, "/parked": parked, "/file": wrapped(receiving.open_reader, 10), "/": whole(b"idle"),
        "/half": whole(b"half"),
    }  # fmt: skip
    with serving(MadeApplication(routes=routes)) as running:
        idle = running.connect()
        idle.get("/")
        half = running.connect()
        half.socket.sendall(b"POST /half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbo")
        waiting = [running.connect().send(path) for path in ("/slow", "/parked", "/file")]
        wait_for(lambda: len(running.application.runs) == 4)
        address = running.address
        running.loop.stop()
        assert idle.rest() == b""
        with pytest.raises(ConnectionError):
            Client(address)
        assert running.thread.is_alive()
        let_go.set()
        ready.set()
        half.socket.sendall(b"dy")
        receiving.write(b"0123456789")
        receiving.finish()
        answers = [client.answer()[1] for client in (*waiting, half)]
        running.end()
    for client in (idle, half, *waiting):
        client.close()

    assert answers == [b"slow", b"parked", b"0123456789", b"half"]


def test_who_was_in_the_queue_at_the_stop_is_answered() -> None:
    """A connection that was made before is not reset."""
    with serving(MadeApplication(routes={"/": whole(b"last")})) as running:
        clients = [running.connect().send("/") for _ in range(50)]
        running.loop.stop()
        answers = {client.answer() for client in clients}
        running.end()
    for client in clients:
        client.close()

    assert answers == {("HTTP/1.1 200 OK", b"last")}


def test_second_stop_ends_at_once() -> None:
    """What waits is cut."""

    def parked(_environ: dict[str, Any], _start_response: Any) -> Any:
        raise Parked(lambda: False, time.monotonic() + 60)

    with serving(MadeApplication(routes={"/": parked})) as running:
        with running.connect() as client:
            client.send("/")
            wait_for(lambda: running.application.runs)
            running.loop.stop()
            running.loop.stop()
            assert client.rest() == b""
        running.end(5)


def test_beat_comes_from_a_loop_that_turns(served: Serving) -> None:
    """The watchdog is fed by it."""
    beats: list[str] = []
    served.loop.beat = lambda: beats.append(threading.current_thread().name)
    served.application.hot["/"] = ready(b"")
    with served.connect() as client:
        client.get("/")
    wait_for(lambda: beats)

    assert beats[0] == "loop"


def test_every_limit_of_waitress_is_set() -> None:
    """None is left at a default that may change under us."""
    set_here = vars(limits.adjust(threads=3, max_body=1000))

    assert {name: value for name, value in set_here.items() if name not in {"listen", "trusted_proxy_count"}} == {
        "threads": 3,
        "backlog": 1024,
        "connection_limit": limits.connection_limit(),
        "channel_timeout": 120,
        "cleanup_interval": 30,
        "channel_request_lookahead": 0,
        "recv_bytes": 65536,
        "inbuf_overflow": 131072,
        "outbuf_overflow": 8388608,
        "outbuf_high_watermark": 1048576,
        "max_request_header_size": 65536,
        "max_request_body_size": 1000,
        "asyncore_use_poll": True,
        "clear_untrusted_proxy_headers": True,
        "log_untrusted_proxy_headers": False,
        "log_socket_errors": True,
        "expose_tracebacks": False,
        "ident": None,
        "url_scheme": "http",
        "server_name": "localhost",
    }


@pytest.mark.parametrize(("soft", "connections"), [(90, 30), (256, 85), (100_000, 1000), (30, 20)])
def test_connections_leave_files_for_the_rest(monkeypatch: pytest.MonkeyPatch, soft: int, connections: int) -> None:
    """A third of the files that may be open."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, resource.RLIM_INFINITY))

    assert limits.connection_limit() == connections


def test_limit_of_open_files_is_raised() -> None:
    """In a child, which keeps this process as it is."""
    child = os.fork()
    if child == 0:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        limits.raise_open_files()
        limits.limit_arenas()
        os._exit(0 if resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(limits.OPEN_FILES, hard) else 1)

    assert os.waitpid(child, 0)[1] == 0


def test_client_that_closes_its_half_after_an_answer_is_let_go(served: Serving) -> None:
    """The end of the connection is seen when nothing waits."""
    served.application.routes["/"] = whole(b"")
    with served.connect() as client:
        client.get("/")
        client.socket.shutdown(socket.SHUT_WR)
        wait_for(lambda: not served.loop.channels())
