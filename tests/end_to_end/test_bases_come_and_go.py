"""A laptop between office, VPN and plane: an intranet mirror in front of PyPI, both made, and all the ways to be gone.

A private project (acme) is on the intranet alone, a public one (numpy) on PyPI alone. Nothing waits, nothing leaks,
nothing lies.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from made import faults
from made.bounds import SLACK_S, assert_waits_for_nothing
from made.daemon import Daemon, Reply
from made.ports import swallowing
from made.upstream import MadeUpstream
from made.wheels import make_wheel

ACME, ACME_DATA = make_wheel("acme", "1.0")
ACME_NEWER = make_wheel("acme", "2.0")
CLAIMED = make_wheel("corp-tool", "1.0")
NUMPY, NUMPY_DATA = make_wheel("numpy", "1.0")
PUBLIC = [make_wheel(name, "1.0") for name in ("flask", "idna")]

FIRST_S = 3.0
BACK_S = 2.0


@dataclass
class Places:
    """The two upstreams and the daemon between them and its clients."""

    daemon: Daemon
    intranet: MadeUpstream
    pypi: MadeUpstream

    def state(self, index: str = "root/python-local") -> str:
        bases = self.daemon.get("/+health").json()["bases"]
        return next(str(base["state"]) for base in bases if base["index"] == index)

    def wait_for_state(self, *states: str, within_s: float = 10.0) -> float:
        """Wait until the intranet mirror is so, as somebody who asks now and then; the seconds that took."""
        began = time.monotonic()
        while self.state() not in states:
            assert time.monotonic() - began < within_s, self.state()
            self.daemon.page("acme")
            time.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture
def places(tmp_path: Path, upstream: MadeUpstream) -> Iterator[Places]:
    """The office: both are there, acme and numpy have been installed once."""
    with MadeUpstream(json=False) as intranet, Daemon(tmp_path / "localpi") as daemon:
        intranet.add(ACME, ACME_DATA)
        intranet.add(*ACME_NEWER)
        intranet.add(*CLAIMED, project="corp-tool")
        upstream.add(NUMPY, NUMPY_DATA)
        upstream.add("acme-9.9-py3-none-any.whl", make_wheel("acme", "9.9")[1])
        upstream.add("corp_tool-9.9-py3-none-any.whl", make_wheel("corp-tool", "9.9")[1], project="corp-tool")
        for name, data in PUBLIC:
            upstream.add(name, data)
        daemon.mirror("root/pypi", upstream.url)
        daemon.mirror("root/python-local", intranet.url, mirror_cache_expiry=0, claims=["corp-*"])
        daemon.index("root/local", bases=["root/python-local", "root/pypi"])
        for project, filename in (("acme", ACME), ("numpy", NUMPY)):
            page = daemon.page(project)
            link = next(file["url"] for file in page.json()["files"] if file["filename"] == filename)
            assert daemon.get(link).status == 200
        yield Places(daemon, intranet, upstream)


@contextlib.contextmanager
def dropping(upstream: MadeUpstream) -> Iterator[None]:
    upstream.refuse()
    with swallowing(upstream.port):
        yield


@contextlib.contextmanager
def failing(upstream: MadeUpstream, fault: faults.Fault) -> Iterator[None]:
    upstream.fail(fault)
    yield


@contextlib.contextmanager
def refusing(upstream: MadeUpstream) -> Iterator[None]:
    upstream.refuse()
    yield


AWAY: dict[str, Callable[[MadeUpstream], contextlib.AbstractContextManager[None]]] = {
    "refused": refusing,
    "packets-swallowed": dropping,
    "request-swallowed": lambda upstream: failing(upstream, faults.Swallow()),
    "dripping": lambda upstream: failing(upstream, faults.Drip(every_s=0.8)),
    "dripping-headers": lambda upstream: failing(upstream, faults.Drip(headers=True)),
    "stalling": lambda upstream: failing(upstream, faults.Stall(after=1)),
    "portal-login": lambda upstream: failing(upstream, faults.LoginPage()),
    "portal-redirect": lambda upstream: failing(upstream, faults.RedirectTo("http://127.0.0.1:9/login")),
    "portal-511": lambda upstream: failing(upstream, faults.Status(511)),
    "credentials-expired": lambda upstream: failing(upstream, faults.Status(403)),
}
SLOW = {"dripping", "dripping-headers", "stalling"}
"""Each takes 5 s; `request-swallowed` stands for them in each run."""


def timed(ask: Callable[[], Reply]) -> tuple[Reply, float]:
    began = time.monotonic()
    reply = ask()
    return reply, time.monotonic() - began


def filenames(reply: Reply) -> list[str]:
    return [file["filename"] for file in reply.json()["files"]]


@pytest.mark.parametrize("how", [pytest.param(how, marks=pytest.mark.long if how in SLOW else ()) for how in AWAY])
def test_nothing_waits_for_an_intranet_that_is_gone(places: Places, how: str) -> None:
    """First answer within 3 s, later ones at once, right within 2 s after it is back; no private name leaks."""
    daemon = places.daemon
    with AWAY[how](places.intranet):
        cold, first_s = timed(lambda: daemon.page("flask"))  # the intranet has to be asked first, and cannot be
        assert (cold.status, filenames(cold)) == (200, [PUBLIC[0][0]]), cold
        assert first_s < FIRST_S + SLACK_S
        places.wait_for_state("down", "captive", "auth")

        for project, filename in (("acme", ACME), ("numpy", NUMPY)):
            assert filenames(daemon.page(project)) == [filename]
            assert_waits_for_nothing(partial(daemon.page, project), beside=partial(daemon.get, "/+health"))
        claimed = daemon.page("corp-tool")
        assert (claimed.status, "base root/python-local" in claimed.reason) == (424, True), claimed
        assert_waits_for_nothing(partial(daemon.page, "corp-tool"), beside=partial(daemon.get, "/+health"))
        assert daemon.page("nowhere").status == 424, "an unreachable upstream is never a 404"
    places.intranet.heal()
    if places.intranet._listener is None:
        places.intranet.listen()
    assert places.wait_for_state("ok", "slow") < BACK_S + SLACK_S
    assert filenames(daemon.page("acme")) == [ACME, ACME_NEWER[0]]
    private_names = {
        request.path for request in places.pypi.asked() if "acme" in request.path or "corp" in request.path
    }
    assert private_names == set(), "a private name was sent to the public mirror"


@pytest.mark.parametrize("how", ["refused", "packets-swallowed"])
def test_with_both_gone_everything_answers_from_what_is_here(places: Places, how: str) -> None:
    """On a plane: what is here installs, the rest says why at once."""
    with AWAY[how](places.intranet), AWAY[how](places.pypi):
        cold, cold_s = timed(lambda: places.daemon.page("idna"))
        assert (cold.status, cold_s < FIRST_S + SLACK_S) == (424, True), (cold, cold_s)
        places.wait_for_state("down")
        for project, filename in (("acme", ACME), ("numpy", NUMPY)):
            ask = partial(places.daemon.page, project)
            assert filenames(ask()) == [filename]
            assert_waits_for_nothing(ask, beside=partial(places.daemon.get, "/+health"))


def test_a_name_once_seen_is_never_sent_elsewhere(places: Places) -> None:
    """Not while its mirror is gone, not by page, file or refresh, with or without an old page at hand."""
    places.daemon.page("corp-tool")
    places.intranet.refuse()
    for _ in range(3):
        places.daemon.page("acme")
        places.daemon.get("/root/local/+simple/acme/", Cache_Control="no-cache", Accept="text/html")
        places.daemon.page("corp-tool")
        places.daemon.page("corp-unseen")
        places.daemon.get("/+why/root/local/acme")
    places.daemon.request("POST", "/root/local/+simple/acme/refresh", headers=places.daemon.owner)
    places.daemon.page("acme")
    assert [
        path for path in (request.path for request in places.pypi.asked()) if "acme" in path or "corp" in path
    ] == []


def test_first_failure_shows_the_page_whole(places: Places) -> None:
    """One lost request changes nothing that resolvers see; a second failure, the probe's, does."""
    places.intranet.refuse()
    first = places.daemon.page("acme")
    assert filenames(first) == [ACME, ACME_NEWER[0]]
    until = time.monotonic() + 1.0 + SLACK_S
    while filenames(places.daemon.page("acme")) != [ACME]:
        assert time.monotonic() < until, "the view did not change"


def test_by_hand_and_over_restarts(places: Places) -> None:
    """`offline on` asks nobody and lists what is here; it is kept; `auto` is as before."""
    daemon = places.daemon

    def set_mode(mode: str, index: str | None = None) -> None:
        answer = daemon.request(
            "POST", "/+admin/offline", headers=daemon.owner, json_body={"mode": mode, "index": index}
        )
        assert answer.status == 200, answer

    set_mode("on")
    asked = len(places.intranet.asked()) + len(places.pypi.asked())
    for _ in range(2):
        assert filenames(daemon.page("acme")) == [ACME]
        refused = daemon.page("flask")
        assert (refused.status, "set offline by hand" in refused.reason) == (424, True)
        assert {base["state"] for base in daemon.get("/+health").json()["bases"]} == {"off"}
        daemon.stop()
        daemon.start()
    assert len(places.intranet.asked()) + len(places.pypi.asked()) == asked
    set_mode("auto", "root/python-local")
    assert filenames(daemon.page("acme")) == [ACME, ACME_NEWER[0]]
    assert daemon.page("flask").status == 424, "the other one is still off"
    set_mode("auto")
    assert daemon.page("flask").status == 200


def test_why_tells_every_step(places: Places) -> None:
    """Each base in order: asked or not and why, its state, what it said, what is shown and hidden."""
    daemon = places.daemon
    why = daemon.get("/+why/root/local/numpy").json()
    assert (why["project"], why["answer"]) == ("numpy", "found")
    assert [(base["index"], base["asked"], base["said"], base["versions"]) for base in why["bases"]] == [
        ("root/local", True, "has not", []),
        ("root/python-local", True, "has not", []),
        ("root/pypi", True, "has it", ["1.0"]),
    ]
    places.intranet.refuse()
    daemon.page("acme")
    places.wait_for_state("down")
    why = daemon.get("/+why/root/local/acme").json()
    _, intranet, pypi = why["bases"]
    assert (intranet["state"], intranet["asked"], intranet["versions"]) == ("down", False, ["1.0"])
    assert intranet["hidden"] == {"not here (offline view)": 1}
    assert (pypi["asked"], pypi["said"]) == (False, "")
    assert "root/python-local comes first" in pypi["rule"]

    assert daemon.page("corp-unseen").status == 424
    assert daemon.get("/+why").json()["refused"]["project"] == "corp-unseen"
    unknown = daemon.get("/+why/root/local/corp-unseen").json()
    assert (unknown["answer"], "claims the name" in unknown["bases"][1]["rule"]) == ("unknown", True)
    daemon.stop()
    daemon.start()
    assert daemon.get("/+why").json()["refused"]["project"] == "corp-unseen"
    events = daemon.request("GET", "/+admin/events", headers=daemon.owner).json()["events"]
    assert any(event["kind"] == "state" and "root/python-local is down" in event["text"] for event in events)


def test_credentials_say_how_they_are_renewed(places: Places) -> None:
    """401 and 403 are no 404, and the status line names the command."""
    places.intranet.fail(faults.Status(401))
    refused = places.daemon.page("corp-tool")
    assert (refused.status, "localpi base set python-local --credentials" in refused.reason) == (424, True), refused


def test_probe_on_request(places: Places) -> None:
    """`POST /+admin/probe` finds a base that is back, without anybody asking for a page."""
    places.intranet.refuse()
    places.wait_for_state("down")
    places.intranet.heal()
    answer = places.daemon.request("POST", "/+admin/probe", headers=places.daemon.owner, json_body={})
    assert (answer.status, answer.json()["probed"]) == (202, ["root/python-local"])
    until = time.monotonic() + BACK_S + SLACK_S
    while places.state() != "ok":
        assert time.monotonic() < until
        time.sleep(0.02)
