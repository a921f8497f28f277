"""What is ready is answered on the loop thread, and nothing else is."""

from __future__ import annotations

import errno
import io
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from localpi.daemon import channel
from localpi.web.hot import Hot
from localpi.web.site import OPEN_READING
from made.loops import Client, MadeApplication, Serving, bound, ready, serving, wait_for, whole, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = bytes(range(256)) * 16_000  # 4 MB, as pydantic-core's page


@pytest.fixture
def one_worker() -> Iterator[Serving]:
    with serving(threads=1) as running:
        yield running


def test_hit_runs_on_the_loop_thread_and_a_miss_in_a_worker(served: Serving) -> None:
    """The thread that answered tells."""
    served.application.hot["/hot"] = ready(b"hot")
    served.application.routes["/cold"] = whole(b"cold")

    with served.connect() as client:
        answers = [client.get("/hot"), client.get("/cold"), client.get("/hot")]

    assert answers == [("HTTP/1.1 200 OK", b"hot"), ("HTTP/1.1 200 OK", b"cold"), ("HTTP/1.1 200 OK", b"hot")]
    assert served.application.threads("/hot") == ["loop", "loop"]
    assert served.application.threads("/cold")[0].startswith("waitress-")


def test_find_hot_is_given_the_request_as_the_environ_has_it(served: Serving) -> None:
    """Method, decoded path with one leading slash, query, and headers under waitress's keys."""
    served.application.routes["/a b/+simple/"] = whole(b"")

    with served.connect() as client:
        client.get("//a%20b/+simple/?x=1&y=%20", "Accept-Encoding: gzip")

    expected = ("GET", "/a b/+simple/", "x=1&y=%20", {"HOST": "localhost", "ACCEPT_ENCODING": "gzip"})
    assert served.application.asked == [expected]


def test_hits_are_answered_while_every_worker_is_busy(one_worker: Serving) -> None:
    """A hit needs no worker."""
    let_go = threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert let_go.wait(10)
        return whole(b"slow")(environ, start_response)  # type: ignore[no-any-return]  # it is a list

    one_worker.application.routes["/slow"] = slow
    one_worker.application.hot["/hot"] = ready(b"hot")
    with one_worker.connect() as waiting, one_worker.connect() as client:
        waiting.send("/slow")
        wait_for(lambda: one_worker.application.runs)
        hot = client.get("/hot")
        let_go.set()
        slow_answer = waiting.answer()

    assert (hot[1], slow_answer[1]) == (b"hot", b"slow")


def test_same_bytes_are_asked_about_each_time(served: Serving) -> None:
    """What is known of a request is what it asks for, never its answer."""
    served.application.hot["/page"] = ready(b"old")
    served.application.routes["/page"] = whole(b"from a worker")
    with served.connect() as client:
        answers = [client.get("/page")[1], client.get("/page")[1]]
        served.application.hot["/page"] = ready(b"new")
        answers.append(client.get("/page")[1])
        del served.application.hot["/page"]
        answers.append(client.get("/page")[1])

    assert answers == [b"old", b"old", b"new", b"from a worker"]
    assert set(map(str, served.application.asked)) == {str(("GET", "/page", "", {"HOST": "localhost"}))}


def test_headers_of_one_request_are_never_another_ones(served: Serving) -> None:
    """Who expects 100 without a body is answered at once, and what follows it is known by its own headers."""
    served.application.hot["/page"] = ready(b"page")
    served.application.routes["/first"] = whole(b"first")
    with served.connect() as client, served.connect() as other:
        first = client.get("/first", "Expect: 100-continue", "X-Forwarded-Prefix: /elsewhere", "If-None-Match: *")
        pages = [client.get("/page"), other.get("/page")]

    assert first == ("HTTP/1.1 200 OK", b"first")
    assert pages == [("HTTP/1.1 200 OK", b"page")] * 2
    assert [headers for _, path, _, headers in served.application.asked if path == "/page"] == [
        {"HOST": "localhost"}
    ] * 2


@pytest.mark.parametrize(
    ("method", "hot", "expected"),
    [
        ("GET", Hot("200 OK", [("Content-Length", "5"), ("ETag", '"x"')], b"twice"), b'Content-Length: 5\r\nETag: "x"'),
        ("HEAD", Hot("200 OK", [("Content-Length", "5")]), b"Content-Length: 5"),
        ("GET", Hot("304 NOT MODIFIED", [("ETag", '"x"')]), b'ETag: "x"'),
    ],
)
def test_ready_answer_is_what_it_is_to_the_byte(served: Serving, method: str, hot: Hot, expected: bytes) -> None:
    """Its status, its headers and a Date, nothing else; its end is the beginning of the next one."""
    served.application.hot["/page"] = hot
    served.application.routes["/next"] = whole(b"", "204 No Content")
    with served.connect() as client:
        client.send("/page", method=method).send("/page", method=method).send("/next", "Connection: close")
        received = re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", b"Date\r\n", client.rest())

    answer = b"HTTP/1.1 " + hot.status.encode() + b"\r\n" + expected + b"\r\nDate\r\n\r\n" + (hot.body or b"")
    assert received.startswith(answer * 2 + b"HTTP/1.1 204 No Content\r\n")


def test_more_requests_than_are_known_by_their_bytes(served: Serving) -> None:
    """Each is answered by what it asks for."""
    served.application.hot["/page"] = ready(b"page")
    with served.connect() as client:
        bodies = {client.get(f"/page?{number % 1500}")[1] for number in range(3000)}

    assert bodies == {b"page"}
    assert [query for _, _, query, _ in served.application.asked] == [str(number % 1500) for number in range(3000)]


@pytest.mark.parametrize(
    ("request_", "thread"),
    [
        (b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n", "loop"),
        (b"\r\n\r\nGET /page HTTP/1.1\r\nHost: localhost\r\n\r\n", "loop"),
        (b"GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: Keep-Alive\r\n\r\n", "loop"),
        (b"HEAD /page HTTP/1.1\r\nHost: localhost\r\n\r\n", "loop"),
        (b"GET /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nxy", "waitress"),
        (b"GET /page HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "waitress"),
        (b"GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "waitress"),
        (b"GET /page HTTP/1.0\r\nHost: localhost\r\n\r\n", "waitress"),
        (b"GET /page HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", "waitress"),
        (b"POST /page HTTP/1.1\r\nHost: localhost\r\n\r\n", "waitress"),
    ],
)
@pytest.mark.parametrize("cut", [0, 20])
def test_only_plain_requests_are_answered_by_the_loop(served: Serving, request_: bytes, thread: str, cut: int) -> None:
    """What has a body or another end than the usual is waitress's, twice over, in one piece or in two."""
    is_head = request_.startswith(b"HEAD")
    served.application.hot["/page"] = ready(b"" if is_head else b"page")
    expected = ("HTTP/" + request_.partition(b"HTTP/")[2][:3].decode() + " 200 OK", b"" if is_head else b"page")
    for _ in range(2):
        with served.connect() as client:
            client.socket.sendall(request_[:cut])
            if cut:
                wait_for(lambda: any(channel.request is not None for channel in served.loop.channels()))
            client.socket.sendall(request_[cut:])
            assert client.answer() == expected

    answered = [name.partition("-")[0] for name in served.application.threads("/page")]
    assert (answered if thread == "loop" else [name for name in answered if name != "loop"]) == [thread] * 2


def test_answers_that_the_socket_does_not_take_whole(served: Serving) -> None:
    """A client that asks on and does not read gets every byte of every answer, once it does."""
    served.application.hot["/page"] = ready(PAGE[:50_000])
    served.application.hot["/big"] = ready(PAGE)
    with served.connect(buffer=8192) as client:
        for number in range(200):
            client.send("/big" if number % 50 == 0 else "/page")
        bodies = [client.answer()[1] for _ in range(200)]

    assert [len(body) for body in bodies] == [len(PAGE) if number % 50 == 0 else 50_000 for number in range(200)]
    assert all(body == PAGE[: len(body)] for body in bodies)


def test_connection_that_fails_ends_alone(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that no socket should have, such as a network that is down, closes its connection and no other."""

    def fail(*_: object) -> int:
        raise OSError(errno.ENETDOWN, "Network is down")

    served.application.hot["/page"] = ready(b"page")
    with served.connect() as failing, served.connect() as client:
        with monkeypatch.context() as patched:
            patched.setattr(channel, "begin", fail)
            assert failing.send("/page").rest() == b""
        assert client.get("/page")[1] == b"page"


def test_file_that_is_gone_is_looked_for_by_a_worker(served: Serving, tmp_path: Path) -> None:
    """The loop knows of no other way to answer."""
    served.application.hot["/file"] = Hot("200 OK", [("Content-Length", "4")], path=str(tmp_path / "gone"))
    served.application.routes["/file"] = whole(b"from a worker")
    with served.connect() as client:
        answer = client.get("/file")

    assert answer == ("HTTP/1.1 200 OK", b"from a worker")
    assert [thread.partition("-")[0] for thread in served.application.threads("/file")] == ["loop", "waitress"]


@pytest.mark.parametrize("on_disk", [b"", b"cut", b"longer than it was"])
def test_file_that_has_another_length_than_it_says_is_left_to_a_worker(
    served: Serving, tmp_path: Path, on_disk: bytes
) -> None:
    """Damaged since: what follows it on the connection would be taken for a part of it, or it for the next answer."""
    path = tmp_path / "file"
    path.write_bytes(on_disk)
    served.application.hot["/file"] = Hot("200 OK", [("Content-Length", "5")], path=str(path))
    served.application.routes["/file"] = whole(b"from a worker")
    with served.connect() as client:
        answers = [client.get("/file"), client.get("/file")]

    assert answers == [("HTTP/1.1 200 OK", b"from a worker")] * 2


def test_ready_file_goes_out_whole(served: Serving, tmp_path: Path) -> None:
    """In as many turns as it takes, and the connection goes on."""
    path = tmp_path / "file"
    path.write_bytes(PAGE)
    served.application.hot["/file"] = Hot("200 OK", [("Content-Length", str(len(PAGE)))], path=str(path))
    served.application.hot["/page"] = ready(b"page")
    with served.connect() as client:
        bodies = [client.get(name)[1] for name in ("/file", "/page", "/file")]

    assert bodies == [PAGE, b"page", PAGE]


def test_find_hot_that_fails_leaves_the_request_to_a_worker() -> None:
    """An error of ours on the loop thread costs the speed of one request and nothing else."""

    class Broken(MadeApplication):
        def find_hot(self, *_: object) -> Hot | None:
            raise ZeroDivisionError

    with serving(Broken(routes={"/": whole(b"still here")})) as running, running.connect() as client:
        assert client.get("/") == ("HTTP/1.1 200 OK", b"still here")


@pytest.mark.parametrize("kind", ["hot", "routes"])
def test_pipelined_requests_for_a_big_page_hold_up_nobody(one_worker: Serving, kind: str) -> None:
    """Twenty at once, not read: others are answered meanwhile, by the loop and by the only worker."""
    if kind == "hot":
        one_worker.application.hot["/big"] = ready(PAGE)
    else:
        one_worker.application.routes["/big"] = wrapped(lambda: io.BytesIO(PAGE), len(PAGE))
    one_worker.application.hot["/hot"] = ready(b"hot")
    one_worker.application.routes["/cold"] = whole(b"cold")
    with one_worker.connect(buffer=8192) as greedy, one_worker.connect() as client:
        greedy.socket.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        wait_for(lambda: one_worker.application.threads("/big"))
        others = [client.get("/hot"), client.get("/cold")]
        bodies = [greedy.answer()[1] == PAGE for _ in range(20)]

    assert [body for _, body in others] == [b"hot", b"cold"]
    assert bodies == [True] * 20


def test_pipelined_requests_are_answered_in_their_order(served: Serving) -> None:
    """Hits do not overtake misses on one connection."""
    names = ["/cold1", "/hot1", "/hot2", "/cold2", "/hot3"]
    for name in names:
        served.application.routes[name] = whole(name.encode())
        if "hot" in name:
            served.application.hot[name] = ready(name.encode())
    with served.connect() as client:
        client.socket.sendall(b"".join(f"GET {name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for name in names))
        bodies = [client.answer()[1] for _ in names]

    assert bodies == [name.encode() for name in names]
    assert [path for path, _ in served.application.runs] == names


def test_pipelined_hits_do_not_wait_for_each_other(served: Serving) -> None:
    """The loop does not sleep while the next one can be answered: 200 of them would take 2 s with a tick for each."""
    served.application.hot["/hot"] = ready(b"hot")
    with served.connect() as client:
        client.get("/hot")
        began = time.monotonic()
        client.socket.sendall(b"GET /hot HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
        bodies = [client.answer()[1] for _ in range(200)]
        took = time.monotonic() - began

    assert bodies == [b"hot"] * 200
    assert took < 200 * 0.01


@pytest.mark.parametrize(("open_reading", "thread"), [(True, "loop"), (None, "loop"), (False, "waitress-")])
def test_listener_says_whether_reading_is_open_there(served: Serving, open_reading: bool | None, thread: str) -> None:
    """One listener may be open and the next closed; behind a closed one a worker looks at every request."""
    asked: list[object] = []

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ.get(OPEN_READING))
        return whole(b"x")(environ, start_response)  # type: ignore[no-any-return]  # it is a list

    served.application.hot["/page"] = ready(b"x")
    served.application.routes["/page"] = served.application.routes["/cold"] = answer
    listener = served.loop.listen(bound(), open_reading=open_reading)
    served.loop.wake()
    with Client((listener.effective_host, int(listener.effective_port))) as client:
        answers = [client.get(path) for path in ("/page", "/page", "/cold")]

    assert answers == [("HTTP/1.1 200 OK", b"x")] * 3
    assert set(asked) == {open_reading}
    assert served.application.threads("/page")[0].startswith(thread)
