"""What systemd is told."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from localpi.daemon.ready import WorkersMove, notify, watchdog
from made.loops import PATIENCE_S, MadeApplication, serving, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    """What listens on NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.settimeout(5)
        yield made


def test_manager_is_told(manager: socket.socket, tmp_path: Path) -> None:
    """By the socket that it names."""
    address = str(tmp_path / "s")
    manager.bind(address)

    assert notify({"NOTIFY_SOCKET": address}, "READY=1")
    assert manager.recv(100) == b"READY=1"


@pytest.mark.skipif(not hasattr(os, "eventfd"), reason="abstract sockets are Linux's")
def test_manager_with_an_abstract_socket_is_told(manager: socket.socket) -> None:
    """An at sign stands for the zero byte."""
    manager.bind(f"\0localpi-test-{os.getpid()}")

    assert notify({"NOTIFY_SOCKET": f"@localpi-test-{os.getpid()}"}, "READY=1")
    assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/no/such"}, {"NOTIFY_SOCKET": "x"}])
def test_nobody_to_tell_is_no_trouble(environ: dict[str, str]) -> None:
    """Most daemons run without a manager."""
    assert not notify(environ, "READY=1")


@pytest.mark.parametrize(("seconds", "pings"), [(2, 10), (30, 1), (10, 3)])
def test_watchdog_is_fed_at_least_twice_in_its_time(
    manager: socket.socket, tmp_path: Path, seconds: int, pings: int
) -> None:
    """The loop calls once a second; ten calls."""
    address = str(tmp_path / "s")
    manager.bind(address)
    now = [100.0]
    ping = watchdog({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(seconds * 1_000_000)}, clock=lambda: now[0])
    assert ping is not None
    for _ in range(10):
        ping()
        now[0] += 1.0
    notify({"NOTIFY_SOCKET": address}, "the end")
    told = list(iter(lambda: manager.recv(100), b"the end"))

    assert told == [b"WATCHDOG=1"] * pings


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}])
def test_no_watchdog_no_pings(environ: dict[str, str]) -> None:
    """Nor for one that watches another process."""
    assert watchdog(environ) is None


def test_watchdog_is_not_fed_while_the_rest_hangs(manager: socket.socket, tmp_path: Path) -> None:
    """A loop that turns in front of workers that do not is no service."""
    address = str(tmp_path / "s")
    manager.bind(address)
    now, moving = [100.0], [True, False, False, True]
    ping = watchdog({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000000"}, lambda: moving.pop(0), lambda: now[0])
    assert ping is not None
    for _ in range(4):
        ping()
        now[0] += 1.0
    notify({"NOTIFY_SOCKET": address}, "the end")

    assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1", b"WATCHDOG=1", b"the end"]


def test_workers_are_asked_by_a_task_of_our_own() -> None:
    """One at a time: workers that hang do not get a queue of them."""
    queue: list[object] = []
    moves = WorkersMove(queue.append)

    assert [moves(), moves(), moves()] == [True, False, False]
    assert queue == [moves]
    moves.service()
    assert moves()
    assert queue == [moves, moves]


def test_real_workers_take_it_and_stuck_ones_do_not() -> None:
    """As the loop does it: a lock that nobody gives back is found out."""
    stuck = threading.Event()
    application = MadeApplication(routes={"/stuck": lambda _environ, _start: stuck.wait(PATIENCE_S) and [b""]})
    with serving(application, threads=1) as running, running.connect() as client:
        moves = WorkersMove(running.loop.workers.add_task)
        assert moves()
        wait_for(moves)
        client.send("/stuck")
        wait_for(lambda: application.runs)
        assert moves()  # given to them
        assert not moves()  # and not taken
        stuck.set()
        wait_for(moves)
