"""Single flight."""

from __future__ import annotations

import threading
import time

import pytest

from localpi.index.flights import Flights

WAIT_S = 20


def test_one_flight_for_all_who_ask_at_once() -> None:
    """A second asker joins the flight that is under way, and both get what it brought."""
    gate, calls = threading.Event(), []

    def work() -> str:
        calls.append(1)
        assert gate.wait(WAIT_S)
        return "page"

    flights: Flights[str] = Flights("test")
    one = flights.join("lane", "key", work, 5.0)
    other = flights.join("lane", "key", work, 5.0)
    assert one is other
    assert flights.under_way() == 1
    gate.set()
    assert one.landed.wait(WAIT_S)
    assert (one.result, calls, flights.find("key")) == ("page", [1], one)


def test_a_lane_has_so_many_threads_and_no_more() -> None:
    """What does not fit waits its turn, and its `until` allows for that."""
    gate, lock = threading.Event(), threading.Lock()
    inside: list[int] = []
    most = 0

    def work() -> None:
        nonlocal most
        with lock:
            inside.append(1)
            most = max(most, len(inside))
        assert gate.wait(WAIT_S)
        with lock:
            inside.pop()

    flights: Flights[None] = Flights("test", threads_per_lane=3)
    before = time.monotonic()
    made = [flights.join("lane", number, work, 10.0) for number in range(10)]
    assert made[-1].until - before > 20.0
    gate.set()
    assert all(flight.landed.wait(WAIT_S) for flight in made)
    assert most <= 3


def test_another_lane_is_not_held_up() -> None:
    """A source whose threads all hang does not keep another one from being asked."""
    gate = threading.Event()
    flights: Flights[bool] = Flights("test", threads_per_lane=1)
    held = flights.join("dead", "a", lambda: gate.wait(WAIT_S), 5.0)
    assert flights.join("alive", "b", lambda: True, 5.0).landed.wait(WAIT_S)
    assert not held.has_landed()
    gate.set()
    assert held.landed.wait(WAIT_S)


def test_a_landed_flight_is_kept_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes back for it finds it; later ones start anew."""
    flights: Flights[int] = Flights("test")
    flight = flights.join("lane", "key", lambda: 1, 5.0)
    assert flight.landed.wait(WAIT_S)
    assert flights.find("key") is flight
    landed_at = flight.landed_at
    monkeypatch.setattr("localpi.index.flights.time.monotonic", lambda: landed_at + 1.1)
    assert flights.find("key") is None


def test_a_fault_in_the_work_is_kept_apart(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged and carried by its flight; the lane goes on."""
    flights: Flights[float] = Flights("test", threads_per_lane=1)
    bad = flights.join("lane", "bad", lambda: 1 / 0, 5.0)
    good = flights.join("lane", "good", lambda: 1.0, 5.0)
    assert good.landed.wait(WAIT_S)
    assert isinstance(bad.error, ZeroDivisionError)
    assert "a flight of test failed" in caplog.text
