"""Requests that have to wait are parked and run again; nobody waits in a worker."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from localpi.web.parked import Parked
from made.loops import Serving, ready, serving, wait_for, whole


class Waiter:
    """A route that waits until `ready`; remembers what it was told of the waiting."""

    def __init__(self, *, seconds: float = 60.0) -> None:
        self.ready = False
        self.seconds = seconds
        self.waited: list[object] = []
        self.bodies: list[bytes] = []
        self.looks = 0

    def is_ready(self) -> bool:
        """Say whether it is, and count who asks."""
        self.looks += 1
        return self.ready

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer, or park."""
        waited = environ.get("localpi.waited")
        self.waited.append(waited)
        self.bodies.append(environ["wsgi.input"].read())
        since = waited or time.monotonic()
        if not self.ready and time.monotonic() < since + self.seconds:
            raise Parked(self.is_ready, since + self.seconds)
        return whole(b"ready" if self.ready else b"stale")(environ, start_response)


def test_parked_request_runs_again_when_it_is_ready(served: Serving) -> None:
    """It keeps its place in the connection and learns when it was parked first."""
    waiter = served.application.routes["/wait"] = Waiter()
    with served.connect() as client:
        before = time.monotonic()
        client.send("/wait")
        wait_for(lambda: waiter.looks > 2)
        parked_by = time.monotonic()
        waiter.ready = True
        answer = client.answer()
        again = client.get("/wait")

    assert [answer, again] == [("HTTP/1.1 200 OK", b"ready")] * 2
    assert len(waiter.waited) == 3
    assert (waiter.waited[0], waiter.waited[2]) == (None, None)
    assert isinstance(waiter.waited[1], float)
    assert before <= waiter.waited[1] <= parked_by


def test_parked_request_runs_again_when_its_time_is_up(served: Serving) -> None:
    """No wait is without a bound."""
    waiter = served.application.routes["/wait"] = Waiter(seconds=0.05)
    with served.connect() as client:
        assert client.get("/wait") == ("HTTP/1.1 200 OK", b"stale")

    assert len(waiter.waited) == 2


def test_request_that_is_parked_twice_keeps_its_first_time(served: Serving) -> None:
    """What waits for a page and then for a file has one deadline."""
    waited: list[object] = []

    def twice(environ: dict[str, Any], start_response: Any) -> Any:
        waited.append(environ.get("localpi.waited"))
        if len(waited) < 4:
            raise Parked(lambda: True, time.monotonic() + 60)
        return whole(b"")(environ, start_response)

    served.application.routes["/"] = twice
    with served.connect() as client:
        client.get("/")

    assert waited[1] is not None
    assert waited == [None, waited[1], waited[1], waited[1]]


def test_body_of_a_parked_request_is_there_again(served: Serving) -> None:
    """A GET may have one; the second run reads it from its start."""
    waiter = served.application.routes["/wait"] = Waiter()
    body = b"x" * 700_000  # beyond what is kept in memory
    with served.connect() as client:
        client.send("/wait", body=body)
        wait_for(lambda: waiter.looks)
        waiter.ready = True
        client.answer()

    assert waiter.bodies == [body, body]


def test_hundred_waiting_requests_need_no_worker() -> None:
    """Two workers, a hundred that wait: another request is answered meanwhile."""
    with serving(threads=2) as running:
        waiter = running.application.routes["/wait"] = Waiter()
        running.application.routes["/cold"] = whole(b"cold")
        clients = [running.connect().send("/wait") for _ in range(100)]
        wait_for(lambda: len(waiter.waited) == 100)
        with running.connect() as client:
            meanwhile = client.get("/cold")
        waiter.ready = True
        answers = {client.answer() for client in clients}
        for client in clients:
            client.close()

    assert meanwhile == ("HTTP/1.1 200 OK", b"cold")
    assert answers == {("HTTP/1.1 200 OK", b"ready")}


@pytest.mark.parametrize("how", ["closes", "resets"])
def test_parked_request_whose_client_goes_away_is_dropped(served: Serving, how: str) -> None:
    """It does not run again, and its connection is closed."""
    waiter = served.application.routes["/wait"] = Waiter()
    client = served.connect().send("/wait")
    wait_for(lambda: waiter.looks)
    if how == "resets":
        import socket  # noqa: PLC0415 -- for one case
        import struct  # noqa: PLC0415 -- for one case

        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    wait_for(lambda: not served.loop.channels())
    looks = waiter.looks
    waiter.ready = True
    with served.connect() as other:
        served.application.routes["/"] = whole(b"")
        other.get("/")

    assert len(waiter.waited) == 1
    assert waiter.looks <= looks + 1


def test_request_behind_a_parked_one_waits_for_it(served: Serving) -> None:
    """Pipelined bytes are no hang-up, do not keep the loop busy, and are answered in order."""
    waiter = served.application.routes["/wait"] = Waiter()
    served.application.hot["/hot"] = ready(b"hot")
    with served.connect() as client:
        client.send("/wait")
        wait_for(lambda: waiter.looks)
        client.send("/hot")
        looks = waiter.looks
        wait_for(lambda: waiter.looks > looks + 3)
        waiter.ready = True
        answers = [client.answer()[1], client.answer()[1]]

    assert answers == [b"ready", b"hot"]


def test_condition_that_fails_counts_as_ready(served: Serving) -> None:
    """The second run finds out what is wrong; the loop lives on."""
    runs: list[int] = []

    def fails() -> bool:
        raise ZeroDivisionError

    def route(environ: dict[str, Any], start_response: Any) -> Any:
        runs.append(1)
        if len(runs) == 1:
            raise Parked(fails, time.monotonic() + 60)
        return whole(b"second")(environ, start_response)

    served.application.routes["/"] = route
    with served.connect() as client:
        assert client.get("/") == ("HTTP/1.1 200 OK", b"second")


def test_only_get_and_head_are_parked(served: Serving) -> None:
    """An upload would run twice: it fails instead."""

    def parks(environ: dict[str, Any], _start_response: Any) -> Any:
        raise Parked(lambda: True, environ["now"] if "now" in environ else time.monotonic())

    served.application.routes["/"] = parks
    with served.connect() as client:
        client.send("/", method="POST", body=b"x")
        status, _ = client.head()

    assert status == "HTTP/1.1 500 Internal Server Error"
    assert len(served.application.runs) == 1


def test_parking_after_the_first_byte_breaks_the_answer_off(served: Serving) -> None:
    """The client sees a short body instead of two answers in one."""

    def parks_late(_environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "10")])
        yield b"first"
        raise Parked(lambda: True, time.monotonic())

    served.application.routes["/"] = parks_late
    with served.connect() as client:
        client.send("/").head()
        assert client.rest() == b"first"

    assert len(served.application.runs) == 1


def test_long_body_waits_until_room_has_been_looked_for(served: Serving) -> None:
    """What does not come at once stays unread meanwhile, whatever becomes of it; others are served."""
    sizes: list[int] = []
    looked = threading.Event()

    def room_for(size: int) -> Any:
        sizes.append(size)
        return looked.is_set

    served.application.room_for = room_for
    served.application.routes["/short"] = whole(b"short")
    served.application.routes["/long"] = lambda environ, start: whole(str(len(environ["wsgi.input"].read())).encode())(
        environ, start
    )
    body = bytes(8 << 20)
    with served.connect() as client, served.connect() as other:
        sending = threading.Thread(target=lambda: client.send("/long", method="POST", body=body), daemon=True)
        sending.start()
        wait_for(lambda: sizes)
        for _ in range(3):
            assert other.send("/short", method="POST", body=b"x" * 1000).answer() == ("HTTP/1.1 200 OK", b"short")
        assert sending.is_alive()
        assert served.application.threads("/long") == []
        looked.set()
        assert client.answer() == ("HTTP/1.1 200 OK", str(len(body)).encode())
        sending.join(10)
    assert sizes == [len(body)]


def test_idle_loop_sleeps(served: Serving) -> None:
    """Every second is enough when nothing is parked or starving, and stopping still is at once."""
    turns = [0]

    def count() -> None:
        turns[0] += 1

    poll = served.loop._poll
    served.loop._poll = lambda idle_ms: (count(), poll(idle_ms))[1]  # type: ignore[method-assign,func-returns-value]  # counts the turns
    pause = threading.Event()
    pause.wait(1.2)
    began = time.monotonic()
    served.loop.stop()
    served.end()

    assert turns[0] <= 6
    assert time.monotonic() - began < 0.5
