"""The state of a mirror as events come in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from localpi.index.health import Health, answered, doubted, failed, sooner


def fail(health: Health, kind: str, now: float = 100.0, dice: float = 0.5, **how: Any) -> Health:
    return failed(health, kind, f"reason of {kind}", now=now, now_us=int(now * 1e6), dice=dice, **how)


def probe(health: Health, kind: str, **how: Any) -> Health:
    return fail(health, kind, probed=True, **how)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("dns", "down"), ("connect", "down"), ("timeout", "down"), ("tls", "down"), ("proxy", "down"),
     ("certificate", "captive"), ("auth", "auth"), ("captive", "ok"), ("page", "ok"), ("server", "ok"),
     ("broken", "ok")],
)  # fmt: skip
def test_what_opens_the_circuit(kind: str, state: str) -> None:
    """Failures that concern the whole upstream change its state at once, those of one page do not."""
    assert state == fail(Health(), kind).state


@pytest.mark.parametrize(("kind", "state"), [("captive", "captive"), ("page", "down")])
def test_what_one_page_met_is_for_the_probe_to_confirm(kind: str, state: str) -> None:
    """A redirect, a login or a page that is none changes nothing however often it comes, until a probe meets it too."""
    health = Health()
    for _ in range(5):
        health = fail(health, kind)
    assert health == Health()
    confirmed = probe(health, kind)
    assert (confirmed.state, confirmed.filters, confirmed.reachable) == (state, True, False)


def test_a_first_failure_is_probed_soon_and_changes_no_page() -> None:
    """The state says why and since when, the first probe is due soon, and only one that fails too confirms it."""
    first = fail(Health(), "connect")
    assert Health("down", "reason of connect", 100_000_000, 1, 100.3) == first
    assert (first.reachable, first.filters) == (False, False)
    assert probe(first, "connect").filters


def test_requests_that_were_under_way_confirm_nothing() -> None:
    """Eight flights that fail together are one failure."""
    first = fail(Health(), "connect")
    assert fail(fail(first, "timeout"), "dns") is first


def test_three_server_errors_in_a_row_are_a_burst() -> None:
    """One 500 says nothing about other pages, three in a row do."""
    health = fail(fail(Health(), "server"), "server")
    assert health.reachable
    assert fail(health, "server").state == "down"
    assert fail(answered(health, 1), "server").reachable


def test_pauses_double_up_to_a_minute_and_are_spread() -> None:
    """Probes come after 0.5, 1, 2 ... 60 seconds, a fifth more or less by the dice."""
    health, pauses = fail(Health(), "connect"), []
    for _ in range(9):
        health = probe(health, "connect")
        pauses.append(health.next_probe - 100.0)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert probe(fail(Health(), "connect"), "connect", dice=0.0).next_probe == pytest.approx(100.4)
    assert probe(fail(Health(), "connect"), "connect", dice=1.0).next_probe == pytest.approx(100.6)


def test_somebody_who_asks_makes_probes_come_soon() -> None:
    """The pause stays the shortest while a client wants what the mirror would have."""
    health = replace(probe(fail(Health(), "connect"), "connect"), strikes=20)
    assert probe(health, "connect", hurried=True).next_probe == pytest.approx(100.5)
    assert sooner(probe(health, "connect"), 101.0).next_probe == 101.0


def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    """Retry-After counts, up to ten minutes, and nobody who asks shortens it but a person who probes by hand."""
    health = probe(fail(Health(), "connect"), "server", retry_after_s=30, hurried=True)
    assert (health.next_probe, sooner(health, 101.0).next_probe) == (130.0, 130.0)
    assert sooner(health, 101.0, anyway=True).next_probe == 101.0
    assert probe(health, "server", retry_after_s=86_400).next_probe == 700.0


def test_a_pause_that_was_asked_for_confirms() -> None:
    """No probe may come soon, so what was said counts: else the state would be told after ten minutes."""
    health = fail(fail(Health(), "server", retry_after_s=600), "server", retry_after_s=600)
    assert not health.filters
    assert fail(health, "server", retry_after_s=600).filters
    assert fail(Health(), "auth", retry_after_s=60).filters


def test_since_is_kept_while_the_state_stays() -> None:
    """The time tells when it went, not when it was probed last; another state begins anew."""
    down = probe(fail(Health(), "connect", now=100.0), "timeout", now=200.0)
    assert (down.state, down.since_us) == ("down", 100_000_000)
    assert probe(down, "captive", now=300.0).since_us == 300_000_000


def test_an_answer_makes_it_well() -> None:
    """After any honest answer requests go there again and the strikes are forgotten."""
    assert answered(fail(Health(), "connect"), 5_000) == Health(since_us=5_000)
    well = Health()
    assert answered(well, 9) is well


def test_a_late_answer_makes_it_slow_and_a_quick_one_well_again() -> None:
    """A slow mirror may be asked, and shows all that it has."""
    slow = answered(probe(fail(Health(), "connect"), "connect"), 5, took_s=4.0)
    assert (slow.state, slow.reachable, slow.filters) == ("slow", True, False)
    assert answered(slow, 9, took_s=0.1) == Health(since_us=9)


def test_a_silent_mirror_that_takes_connections_is_slow() -> None:
    """One that is not well stays what it is."""
    assert doubted(Health(), "silent", 7) == Health("slow", "silent", 7)
    down = fail(Health(), "connect")
    assert doubted(down, "silent", 7) is down


@pytest.mark.parametrize(
    ("mode", "state", "reachable", "filters"),
    [
        ("auto", "ok", True, False),
        ("auto", "down", False, True),
        ("on", "ok", False, True),
        ("off", "down", True, False),
    ],
)
def test_what_is_set_by_hand_beats_health(mode: str, state: str, *, reachable: bool, filters: bool) -> None:
    """`on` never contacts and always filters, `off` the other way round."""
    health = Health(state, confirmed=True, offline=mode)
    assert (reachable, filters) == (health.reachable, health.filters)
