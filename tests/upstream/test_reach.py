"""Proxies and TLS."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from localpi.upstream import Fetched, Mirror, Reach, Reachable, Unreachable, Upstream
from localpi.upstream.mirror import origin_of
from localpi.upstream.proxies import proxy_for
from made import upstream as made_upstream
from made.bounds import within
from made.faults import Garbage, Status
from made.upstream import MadeUpstream
from made.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CERTIFICATES = Path(made_upstream.__file__).parent / "certificates"
PROXY = "http://proxy.example:3128"


@pytest.fixture
def secure() -> Iterator[MadeUpstream]:
    """An upstream with TLS, its certificate from a CA of our own."""
    with MadeUpstream(certificate=(CERTIFICATES / "server.pem", CERTIFICATES / "server.key")) as upstream:
        upstream.add(*make_wheel("acme", "1.0"))
        yield upstream


@pytest.mark.parametrize(
    ("url", "reach", "expected"),
    [
        ("https://index.example/", Reach(), None),
        ("https://index.example/", Reach(proxy=PROXY), PROXY),
        ("https://index.example/", Reach(proxy="proxy.example:3128"), PROXY),
        ("https://index.example/", Reach(environ={"HTTPS_PROXY": PROXY}), PROXY),
        ("https://index.example/", Reach(environ={"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}), PROXY),
        ("https://index.example/", Reach(environ={"http_proxy": PROXY}), None),
        ("https://index.example/", Reach(environ={"ALL_PROXY": PROXY}), PROXY),
        ("https://index.example/", Reach(environ={"HTTPS_PROXY": ""}), None),
        ("http://localhost:3141/", Reach(proxy=PROXY), None),
        ("http://127.0.0.5/", Reach(proxy=PROXY), None),
        ("http://[::1]:80/", Reach(proxy=PROXY), None),
        ("https://index.example/", Reach(proxy=PROXY, environ={"NO_PROXY": "index.example"}), None),
        ("https://index.example/", Reach(proxy=PROXY, environ={"no_proxy": "*"}), None),
        ("https://index.example/", Reach(proxy=PROXY, no_proxy="intranet.example,index.example"), None),
        ("https://index.example/", Reach(proxy=PROXY, no_proxy="intranet.example", environ={"no_proxy": "*"}), PROXY),
        ("https://files.index.example/", Reach(proxy=PROXY, environ={"no_proxy": "a, .Index.Example"}), None),
        ("https://files.index.example/", Reach(proxy=PROXY, environ={"no_proxy": "*.index.example"}), None),
        ("https://notindex.example/", Reach(proxy=PROXY, environ={"no_proxy": "index.example"}), PROXY),
        ("https://index.example/", Reach(proxy=PROXY, environ={"no_proxy": "index.example:443"}), None),
        ("https://index.example/", Reach(proxy=PROXY, environ={"no_proxy": "index.example:8443"}), PROXY),
        ("https://10.1.2.3/", Reach(proxy=PROXY, environ={"no_proxy": "10.0.0.0/8"}), None),
        ("https://11.1.2.3/", Reach(proxy=PROXY, environ={"no_proxy": "10.0.0.0/8,,"}), PROXY),
        ("https://[fd00::1]/", Reach(proxy=PROXY, environ={"no_proxy": "[fd00::1]:443"}), None),
        ("https://[fd00::1]/", Reach(proxy=PROXY, environ={"no_proxy": "fd00::/8"}), None),
    ],
)
def test_which_proxy(url: str, reach: Reach, expected: str | None) -> None:
    """The setting beats the environment, NO_PROXY beats both, loopback is never proxied."""
    assert proxy_for(origin_of(url), reach) == expected


def test_a_page_by_way_of_a_proxy(make_client: Callable[..., Upstream], made: MadeUpstream) -> None:
    """The proxy gets the whole URL and its own credentials; names are its business."""
    client = make_client(Reach(proxy=f"http://me:secret@127.0.0.1:{made.port}"), resolve=_only_loopback)
    mirror = Mirror("root/pypi", "http://pkgs.test/simple/")
    assert isinstance(client.fetch_page(mirror, "acme", deadline_s=10), Fetched)
    [request] = made.asked()
    assert request.path == "http://pkgs.test/simple/acme/"
    assert request.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"
    assert client.touch(mirror, 5) == Reachable()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_credentials(make_client: Callable[..., Upstream], made: MadeUpstream, scheme: str) -> None:
    """407 is the proxy's, in a tunnel and without; the reason does not show what was sent."""
    made.fail(Status(407))
    client = make_client(Reach(proxy=f"http://me:wr0ng@127.0.0.1:{made.port}"), resolve=_only_loopback)
    outcome = client.fetch_page(Mirror("root/pypi", f"{scheme}://pkgs.test/simple/"), "acme", deadline_s=10)
    assert outcome == Unreachable("proxy", "the proxy wants credentials")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "http://nowhere.test", "socks5://127.0.0.1:1", "gopher://x"])
def test_a_proxy_that_cannot_be_used(make_client: Callable[..., Upstream], scheme: str, proxy: str) -> None:
    """Nobody there, no such name, or a kind that we do not speak."""
    client = make_client(Reach(proxy=proxy), resolve=_only_loopback)
    outcome = client.fetch_page(Mirror("root/pypi", f"{scheme}://pkgs.test/simple/"), "acme", deadline_s=10)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "proxy"


def test_a_proxy_does_not_get_to_our_network(make_client: Callable[..., Upstream], made: MadeUpstream) -> None:
    """By way of a proxy, addresses that a public page links to are looked at by what they say."""
    client = make_client(Reach(proxy=f"http://127.0.0.1:{made.port}"), resolve=_only_loopback)
    outcome = client.open_file(Mirror("root/pypi", "http://pkgs.test/simple/"), "http://169.254.169.254/latest/")
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "broken"
    assert made.asked() == ()


def test_a_bundle_of_ones_own(make_client: Callable[..., Upstream], secure: MadeUpstream) -> None:
    """`ca_bundle`, or the variable that requests knows, names the CAs to trust."""
    ca = str(CERTIFICATES / "ca.pem")
    for reach in (Reach(ca_bundle=ca), Reach(environ={"REQUESTS_CA_BUNDLE": ca})):
        client = make_client(reach)
        mirror = Mirror("root/secure", secure.url)
        for _ in range(2):
            assert isinstance(client.fetch_page(mirror, "acme", deadline_s=10), Fetched)
        opened = client.open_file(mirror, secure.file_url("acme-1.0-py3-none-any.whl").replace("https:", "http:"))
        with opened as file:  # type: ignore[union-attr]
            assert file.read()
    assert len(secure.asked()) == 6


def test_a_certificate_nobody_trusts(make_client: Callable[..., Upstream], secure: MadeUpstream) -> None:
    """The system does not know our CA; that may be a portal, and it is never tried without."""
    outcome = make_client().fetch_page(Mirror("root/secure", secure.url), "acme", deadline_s=10)
    assert isinstance(outcome, Unreachable)
    assert (outcome.kind, outcome.reason.split(" is ")[1].split(" (")[0]) == ("certificate", "not trusted")
    assert secure.asked() == ()


def test_a_certificate_for_another_name(make_client: Callable[..., Upstream], secure: MadeUpstream) -> None:
    """The name counts too."""
    client = make_client(Reach(ca_bundle=str(CERTIFICATES / "ca.pem")), resolve=lambda _host, port: [_loopback(port)])
    outcome = client.fetch_page(Mirror("root/x", f"https://other.test:{secure.port}/simple/"), "acme", deadline_s=10)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "certificate"


def test_a_bundle_that_is_not_there(make_client: Callable[..., Upstream], tmp_path: Path) -> None:
    """The setting is named, and nothing is trusted in its place."""
    missing = str(tmp_path / "ca.pem")
    outcome = make_client(Reach(ca_bundle=missing)).fetch_page(
        Mirror("root/x", "https://127.0.0.1:1/"), "acme", deadline_s=10
    )
    assert outcome == Unreachable("tls", f"the CA bundle {missing} cannot be read")


def test_plain_http_where_tls_should_be(make_client: Callable[..., Upstream], made: MadeUpstream) -> None:
    """A portal that answers on 443 without TLS, or waits for the rest of what it takes for a request."""
    made.fail(Garbage())
    outcome = make_client().fetch_page(Mirror("root/x", made.url.replace("http:", "https:")), "acme", deadline_s=10)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind in ("tls", "broken", "timeout")


def test_a_handshake_that_hangs(make_client: Callable[..., Upstream]) -> None:
    """The deadline covers the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener, within(1):
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/simple/"
        outcome = make_client().fetch_page(Mirror("root/x", url), "acme", deadline_s=1)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "timeout"


def test_an_https_page_does_not_lead_to_plain_files(make_client: Callable[..., Upstream], made: MadeUpstream) -> None:
    """Links to other hosts without TLS are refused."""
    outcome = make_client().open_file(Mirror("root/x", "https://pkgs.test/simple/"), made.file_url("x.whl"))
    assert isinstance(outcome, Unreachable)
    assert outcome.reason.endswith("without TLS")
    assert made.asked() == ()


def _loopback(port: int) -> tuple[int, int, int, str, tuple[str, int]]:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))


def _only_loopback(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    if host != "127.0.0.1":
        raise socket.gaierror(-2, "no such name")
    return [_loopback(port)]
