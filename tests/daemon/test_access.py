"""What the log has of requests: installs, refusals and changes; not what only looks every few seconds."""

from __future__ import annotations

from made.daemon import Daemon
from made.loops import wait_for
from made.upstream import MadeUpstream
from made.wheels import make_wheel

HITS = 60


def told(daemon: Daemon, text: str) -> int:
    """How many lines at level info or above have a text."""
    return sum(text in line for line in daemon.log.splitlines() if " DEBUG " not in line)


def test_looking_is_not_told_and_the_rest_is(daemon: Daemon) -> None:
    """The owner's programs ask every few seconds; a wrong secret, a change and a refusal are worth a line."""
    daemon.get("/+health")
    daemon.request("GET", "/+admin/status", headers=daemon.owner)
    daemon.request("GET", "/+admin/status", headers={"Authorization": "Bearer lpo_" + "x" * 43})
    daemon.index("root/dev")
    daemon.page("not-to-be-had", "root/dev")
    wait_for(lambda: told(daemon, "not-to-be-had") > 0)

    assert told(daemon, "/+health") == 0
    assert told(daemon, "GET /+admin/status 401") == 1
    assert told(daemon, "GET /+admin/status") == 1
    assert told(daemon, "PUT /root/dev 200") == 1
    assert told(daemon, "GET /root/dev/+simple/not-to-be-had/ 404") == 1


def test_hits_of_an_install_are_told_and_a_load_is_not(daemon: Daemon, upstream: MadeUpstream) -> None:
    """A page out of memory is answered by the serving loop, where a line for each would cost a third of its speed."""
    upstream.add(*make_wheel("acme", "1.0"))
    daemon.mirror("root/pypi", upstream.url)
    for _ in range(HITS):
        daemon.page("acme")
    daemon.page("the-last")
    wait_for(lambda: told(daemon, "the-last") > 0)

    assert 20 <= told(daemon, "GET /root/local/+simple/acme/ 200") <= HITS
    assert daemon.request("GET", "/+admin/status", headers=daemon.owner).json()["latency_ms"]["root/pypi"] >= 0
