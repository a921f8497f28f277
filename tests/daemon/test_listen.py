"""Sockets: ours, handed over, and taken by somebody else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from localpi.daemon.listen import is_loopback, open_sockets
from localpi.errors import CannotStart, PortTaken
from localpi.settings.listening import find_owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTEN = """
import socket
made = socket.create_server(("127.0.0.1", 0))
print(made.getsockname()[1], flush=True)
input()
"""


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def addresses(host: str, port: int = 0) -> list[tuple[str, int]]:
    made = open_sockets(host, port, {})
    found = [each.getsockname()[:2] for each in made]
    for each in made:
        each.close()
    return found


def test_free_port_is_taken_and_listened_on() -> None:
    """Who connects before the application is there waits in the queue."""
    (made,) = open_sockets("127.0.0.1", 0, {})
    with made, socket.create_connection(made.getsockname(), timeout=5):
        assert is_loopback(made)


def test_name_with_several_addresses_has_one_port() -> None:
    """Localhost is 127.0.0.1 and, where there is IPv6, ::1."""
    found = addresses("localhost")

    assert {address for address, _ in found} <= {"127.0.0.1", "::1"}
    assert len({port for _, port in found}) == 1


@pytest.mark.parametrize(("host", "local"), [("127.0.0.1", True), ("127.0.0.2", True), ("0.0.0.0", False)])
def test_loopback_is_told_from_the_rest(host: str, *, local: bool) -> None:
    """Reading needs a credential where others can reach us."""
    (made,) = open_sockets(host, 0, {})
    with made:
        assert is_loopback(made) is local


def test_taken_port_names_who_has_it(taken: socket.socket) -> None:
    """The remedy takes another port."""
    port = taken.getsockname()[1]

    with pytest.raises(PortTaken) as caught:
        open_sockets("127.0.0.1", port, {})

    assert f"(pid {os.getpid()})" in caught.value.message
    assert (caught.value.port, caught.value.devpi) == (port, False)
    assert caught.value.hint.endswith(f"port {port + 1}")


def test_devpi_is_recognised(tmp_path: Path) -> None:
    """People try localpi while devpi still runs."""
    script = tmp_path / "devpi-server"
    script.write_text(LISTEN)
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        owner, devpi = find_owner(port)
        process.kill()

    assert owner.endswith(f"(pid {process.pid})")
    assert devpi


def test_nobody_has_a_free_port() -> None:
    """Nothing is said where nothing is known."""
    ((_, port),) = addresses("127.0.0.1")

    assert find_owner(port) == ("", False)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "a" * 300])
def test_address_that_is_not_ours_is_refused(host: str) -> None:
    """RFC 5737 keeps 192.0.2.0/24 for examples."""
    with pytest.raises(CannotStart) as caught:
        open_sockets(host, 0, {})

    assert caught.value.hint == "localpi config set host 127.0.0.1"


@pytest.mark.parametrize("pid", ["", "1", str(os.getpid() + 1)], ids=["none", "init", "another"])
def test_sockets_for_another_process_are_left_alone(pid: str) -> None:
    """The variables go nevertheless: no child is to take them for its own."""
    environ = {"LISTEN_PID": pid, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "PATH": "/bin"}

    made = open_sockets("127.0.0.1", 0, environ)

    assert len(made) == 1
    assert environ == {"PATH": "/bin"}
    made[0].close()


def test_further_addresses_share_the_port() -> None:
    """A bridge is listened on beside loopback; an address that is listened on already is not taken twice."""
    made = open_sockets("127.0.0.1", 0, {}, ("127.0.0.2", "127.0.0.1"))
    found = [each.getsockname() for each in made]
    for each in made:
        each.close()

    assert [address for address, _ in found] == ["127.0.0.1", "127.0.0.2"]
    assert len({port for _, port in found}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="IP_FREEBIND is Linux's")
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_bridge_that_is_not_there_yet_is_listened_on(address: str) -> None:
    """Docker makes its bridge after login; RFC 5737 and 3849 keep these addresses for examples."""
    made = open_sockets("127.0.0.1", 0, {}, (address,))
    found = [each.getsockname()[0] for each in made]
    for each in made:
        each.close()

    assert found[0] == "127.0.0.1"
    assert found[1:] in ([address], [])  # [] on a machine without IPv6


def test_further_address_that_is_taken_does_not_stop_the_others(
    taken: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """Everybody's index goes on; the log says which containers cannot reach it."""
    port = taken.getsockname()[1]
    made = open_sockets("127.0.0.2", port, {}, ("127.0.0.1",))
    for each in made:
        each.close()

    assert len(made) == 1
    assert f"not listening on 127.0.0.1:{port}: Address already in use" in caplog.text
