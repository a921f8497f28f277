"""Dialling: names, addresses, connections that are used again."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from localpi.upstream import Fetched, Mirror, Unreachable, Upstream, lookup
from localpi.upstream.addresses import Reachability, reachability
from localpi.upstream.connect import connect_any
from localpi.upstream.lookup import Address, Lookups, NoAddress
from made.bounds import within
from made.faults import CloseEarly, RedirectTo, Swallow
from made.upstream import MadeUpstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHEEL = "acme-1.0-py3-none-any.whl"


class HangingDns:
    """A resolver that says nothing until it is released."""

    def __init__(self) -> None:
        self.asked = 0
        self.release = threading.Event()

    def __call__(self, _host: str, port: int) -> list[Address]:
        self.asked += 1
        self.release.wait(60)
        return [_address("127.0.0.1", port)]


@pytest.fixture
def hanging_dns() -> Iterator[HangingDns]:
    """A resolver that hangs until the test is over."""
    dns = HangingDns()
    yield dns
    dns.release.set()


@pytest.fixture
def deaf() -> Iterator[Callable[[int], Address]]:
    """Make addresses where connects are swallowed: a listener that never accepts, its backlog full."""
    sockets: list[socket.socket] = []

    def make(_: int = 0) -> Address:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        sockets.append(listener)
        port = listener.getsockname()[1]
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)  # noqa: FBT003 - its signature
            filler.connect_ex(("127.0.0.1", port))
            sockets.append(filler)
        return _address("127.0.0.1", port)

    yield make
    for item in sockets:
        item.close()


@pytest.mark.parametrize(("deadline_s", "bound_s"), [(0.5, 0.5), (20, 3)])
def test_a_hanging_dns(
    make_client: Callable[..., Upstream], hanging_dns: HangingDns, deadline_s: float, bound_s: float
) -> None:
    """The name is waited for as long as dialling may take, or the deadline; a lookup serves who asks meanwhile."""
    client = make_client(resolve=hanging_dns)
    for _ in range(2):
        with within(bound_s):
            outcome = client.fetch_page(Mirror("root/pypi", "http://pkgs.test/simple/"), "acme", deadline_s=deadline_s)
        assert outcome == Unreachable("dns", "the name pkgs.test could not be looked up")
    assert hanging_dns.asked <= 2


def test_one_lookup_for_many(hanging_dns: HangingDns) -> None:
    """Lookups of one name are shared, and over once they are answered."""
    lookups = Lookups(hanging_dns)
    for _ in range(5):
        with pytest.raises(NoAddress):
            lookups.addresses("pkgs.test", 80, 0.01)
    assert hanging_dns.asked == 1
    hanging_dns.release.set()
    assert lookups.addresses("pkgs.test", 80, 10) == [_address("127.0.0.1", 80)]


def test_a_lookup_that_hangs_keeps_no_later_one_from_its_answer(hanging_dns: HangingDns) -> None:
    """The resolver is back, or another is there now: the old lookup learns of it after seconds, a new one at once."""
    quick = threading.Event()

    def resolve(host: str, port: int) -> list[Address]:
        return [_address("127.0.0.9", port)] if quick.is_set() else hanging_dns(host, port)

    lookups = Lookups(resolve)
    with pytest.raises(NoAddress):
        lookups.addresses("pkgs.test", 80, 1.0)
    quick.set()
    with within(0):
        assert lookups.addresses("pkgs.test", 80, 10) == [_address("127.0.0.9", 80)]


def test_a_lookup_that_gave_up_says_nothing_for_a_younger_one() -> None:
    """What the old resolver failed to say is not what the new one says."""
    old, new = threading.Event(), threading.Event()
    events = [old, new]

    def resolve(_host: str, port: int) -> list[Address]:
        mine = events.pop(0)
        mine.wait(20)
        if mine is old:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [_address("127.0.0.1", port)]

    lookups = Lookups(resolve)
    with pytest.raises(NoAddress):
        lookups.addresses("pkgs.test", 80, 1.0)
    with pytest.raises(NoAddress, match="no answer"):
        lookups.addresses("pkgs.test", 80, 0.1)
    assert events == []
    old.set()
    threading.Timer(0.2, new.set).start()
    assert lookups.addresses("pkgs.test", 80, 10) == [_address("127.0.0.1", 80)]


def test_threads_that_hang_are_counted(hanging_dns: HangingDns) -> None:
    """However many names hang, there is a limit to the threads they hold."""
    lookups = Lookups(hanging_dns)
    for number in range(200):
        with pytest.raises(NoAddress):
            lookups.addresses(f"h{number}.test", 80, 0)
    assert hanging_dns.asked <= 64


def test_names_that_hang_leave_room_for_others(hanging_dns: HangingDns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine or fifty mirrors behind a name server that is gone, asked for again and again: another name resolves."""
    monkeypatch.setattr(lookup, "_AGAIN_S", 0.0)

    def resolve(host: str, port: int) -> list[Address]:
        return [_address("127.0.0.9", port)] if host == "pkgs.test" else hanging_dns(host, port)

    for names in (9, 50):
        lookups = Lookups(resolve)
        for number in [*range(names)] * 10:
            with pytest.raises(NoAddress):
                lookups.addresses(f"h{number}.test", 80, 0)
        assert lookups.addresses("pkgs.test", 80, 10) == [_address("127.0.0.9", 80)]


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_does_not_resolve(make_client: Callable[..., Upstream], error: Exception) -> None:
    """A no of the resolver is told as one."""

    def resolve(_host: str, _port: int) -> list[Address]:
        raise error

    outcome = make_client(resolve=resolve).fetch_page(
        Mirror("root/pypi", "http://pkgs.test/simple/"), "a", deadline_s=5
    )
    assert outcome == Unreachable("dns", "the name pkgs.test does not resolve")


def test_an_upstream_that_swallows_packets(make_client: Callable[..., Upstream], deaf: Callable[..., Address]) -> None:
    """Connecting takes 3 s at most, whatever the deadline and however many addresses there are."""
    addresses = [deaf() for _ in range(5)]
    client = make_client(resolve=lambda _host, _port: addresses)
    with within(3):
        outcome = client.fetch_page(Mirror("root/pypi", "http://pkgs.test/simple/"), "acme", deadline_s=20)
    assert outcome == Unreachable("timeout", "pkgs.test does not answer")


def test_a_dead_address_beside_a_live_one(
    make_client: Callable[..., Upstream], made: MadeUpstream, deaf: Callable[..., Address]
) -> None:
    """The next address is tried while the first one says nothing."""
    addresses = [deaf(), _address("127.0.0.1", 1), _address("127.0.0.1", made.port)]
    client = make_client(resolve=lambda _host, _port: addresses)
    with within(0.5):
        outcome = client.fetch_page(Mirror("root/pypi", f"http://pkgs.test:{made.port}/simple/"), "acme", deadline_s=20)
    assert isinstance(outcome, Fetched)


def test_connect_any_without_an_address() -> None:
    """No address, no connection."""
    with pytest.raises(OSError, match="no address answered"):
        connect_any([], 1)


def test_a_connection_that_died_in_the_pool(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """A reused connection that the server hangs up on is no failure: the request goes out once more."""
    client.fetch_page(mirror, "acme", deadline_s=10)
    made.fail(CloseEarly(-1), times=1)
    assert isinstance(client.fetch_page(mirror, "acme", deadline_s=10), Fetched)
    assert made.connections == 2
    client.drop_pools()
    made.fail(CloseEarly(-1), times=1)
    assert isinstance(client.fetch_page(mirror, "acme", deadline_s=10), Unreachable)


def test_a_silent_connection_is_checked(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """After a second of silence on a reused connection a bare connect tells slow from gone."""
    client.fetch_page(mirror, "acme", deadline_s=10)
    made.fail(Swallow())
    made.stop_listening()
    with within(1):
        outcome = client.fetch_page(mirror, "acme", deadline_s=30)
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "connect"


def test_dropped_pools(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """After the network changed no old connection is used; a transfer under way goes on."""
    opened = client.open_file(mirror, made.file_url(WHEEL))
    client.fetch_page(mirror, "acme", deadline_s=10)
    client.drop_pools()
    client.fetch_page(mirror, "acme", deadline_s=10)
    assert made.connections == 3
    assert not isinstance(opened, Unreachable)
    with opened as file:  # type: ignore[union-attr]
        assert sum(len(piece) for piece in iter(lambda: file.read(65_536), b"")) == file.total


def test_closing_ends_what_is_under_way(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """A request that hangs ends with its client."""
    made.fail(Swallow())
    outcomes: list[object] = []
    asking = threading.Thread(target=lambda: outcomes.append(client.fetch_page(mirror, "acme", deadline_s=60)))
    asking.start()
    made.wait_for()
    client.close()
    asking.join(10)
    assert [type(outcome) for outcome in outcomes] == [Unreachable]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("151.101.0.223", Reachability.GLOBAL),
        ("2a04:4e42::223", Reachability.GLOBAL),
        ("10.1.2.3", Reachability.PRIVATE),
        ("172.16.0.1", Reachability.PRIVATE),
        ("192.168.1.1", Reachability.PRIVATE),
        ("100.64.0.1", Reachability.PRIVATE),
        ("fd00::1", Reachability.PRIVATE),
        ("127.0.0.1", Reachability.LOOPBACK),
        ("127.9.9.9", Reachability.LOOPBACK),
        ("::1", Reachability.LOOPBACK),
        ("::ffff:127.0.0.1", Reachability.LOOPBACK),
        ("64:ff9b::7f00:1", Reachability.LOOPBACK),
        ("2002:7f00:1::", Reachability.LOOPBACK),
        ("169.254.169.254", Reachability.NEVER),
        ("::ffff:169.254.169.254", Reachability.NEVER),
        ("fe80::1%eth0", Reachability.NEVER),
        ("0.0.0.0", Reachability.NEVER),
        ("::", Reachability.NEVER),
        ("224.0.0.1", Reachability.NEVER),
        ("255.255.255.255", Reachability.NEVER),
    ],
)
def test_how_public_an_address_is(address: str, expected: Reachability) -> None:
    """Classes of addresses, IPv4 in IPv6 included."""
    assert reachability(address) is expected


@pytest.mark.parametrize(
    ("home", "there", "allowed"),
    [
        ("93.184.216.34", "127.0.0.1", False),
        ("10.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
    ],
)
def test_a_page_cannot_name_a_less_public_host(
    make_client: Callable[..., Upstream], made: MadeUpstream, home: str, there: str, *, allowed: bool
) -> None:
    """By name, by address and by redirect: what counts is the address that is connected to."""
    names: dict[str, str] = {"home.test": home, "files.test": there}
    client = make_client(resolve=lambda host, port: [_address(names[host] if host in names else str(host), port)])
    mirror = Mirror("root/home", f"http://home.test:{made.port}/simple/")
    for url in (f"http://files.test:{made.port}/files/{WHEEL}", made.file_url(WHEEL)):
        outcome = client.open_file(mirror, url)
        if isinstance(outcome, Unreachable):
            assert outcome.kind == "broken"
            assert "our own network" in outcome.reason
        else:
            outcome.close()  # type: ignore[union-attr]
        assert isinstance(outcome, Unreachable) is not allowed
    assert len(made.asked()) == (2 if allowed else 0)


def test_a_pooled_connection_is_no_way_around(make_client: Callable[..., Upstream], made: MadeUpstream) -> None:
    """A connection that one mirror may use does not serve the page of a more public one."""
    names = {"intranet.test": "127.0.0.1", "public.test": "93.184.216.34", "files.test": "127.0.0.1"}
    client = make_client(resolve=lambda host, port: [_address(names[host], port)])
    url = f"http://files.test:{made.port}/files/{WHEEL}"
    opened = client.open_file(Mirror("root/intranet", f"http://intranet.test:{made.port}/simple/"), url)
    with opened as file:  # type: ignore[union-attr]
        while file.read():
            pass
    assert isinstance(
        client.open_file(Mirror("root/public", f"http://public.test:{made.port}/simple/"), url), Unreachable
    )
    assert len(made.asked()) == 1


def test_link_local_is_never_linked_to(client: Upstream, made: MadeUpstream, mirror: Mirror) -> None:
    """Not even a mirror on loopback sends us to a cloud's metadata service."""
    made.fail(RedirectTo("http://169.254.169.254/latest/"), at="/files/")
    outcome = client.open_file(mirror, made.file_url(WHEEL))
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "broken"


def test_the_room_is_cheap_to_import() -> None:
    """Neither requests nor the keyring come with the import."""
    code = (
        "import sys, localpi.upstream; print(sorted({'requests', 'urllib3', 'keyring', 'tomlkit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def _address(host: str, port: int) -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
