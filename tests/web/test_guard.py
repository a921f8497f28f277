"""The Host allow-list and the cross-site check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localpi.errors import BadRequest, HostRefused, NotAllowed
from localpi.web.guard import Guard, Refusals, RefusedHost, host_name
from localpi.web.site import Site

SITE = Site(version="1", host="127.0.0.1", port=3141)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:3141",
        "localhost.",
        "localhost:",
        "127.0.0.1",
        "127.0.0.1:3141",
        "127.8.9.10",
        "[::1]",
        "[::1]:3141",
        "[::ffff:127.0.0.1]:3141",
        "host.lima.internal:3141",
        "host.docker.internal",
        "host.containers.internal",
        "Host.Rancher-Desktop.Internal:80",
    ],
)
def test_names_of_this_machine_are_let_in(host: str) -> None:
    """Loopback names and addresses, and what containers call their host, are let in on any port."""
    guard = Guard(SITE)
    assert not guard.knows(host)
    guard.check_host(host)
    assert guard.knows(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3141",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.7",
        "0.0.0.0",
        "[2001:db8::1]",
        "2130706433",
        "evil.internal",
        "xlocalhost",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    """After DNS rebinding the Host header still has the page's own name, which is refused with the command."""
    guard = Guard(SITE)
    with pytest.raises(HostRefused) as refused:
        guard.check_host(host)
    assert refused.value.hint == f"localpi config set allowed_hosts+={host_name(host)}"
    assert not guard.knows(host)


@pytest.mark.parametrize(
    "host",
    [None, "", "localhost, localhost", "local host", "localhost:99999999", "localhost:x", "[::1", "::1",
     "user@localhost", "localhost/x", "[localhost]", "lóc", "a" * 300, "[::1]x"],
)  # fmt: skip
def test_missing_twofold_and_malformed_hosts_are_bad_requests(host: str | None) -> None:
    """One valid Host header is needed: none, two, or one with other signs in it is a bad request."""
    with pytest.raises(BadRequest):
        Guard(SITE).check_host(host)


def test_configured_names_are_let_in() -> None:
    """Listen addresses, allowed_hosts and the host of outside_url are let in, whatever their case and port."""
    site = replace(
        SITE,
        host="192.168.1.7",
        listen_hosts=("fd00::7",),
        allowed_hosts=("Pypi.Home", "10.1.1.1"),
        outside_url="https://proxy.example:8443/pypi",
    )
    guard = Guard(site)
    for host in ("192.168.1.7:3141", "[fd00::7]:3141", "pypi.home", "PYPI.HOME:80", "10.1.1.1", "proxy.example:8443"):
        guard.check_host(host)
    with pytest.raises(HostRefused):
        guard.check_host("192.168.1.8")


def test_any_address_is_ours_when_listening_on_all() -> None:
    """An address cannot be rebound: listening on 0.0.0.0 lets in every address, and still no strange name."""
    guard = Guard(replace(SITE, host="0.0.0.0"))
    guard.check_host("192.168.1.7:3141")
    with pytest.raises(HostRefused):
        guard.check_host("evil.example")


def test_the_memory_of_hosts_is_bounded() -> None:
    """Every port makes another Host header; only so many are remembered."""
    guard = Guard(SITE)
    for port in range(2000):
        guard.check_host(f"localhost:{port}")
    assert len(guard._allowed) <= 512


def test_refused_hosts_are_counted_for_an_hour() -> None:
    """Each name with its count and age, the latest first; after an hour it is forgotten, and counts anew."""
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    for at, host in ((0, "old.example"), (3000, "a.example"), (3001, "b.example"), (3600, "a.example")):
        now[0] = at
        refusals.note(host)
    now[0] = 3700.0
    assert (RefusedHost("a.example", 2, 100), RefusedHost("b.example", 1, 699)) == refusals.within_the_hour()
    refusals.note("old.example")
    assert refusals.within_the_hour()[0] == RefusedHost("old.example", 1, 0)


def test_the_memory_of_refusals_is_bounded() -> None:
    """Who makes up names fills no memory; the latest are kept."""
    guard = Guard(SITE)
    for number in range(200):
        with pytest.raises(HostRefused):
            guard.check_host(f"evil-{number}.example:{number}")
    kept = guard.refusals.within_the_hour()
    assert (len(kept), kept[0].host) == (50, "evil-199.example")


@pytest.mark.parametrize(
    ("method", "headers", "allowed"),
    [
        ("GET", {"HTTP_SEC_FETCH_SITE": "cross-site"}, True),
        ("HEAD", {"HTTP_ORIGIN": "https://evil.example"}, True),
        ("POST", {}, True),
        ("POST", {"HTTP_SEC_FETCH_SITE": "same-origin"}, True),
        ("POST", {"HTTP_SEC_FETCH_SITE": "none"}, True),
        ("POST", {"HTTP_SEC_FETCH_SITE": "cross-site"}, False),
        ("PUT", {"HTTP_SEC_FETCH_SITE": "same-site"}, False),
        ("DELETE", {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "http://localhost:3141"}, False),
        ("POST", {"HTTP_ORIGIN": "http://localhost:3141"}, True),
        ("POST", {"HTTP_ORIGIN": "http://LOCALHOST:3141"}, True),
        ("POST", {"HTTP_ORIGIN": "http://localhost:8000"}, False),
        ("PATCH", {"HTTP_ORIGIN": "https://evil.example"}, False),
        ("PUSH", {"HTTP_ORIGIN": "null"}, False),
        ("POST", {"HTTP_ORIGIN": "file://localhost:3141"}, False),
    ],
)
def test_what_changes_something_must_not_come_from_another_site(
    method: str, headers: dict[str, str], *, allowed: bool
) -> None:
    """The algorithm of Go's http.CrossOriginProtection, row by row."""
    environ = {"HTTP_HOST": "localhost:3141", **headers}
    if allowed:
        Guard(SITE).check_site(method, environ)
    else:
        with pytest.raises(NotAllowed):
            Guard(SITE).check_site(method, environ)
