"""What is ready is answered on the loop thread, and nothing else is."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import pytest

from localpi.web.parked import Parked
from localpi.web.site import OPEN_READING
from made.loops import Client, MadeApplication, Serving, bound, serving, wait_for, whole, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = bytes(range(256)) * 16_000  # 4 MB, as pydantic-core's page


@pytest.fixture
def one_worker() -> Iterator[Serving]:
    with serving(threads=1) as running:
        yield running


def test_hit_runs_on_the_loop_thread_and_a_miss_in_a_worker(served: Serving) -> None:
    """The thread that answered tells."""
    served.application.hot["/hot"] = whole(b"hot")
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
    one_worker.application.hot["/hot"] = whole(b"hot")
    with one_worker.connect() as waiting, one_worker.connect() as client:
        waiting.send("/slow")
        wait_for(lambda: one_worker.application.runs)
        hot = client.get("/hot")
        let_go.set()
        slow_answer = waiting.answer()

    assert (hot[1], slow_answer[1]) == (b"hot", b"slow")


def test_hot_object_is_not_in_the_environ_of_a_miss(served: Serving) -> None:
    """A connection that was hot before does not make the next request hot."""
    seen: list[bool] = []

    def look(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append("localpi.hot" in environ)
        return whole(b"")(environ, start_response)  # type: ignore[no-any-return]  # it is a list

    served.application.hot["/hot"] = look
    served.application.routes["/cold"] = look
    with served.connect() as client:
        client.get("/hot")
        client.get("/cold")

    assert seen == [True, False]


def test_hit_that_turns_out_to_be_none_is_answered_by_a_worker(served: Serving) -> None:
    """Parking on the loop thread means: not here."""

    def none_after_all(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        assert "localpi.waited" not in environ
        raise Parked(lambda: False, float("inf"))

    served.application.hot["/page"] = none_after_all
    served.application.routes["/page"] = whole(b"from a worker")
    with served.connect() as client:
        answer = client.get("/page")

    assert answer == ("HTTP/1.1 200 OK", b"from a worker")
    assert [thread.partition("-")[0] for thread in served.application.threads("/page")] == ["loop", "waitress"]


def test_find_hot_that_fails_leaves_the_request_to_a_worker() -> None:
    """An error of ours on the loop thread costs the speed of one request and nothing else."""

    class Broken(MadeApplication):
        def find_hot(self, *_: object) -> object | None:
            raise ZeroDivisionError

    with serving(Broken(routes={"/": whole(b"still here")})) as running, running.connect() as client:
        assert client.get("/") == ("HTTP/1.1 200 OK", b"still here")


def test_hit_that_fails_is_a_plain_500(served: Serving) -> None:
    """No traceback reaches the client, and the loop lives on."""

    def fails(_environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        raise ZeroDivisionError

    served.application.hot["/bad"] = fails
    served.application.hot["/good"] = whole(b"good")
    with served.connect() as client:
        status, body = client.get("/bad")
    with served.connect() as client:
        good = client.get("/good")

    assert status == "HTTP/1.1 500 Internal Server Error"
    assert b"Traceback" not in body
    assert b"ZeroDivision" not in body
    assert good == ("HTTP/1.1 200 OK", b"good")


@pytest.mark.parametrize("kind", ["hot", "routes"])
def test_pipelined_requests_for_a_big_page_hold_up_nobody(one_worker: Serving, kind: str) -> None:
    """Twenty at once, not read: others are answered meanwhile, by the loop and by the only worker."""
    getattr(one_worker.application, kind)["/big"] = wrapped(lambda: io.BytesIO(PAGE), len(PAGE))
    one_worker.application.hot["/hot"] = whole(b"hot")
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
        (served.application.hot if "hot" in name else served.application.routes)[name] = whole(name.encode())
    with served.connect() as client:
        client.socket.sendall(b"".join(f"GET {name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for name in names))
        bodies = [client.answer()[1] for _ in names]

    assert bodies == [name.encode() for name in names]
    assert [path for path, _ in served.application.runs] == names


@pytest.mark.parametrize(
    ("open_reading", "said", "thread"),
    [(True, True, "loop"), (None, None, "loop"), (False, False, "waitress-")],
)
def test_listener_says_whether_reading_is_open_there(
    served: Serving, open_reading: bool | None, said: bool | None, thread: str
) -> None:
    """One listener may be open and the next closed; behind a closed one a worker looks at every request."""
    asked: list[object] = []

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ.get(OPEN_READING))
        return whole(b"x")(environ, start_response)  # type: ignore[no-any-return]  # it is a list

    served.application.hot["/page"] = served.application.routes["/page"] = answer
    listener = served.loop.listen(bound(), open_reading=open_reading)
    served.loop.wake()
    with Client((listener.effective_host, int(listener.effective_port))) as client:
        assert client.get("/page") == ("HTTP/1.1 200 OK", b"x")

    assert asked == [said]
    assert served.application.threads("/page")[0].startswith(thread)
