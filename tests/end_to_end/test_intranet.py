"""The laptop of an office: `root/local` over a real pypiserver with private packages, and PyPI, which is a made one.

Whatever becomes of the intranet, pip and uv with empty caches get what can be had at once, are told what cannot and
why, and no private name reaches the public index.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from made import faults
from made import upstream as made_upstream
from made.bounds import SLACK_S, assert_waits_for_nothing
from made.clients import pip, uv_install
from made.daemon import Daemon
from made.ports import swallowing
from made.pypiserver import PypiServer
from made.relays import Line, NameServer, Proxy
from made.upstream import MadeUpstream
from made.wheels import make_wheel

SEEN, NEWER, CLAIMED = make_wheel("acme-core", "1.0"), make_wheel("acme-core", "2.0"), make_wheel("corp-tool", "1.0")
NUMPY, FLASK = make_wheel("numpy", "1.0"), make_wheel("flask", "1.0")
STRANGERS = make_wheel("acme-core", "9.9"), make_wheel("corp-tool", "9.9")
INTRANET = "root/python-local"
HOST = "pypi.intranet.example"

CERTIFICATES = Path(made_upstream.__file__).parent / "certificates"
OWN = CERTIFICATES / "server.pem", CERTIFICATES / "server.key"
FOREIGN = CERTIFICATES / "portal.pem", CERTIFICATES / "portal.key"

FIRST_S = 3.0
BACK_S = 2.0

Away = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Road:
    """How the daemon gets to the intranet's server, and what becomes of it: `away`, after which it is back.

    `said`: what a person is told of it.
    """

    url: str
    away: Away
    state: str
    said: str
    environ: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Office:
    """The daemon, both servers and the road to the private one."""

    daemon: Daemon
    road: Road
    pypi: MadeUpstream

    def page(self, project: str) -> list[str]:
        """The file names on a project's page; the reason phrase where there is none."""
        reply = self.daemon.page(project)
        return [file["filename"] for file in reply.json()["files"]] if reply.status == 200 else [reply.reason]

    def state(self) -> str:
        bases = self.daemon.get("/+health").json()["bases"]
        return next(str(base["state"]) for base in bases if base["index"] == INTRANET)

    def wait_until(self, condition: Callable[[], bool], within_s: float) -> None:
        until = time.monotonic() + within_s + SLACK_S
        while not condition():
            assert time.monotonic() < until, self.daemon.get("/+health").json()
            time.sleep(0.02)

    def leaks(self) -> list[str]:
        """Private names that the public index was asked for."""
        return [one.path for one in self.pypi.asked() if "acme" in one.path or "corp" in one.path]


# -- what becomes of the intranet --------------------------------------------------------------------------------


@contextlib.contextmanager
def ended(server: PypiServer) -> Iterator[None]:
    """The host is there and the server's process is not: connections are refused."""
    server.stop()
    yield
    server.start()


@contextlib.contextmanager
def silent(server: PypiServer) -> Iterator[None]:
    """The VPN is gone: packets are lost on the way."""
    server.stop()
    with swallowing(server.port):
        yield
    server.start()


@contextlib.contextmanager
def instead(server: PypiServer, fault: faults.Fault) -> Iterator[None]:
    """Another server answers for everything: a hotel's."""
    server.stop()
    with MadeUpstream(port=server.port) as portal:
        portal.fail(fault)
        yield
    server.start()


def straight(away: Callable[[PypiServer], AbstractContextManager[None]], state: str, said: str) -> Build:
    return lambda _stack, server, _folder: Road(server.url, partial(away, server), state, said)


def over_tls(stack: ExitStack, server: PypiServer, _folder: Path) -> Road:
    """https, and a portal with a certificate of its own in its place."""
    line = stack.enter_context(Line(server.port, OWN))

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        nonlocal line
        line.__exit__()
        with MadeUpstream(port=line.port, certificate=FOREIGN) as portal:
            portal.fail(faults.LoginPage())
            yield
            assert portal.asked() == (), "something was sent to whom nobody trusts"
        line = stack.enter_context(Line(server.port, OWN, port=line.port))

    environ = {"LOCALPI_UPSTREAM_CA_BUNDLE": str(CERTIFICATES / "ca.pem")}
    said = "is not trusted (self-signed certificate); log in to the network, in a browser"
    return Road(f"https://127.0.0.1:{line.port}/simple/", away, "captive", said, environ)


def through_a_proxy(stack: ExitStack, server: PypiServer, _folder: Path) -> Road:
    """A proxy that wants a login from now on (407)."""
    proxy = stack.enter_context(Proxy(HOST, server.port))

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        proxy.refuses.set()
        yield
        proxy.refuses.clear()

    environ = {"LOCALPI_UPSTREAM_PROXY": f"http://127.0.0.1:{proxy.port}"}
    said = "the proxy wants credentials; set them with: localpi config set upstream.proxy"
    return Road(f"http://{HOST}/simple/", away, "down", said, environ)


def by_name(stack: ExitStack, server: PypiServer, folder: Path) -> Road:
    """A resolver that says nothing any more, as with a VPN gone; connections are gone with it."""
    NameServer.skip_unless_possible()
    names = stack.enter_context(NameServer(folder))

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        names.silent.set()
        with ended(server):
            yield
        names.silent.clear()

    said = f"the name {HOST}:{server.port} could not be looked up"
    return Road(f"http://{HOST}:{server.port}/simple/", away, "down", said, wrapper=names.wrapper)


def dripping(stack: ExitStack, server: PypiServer, _folder: Path) -> Road:
    """A line so bad that a byte comes now and then."""
    line = stack.enter_context(Line(server.port))

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        line.drips.set()
        yield
        line.drips.clear()

    return Road(f"http://127.0.0.1:{line.port}/simple/", away, "down", "took longer than")


Build = Callable[[ExitStack, PypiServer, Path], Road]

ROADS: dict[str, Build] = {
    "process-ended": straight(ended, "down", "cannot be connected to"),
    "packets-swallowed": straight(silent, "down", "does not answer"),
    "portal-login": straight(
        lambda server: instead(server, faults.LoginPage()),
        "captive",
        "answered with a login page; log in to the network, in a browser",
    ),
    "portal-redirect": straight(
        lambda server: instead(server, faults.RedirectTo("http://login.example/?from=intranet")),
        "captive",
        "redirects to login.example; log in to the network, in a browser",
    ),
    "portal-certificate": over_tls,
    "proxy-407": through_a_proxy,
    "dns-hangs": by_name,
    "dripping": dripping,
}


LONG = {"portal-redirect", "dripping", "proxy-407", "dns-hangs", "portal-login"}
"""10 s each. By default: a server that has ended, one that is silent, a portal with its own certificate."""


def _marked(how: str) -> object:
    return pytest.param(how, marks=pytest.mark.long if how in LONG else ())


@contextlib.contextmanager
def office_at(folder: Path, pypi: MadeUpstream, build: Build) -> Iterator[Office]:
    """Both are up; acme-core 1.0 and numpy were installed once, by pip and by uv, corp-tool never."""
    for filename, data in (NUMPY, FLASK, *STRANGERS):
        pypi.add(filename, data, project=filename.partition("-")[0].replace("_", "-"))
    with ExitStack() as stack:
        server = stack.enter_context(PypiServer(folder / "packages", (SEEN, NEWER, CLAIMED)))
        road = build(stack, server, folder / "road")
        daemon = stack.enter_context(Daemon(folder / "localpi", wrapper=road.wrapper, **road.environ))
        daemon.mirror("root/pypi", pypi.url)
        daemon.mirror(INTRANET, road.url, mirror_cache_expiry=0, claims=["corp-*"])
        daemon.index("root/local", bases=[INTRANET, "root/pypi"])
        office = Office(daemon, road, pypi)
        assert pip_gets(office, folder / "first", "acme-core==1.0", "numpy") == {SEEN[0], NUMPY[0]}
        assert uv_gets(office, folder / "first-uv", "acme-core==1.0", "numpy") == {"acme_core-1.0", "numpy-1.0"}
        yield office


def pip_gets(office: Office, folder: Path, *specs: str) -> set[str]:
    """What `pip download` brings."""
    done = pip("download", "--quiet", "--dest", str(folder), "--index-url", office.daemon.index_url, *specs)
    assert done.returncode == 0, done
    return {path.name for path in folder.iterdir()}


def uv_gets(office: Office, folder: Path, *specs: str) -> set[str]:
    """What `uv pip install` brings."""
    done = uv_install(office.daemon.index_url, folder, *specs)
    assert done.returncode == 0, done
    return {path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info")}


def expect_refusals(office: Office, folder: Path, spec: str, said: str) -> None:
    """Both clients give up at once; uv shows the reason itself, pip's user asks for it."""
    index = office.daemon.index_url
    began = time.monotonic()
    done = uv_install(index, folder / spec, spec)
    assert (done.returncode != 0, said in " ".join(done.stderr.split())) == (True, True), done
    done = pip("download", "--dest", str(folder / spec), "--index-url", index, spec)
    assert (done.returncode != 0, spec in done.stderr) == (True, True), done
    assert time.monotonic() - began < 2 * FIRST_S + SLACK_S
    refused = office.daemon.get("/+why").json()["refused"]
    assert (refused["project"], said in refused["reason"]) == (spec, True), refused


@pytest.mark.parametrize("how", [_marked(how) for how in ROADS])
def test_the_intranet_goes_and_comes_back(tmp_path: Path, upstream: MadeUpstream, how: str) -> None:
    """First answer within 3 s, later ones at once, whole again within 2 s after it is back; nothing leaks or lies."""
    with office_at(tmp_path, upstream, ROADS[how]) as office:
        with office.road.away():
            began = time.monotonic()
            assert office.page("flask") == [FLASK[0]], "the public one, of which the intranet never heard"
            assert time.monotonic() - began < FIRST_S + SLACK_S
            office.wait_until(lambda: office.state() == office.road.state, FIRST_S)

            health = partial(office.daemon.get, "/+health")
            for project, found in (("acme-core", [SEEN[0]]), ("numpy", [NUMPY[0]]), ("flask", [FLASK[0]])):
                assert office.page(project) == found
                assert_waits_for_nothing(partial(office.daemon.page, project), beside=health)
            assert office.daemon.page("corp-tool").status == 424
            assert_waits_for_nothing(partial(office.daemon.page, "corp-tool"), beside=health)
            assert office.daemon.page("nowhere").status == 424, "an unreachable upstream is never a 404"

            asked = {SEEN[0], NUMPY[0], FLASK[0]}
            assert pip_gets(office, tmp_path / "pip", "acme-core", "numpy", "flask") == asked
            wanted = {name.removesuffix("-py3-none-any.whl") for name in asked}
            assert uv_gets(office, tmp_path / "uv", "acme-core", "numpy", "flask") == wanted
            expect_refusals(office, tmp_path, "corp-tool", f"base {INTRANET} {office.road.state} since")
            assert office.road.said in office.daemon.get("/+why").json()["refused"]["reason"]
        office.wait_until(lambda: office.page("acme-core") == [SEEN[0], NEWER[0]], BACK_S)
        assert uv_gets(office, tmp_path / "again", "acme-core", "corp-tool") == {"acme_core-2.0", "corp_tool-1.0"}
        assert office.leaks() == []


@pytest.mark.parametrize("how", ["process-ended", "packets-swallowed"])
@pytest.mark.long
def test_on_a_plane(tmp_path: Path, upstream: MadeUpstream, how: str) -> None:
    """Both are gone: what is here installs, private or public; what is not is refused at once, with the reason."""
    with office_at(tmp_path, upstream, ROADS[how]) as office, office.road.away():
        upstream.refuse()
        with swallowing(upstream.port) if how == "packets-swallowed" else contextlib.nullcontext():
            began = time.monotonic()
            assert office.daemon.page("flask").status == 424
            assert time.monotonic() - began < FIRST_S + SLACK_S
            office.wait_until(lambda: office.state() == "down", FIRST_S)
            assert pip_gets(office, tmp_path / "pip", "acme-core", "numpy") == {SEEN[0], NUMPY[0]}
            assert uv_gets(office, tmp_path / "uv", "acme-core", "numpy") == {"acme_core-1.0", "numpy-1.0"}
            expect_refusals(office, tmp_path, "corp-tool", f"base {INTRANET} down since")
            health = partial(office.daemon.get, "/+health")
            for project in ("acme-core", "flask"):
                assert_waits_for_nothing(partial(office.daemon.page, project), beside=health)
    assert office.leaks() == []


def test_a_server_that_sends_elsewhere_for_what_it_has_not(tmp_path: Path, upstream: MadeUpstream) -> None:
    """As it comes, pypiserver redirects other names to a public index: that is no portal, and is not followed."""
    with MadeUpstream() as elsewhere, PypiServer(tmp_path / "packages", [SEEN], fallback=elsewhere.url) as server:
        for wheel in (NUMPY, FLASK):
            upstream.add(*wheel)
        with Daemon(tmp_path / "localpi") as daemon:
            daemon.mirror("root/pypi", upstream.url)
            daemon.mirror(INTRANET, server.url)
            daemon.index("root/local", bases=[INTRANET, "root/pypi"])
            office = Office(daemon, straight(ended, "down", "")(ExitStack(), server, tmp_path), upstream)
            asked = {SEEN[0], NUMPY[0], FLASK[0]}
            assert pip_gets(office, tmp_path / "pip", "acme-core", "numpy", "flask") == asked
            elsewhere_is = elsewhere.origin.removeprefix("http://")
            redirects = f"base {INTRANET}: 127.0.0.1:{server.port} redirects to {elsewhere_is}"
            assert office.page("nowhere") == [redirects], "nobody is sent to a login"
            assert office.state() == "ok"
            assert not any("captive" in event["text"] for event in _events(daemon))
        assert elsewhere.asked() == ()
        assert office.leaks() == []


def test_a_server_that_sends_elsewhere_is_well_before_anything_of_it_was_asked_for(tmp_path: Path) -> None:
    """The first names asked of a new base are PyPI's: its redirects make nobody log in, and its own names install."""
    with (
        MadeUpstream() as elsewhere,
        PypiServer(tmp_path / "packages", [SEEN], fallback=elsewhere.url) as server,
        Daemon(tmp_path / "localpi") as daemon,
    ):
        daemon.mirror(INTRANET, server.url)
        daemon.index("root/local", bases=[INTRANET])
        assert [daemon.page(name).status for name in ("numpy", "flask", "numpy")] == [424, 424, 424]
        assert daemon.page("acme-core").status == 200
        assert not any("captive" in event["text"] for event in _events(daemon))


def _events(daemon: Daemon) -> list[dict[str, str]]:
    found: list[dict[str, str]] = daemon.request("GET", "/+admin/events", headers=daemon.owner).json()["events"]
    return found
