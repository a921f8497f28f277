"""The state of a mirror as events come in."""

from __future__ import annotations

import pytest

from localpi.index.health import Health, answered, failed


def fail(health: Health, kind: str, now: float = 100.0, dice: float = 0.5) -> Health:
    return failed(health, kind, f"reason of {kind}", now=now, now_us=int(now * 1e6), dice=dice)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("dns", "down"), ("connect", "down"), ("timeout", "down"), ("tls", "down"), ("proxy", "down"),
     ("auth", "auth"), ("captive", "captive"), ("server", "ok"), ("broken", "ok")],
)  # fmt: skip
def test_what_opens_the_circuit(kind: str, state: str) -> None:
    """Failures that concern the whole upstream change its state at once, those of one page do not."""
    assert state == fail(Health(), kind).state


def test_a_first_failure_is_probed_at_once() -> None:
    """The state says why and since when, and the first probe is due now."""
    assert Health("down", "reason of connect", 100_000_000, 1, 100.0) == fail(Health(), "connect")


def test_three_server_errors_in_a_row_are_a_burst() -> None:
    """One 500 says nothing about other pages, three in a row do."""
    health = fail(fail(Health(), "server"), "server")
    assert health.reachable
    assert fail(health, "server").state == "down"
    assert fail(answered(health, 1), "server").reachable


def test_pauses_double_up_to_a_minute_and_are_spread() -> None:
    """Probes come after 1, 2, 4 ... 60 seconds, a fifth more or less by the dice."""
    health, pauses = fail(Health(), "connect"), []
    for _ in range(8):
        health = fail(health, "connect")
        pauses.append(health.next_probe - 100.0)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert fail(fail(Health(), "connect"), "connect", dice=0.0).next_probe == pytest.approx(100.8)
    assert fail(fail(Health(), "connect"), "connect", dice=1.0).next_probe == pytest.approx(101.2)


def test_since_is_kept_while_the_state_stays() -> None:
    """The time tells when it went, not when it was probed last; another state begins anew."""
    down = fail(fail(Health(), "connect", now=100.0), "timeout", now=200.0)
    assert (down.state, down.since_us) == ("down", 100_000_000)
    assert fail(down, "captive", now=300.0).since_us == 300_000_000


def test_an_answer_makes_it_well() -> None:
    """After any honest answer requests go there again and the strikes are forgotten."""
    assert answered(fail(Health(), "connect"), 5_000) == Health(since_us=5_000)
    well = Health()
    assert answered(well, 9) is well
