"""The health of mirrors over real sockets: DNS that hangs, proxies and certificates that refuse, and one probe each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localpi.errors import CannotKnow
from localpi.index.health import Health
from localpi.index.library import Library, build_library
from localpi.index.mirror_index import MirrorIndex
from localpi.index.pages import PageAnswer
from localpi.index.permissions import OWNER
from localpi.index.waiting import Waiting
from localpi.settings.load import load_settings
from localpi.settings.paths import Paths
from localpi.simple.names import ProjectName
from localpi.store import open_store
from localpi.upstream import Credentials, Reach, Upstream
from made import faults
from made import upstream as made_upstream
from made.bounds import SLACK_S, assert_waits_for_nothing
from made.loops import wait_for
from made.upstream import MadeUpstream
from made.wheels import make_wheel

CERTIFICATES = Path(made_upstream.__file__).parent / "certificates"
ACME, NUMPY = ProjectName("acme"), ProjectName("numpy")
INTRANET = "root/intranet"
WIKI = faults.Status(200, {"Content-Type": "text/html"}, b"<html><title>Wiki</title><p>hello</html>")


class Lookups:
    """Names of a made network: all are this machine, until they hang."""

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.end = threading.Event()

    def __call__(self, host: str, port: int) -> list[Any]:
        if self.hangs.is_set() and host == "intranet.example":
            self.end.wait(30)
        return [(2, 1, 6, "", ("127.0.0.1", port))]


@contextmanager
def library_at(tmp_path: Path, reach: Reach, lookups: Lookups, **environ: str) -> Iterator[Library]:
    paths = Paths.under(tmp_path)
    store = open_store(paths)
    credentials = Credentials(tmp_path / "credentials.toml")
    speaker = Upstream(reach, credentials, agent="localpi/test", resolve=lookups)
    settings = load_settings(paths, environ, {})
    made = build_library(
        store, speaker, credentials, settings, owner_secret="x" * 40, now_us=lambda: time.time_ns() // 1000
    )
    try:
        yield made
    finally:
        lookups.end.set()
        made.watch.close()
        speaker.close()
        store.close()


def make_bases(library: Library, intranet_url: str, pypi_url: str) -> None:
    mirror = {"type": "mirror", "mirror_url": intranet_url, "mirror_cache_expiry": 0}
    library.registry.create(OWNER, INTRANET, mirror)
    library.registry.modify(OWNER, "root/pypi", {"mirror_url": pypi_url, "mirror_cache_expiry": 0})
    library.registry.modify(OWNER, "root/local", {"bases": [INTRANET, "root/pypi"]})


def ask(library: Library, project: ProjectName) -> tuple[str, float]:
    """Whether the project is found, or why not; and the seconds that took."""
    asked_at = time.monotonic()
    while True:
        try:
            found = library.pages.project("root/local", project, asked_at=asked_at)
        except CannotKnow as error:
            return error.message, time.monotonic() - asked_at
        if isinstance(found, PageAnswer):
            return "found", time.monotonic() - asked_at
        assert isinstance(found, Waiting)
        while not found.ready() and time.monotonic() < found.until:
            time.sleep(0.005)


def state(library: Library) -> str:
    return next(base.state for base in library.bases() if base.index == INTRANET)


def _intranet(library: Library) -> MirrorIndex:
    return next(one for one in library.mirroring.all() if one.name == INTRANET)


def test_a_name_that_nobody_looks_up_any_more(tmp_path: Path, upstream: MadeUpstream) -> None:
    """DNS is inside the deadline: 3 s for the first, at once for the next, back when the resolver is."""
    lookups = Lookups()
    with MadeUpstream() as intranet, library_at(tmp_path, Reach(environ={}), lookups) as library:
        intranet.add(*make_wheel("acme", "1.0"))
        upstream.add(*make_wheel("numpy", "1.0"))
        make_bases(library, f"http://intranet.example:{intranet.port}/simple/", upstream.url)
        assert ask(library, ACME)[0] == "found"
        lookups.hangs.set()
        intranet.refuse()  # and its connections are dead
        said, first_s = ask(library, NUMPY)
        assert (said, first_s < 3.0 + SLACK_S) == ("found", True), (said, first_s)
        wait_for(lambda: state(library) == "down")
        assert "base root/intranet down" in ask(library, ACME)[0]
        assert_waits_for_nothing(lambda: ask(library, ACME), beside=library.bases)
        intranet.heal()
        lookups.hangs.clear()
        lookups.end.set()
        began = time.monotonic()
        wait_for(lambda: ask(library, ACME)[0] == "found")
        assert time.monotonic() - began < 2.0 + SLACK_S
        assert upstream.asked(upstream.page_path("acme")) == ()


def test_a_proxy_that_wants_a_login(tmp_path: Path, upstream: MadeUpstream) -> None:
    """407 is no 404: the reason names the setting, and the private name stays here."""
    with (
        MadeUpstream() as proxy,
        library_at(tmp_path, Reach(proxy=proxy.origin, environ={"NO_PROXY": "pypi.example"}), Lookups()) as library,
    ):
        proxy.fail(faults.Status(407))
        upstream.add(*make_wheel("numpy", "1.0"))
        make_bases(library, "http://intranet.example/simple/", f"http://pypi.example:{upstream.port}/simple/")
        library.registry.modify(OWNER, INTRANET, {"claims": "acme"})
        said, took_s = ask(library, ACME)
        assert ("localpi config set upstream.proxy" in said, took_s < 3.0 + SLACK_S) == (True, True), said
        assert ask(library, NUMPY)[0] == "found"
        assert upstream.asked(upstream.page_path("acme")) == ()


def test_a_portal_on_https_with_a_certificate_of_its_own(tmp_path: Path, upstream: MadeUpstream) -> None:
    """A certificate that is not trusted is "offline", never "absent", and nothing is sent behind it."""
    chain = (CERTIFICATES / "server.pem", CERTIFICATES / "server.key")
    with MadeUpstream(certificate=chain) as portal, library_at(tmp_path, Reach(environ={}), Lookups()) as library:
        upstream.add(*make_wheel("numpy", "1.0"))
        make_bases(library, f"https://127.0.0.1:{portal.port}/simple/", upstream.url)
        library.registry.modify(OWNER, INTRANET, {"claims": "acme"})
        said, took_s = ask(library, ACME)
        assert ("certificate" in said, took_s < 3.0 + SLACK_S) == (True, True), said
        assert ask(library, NUMPY)[0] == "found"
        assert portal.asked() == ()


ONE_PAGE = [
    (faults.RedirectTo("http://127.0.0.1:9/simple/odd/"), "redirects to 127.0.0.1:9"),
    (faults.LoginPage(), "answered with a login page"),
    (WIKI, 'answered with a page that is no index page (title "Wiki")'),
    (faults.PageOf("acme"), "answered with a page that is no index page (it is the page of 'acme', not of 'odd')"),
]


@pytest.mark.parametrize(("fault", "said"), ONE_PAGE, ids=["redirect", "login", "wiki", "other-project"])
def test_one_bad_page_says_nothing_about_the_others(
    tmp_path: Path, upstream: MadeUpstream, fault: faults.Fault, said: str
) -> None:
    """Its reason is told, in words that fit; a probe finds the others well, and no state changes meanwhile."""
    with MadeUpstream() as intranet, library_at(tmp_path, Reach(environ={}), Lookups()) as library:
        intranet.add(*make_wheel("acme", "1.0"))
        make_bases(library, intranet.url, upstream.url)
        assert ask(library, ACME)[0] == "found"
        intranet.fail(fault, at=intranet.page_path("odd"))
        acme = intranet.page_path("acme")
        for _ in range(4):
            asked = len(intranet.asked(acme))
            assert ask(library, ProjectName("odd"))[0].endswith(said), "no more than what was seen"
            assert library.watch.health(_intranet(library)) == Health()
            intranet.wait_for(acme, asked + 1)  # the probe
            wait_for(lambda: not library.watch._probing._threads)
        assert library.watch.health(_intranet(library)) == Health()
        assert library.mirroring.journal.recent(5) == ()


@pytest.mark.parametrize(
    ("fault", "found", "said"),
    [
        (faults.LoginPage(), "captive", "answered with a login page; log in to the network, in a browser"),
        (WIKI, "down", 'answered with a page that is no index page (title "Wiki")'),
    ],
)
def test_bad_pages_everywhere_are_a_state(
    tmp_path: Path, upstream: MadeUpstream, fault: faults.Fault, found: str, said: str
) -> None:
    """The first one shows the page whole, the probe's own confirms it; a login is named only where one was seen."""
    with MadeUpstream() as intranet, library_at(tmp_path, Reach(environ={}), Lookups()) as library:
        intranet.add(*make_wheel("acme", "1.0"))
        make_bases(library, intranet.url, upstream.url)
        assert ask(library, ACME)[0] == "found"
        intranet.fail(fault)
        assert ask(library, ACME)[0] == "found", "the page as it was"
        wait_for(lambda: state(library) == found)
        assert said in library.watch.health(_intranet(library)).reason
        assert said in ask(library, ACME)[0], "no file of it is here"
        intranet.heal()
        wait_for(lambda: ask(library, ACME)[0] == "found")


@pytest.mark.parametrize("background", ["auto", "off"])
def test_probes_go_on_unasked_unless_that_is_not_wanted(
    tmp_path: Path, upstream: MadeUpstream, background: str
) -> None:
    """With background=off a mirror that is gone is looked for when somebody asks, and not before."""
    with (
        MadeUpstream() as intranet,
        library_at(tmp_path, Reach(environ={}), Lookups(), LOCALPI_BACKGROUND=background) as library,
    ):
        intranet.add(*make_wheel("acme", "1.0"))
        make_bases(library, intranet.url, upstream.url)
        assert ask(library, ACME)[0] == "found"
        _no_hurry(library)
        intranet.refuse()
        ask(library, ACME)
        wait_for(lambda: state(library) == "down")
        _no_hurry(library)
        intranet.heal()
        if background == "auto":
            wait_for(lambda: state(library) == "ok")
        else:
            library.mirroring.watch.network_changed("a test says so")
            assert state(library) == "down"
            wait_for(lambda: ask(library, ACME)[0] == "found")


def _no_hurry(library: Library) -> None:
    """Nobody has asked for half a minute, as far as the watch knows."""
    library.watch._contacts._asked.clear()


def test_one_probe_for_a_thousand_who_ask(tmp_path: Path, upstream: MadeUpstream) -> None:
    """However many say that a mirror failed or is wanted, it has one thread and one probe in flight."""
    with MadeUpstream() as intranet, library_at(tmp_path, Reach(environ={}), Lookups()) as library:
        intranet.add(*make_wheel("acme", "1.0"))
        make_bases(library, intranet.url, upstream.url)
        assert ask(library, ACME)[0] == "found"
        intranet.fail(faults.Swallow())
        mirror = _intranet(library)
        asked, before = len(intranet.asked()), set(threading.enumerate())
        deeds: list[Callable[[], object]] = [
            lambda: library.watch.doubt(mirror),
            lambda: library.watch.demand(mirror),
            lambda: library.watch.probe_now("a test"),
        ]
        threads = [threading.Thread(target=deeds[number % 3]) for number in range(300)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        probes = [thread for thread in set(threading.enumerate()) - before if thread.name == f"probe {INTRANET}"]
        assert len(probes) == 1
        assert len(intranet.asked()) - asked <= 1


def test_what_hung_when_it_was_lost_keeps_nobody_waiting(tmp_path: Path, upstream: MadeUpstream) -> None:
    """A page asked for in the moment of the loss hangs for 20 s; asked for again after it is back, it comes at once."""
    with MadeUpstream() as intranet, library_at(tmp_path, Reach(environ={}), Lookups()) as library:
        intranet.add(*make_wheel("acme", "1.0"))
        make_bases(library, intranet.url, upstream.url)
        assert ask(library, ACME)[0] == "found"
        intranet.add(*make_wheel("odd", "1.0"))
        intranet.fail(faults.Swallow())
        assert "found" not in [ask(library, ProjectName("odd"))[0] for _ in range(2)]
        intranet.heal()
        wait_for(lambda: ask(library, ACME)[0] == "found" and library.watch.health(_intranet(library)).well)
        began = time.monotonic()
        assert ask(library, ProjectName("odd"))[0] == "found"
        assert time.monotonic() - began < 1.0 + SLACK_S
        assert library.watch.health(_intranet(library)).well
