"""The sockets to listen on: those that systemd hands over, else ours; and who has the port when it is taken."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from localpi.errors import CannotStart, PortTaken

if TYPE_CHECKING:
    from collections.abc import MutableMapping

BACKLOG = 1024
_FIRST_HANDED = 3  # sd_listen_fds(3): SD_LISTEN_FDS_START
_MOST_HANDED = 16
_ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def open_sockets(host: str, port: int, environ: MutableMapping[str, str]) -> list[socket.socket]:
    """Return listening sockets: handed over ones, else one for each address of `host` (a name, an address, or "*").

    Port 0 takes a free one, the same for all addresses. PortTaken, CannotStart. The variables of the handover are
    removed from `environ`: no child is to take them for its own.
    """
    return _take_handed(environ) or _bind_all(host, port)


def is_loopback(bound: socket.socket) -> bool:
    """Say whether only this machine reaches the socket."""
    return ip_address(str(bound.getsockname()[0]).partition("%")[0]).is_loopback


def _take_handed(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """Take the sockets that systemd opened for us (sd_listen_fds(3))."""
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    taken = []
    for descriptor in range(_FIRST_HANDED, _FIRST_HANDED + min(int(count), _MOST_HANDED)):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 -- the library's signature
        handed = socket.socket(fileno=descriptor)
        if handed.family not in {socket.AF_INET, socket.AF_INET6} or handed.type != socket.SOCK_STREAM:
            refused = CannotStart(f"socket {descriptor}, which was handed over, is no TCP socket")
            refused.hint = "give localpi.socket a ListenStream=ADDRESS:PORT"
            raise refused
        taken.append(handed)
    return taken


def _bind_all(host: str, port: int) -> list[socket.socket]:
    addresses = _resolve(host, port)
    bound: list[socket.socket] = []
    absent: OSError | None = None
    try:
        for family, address in addresses:
            try:
                bound.append(_bind(family, (address, port)))
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
                absent = error  # "localhost" is ::1 as well, on machines without IPv6 too
                continue
            port = port or bound[0].getsockname()[1]
    except OSError as error:
        for each in bound:
            each.close()
        raise _explain(error, host, port) from error
    if absent is not None and not bound:
        raise _explain(absent, host, port) from absent
    return bound


def _resolve(host: str, port: int) -> list[tuple[int, str]]:
    try:
        found = socket.getaddrinfo(
            None if host in {"*", ""} else host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        refused = CannotStart(f"{host!r} is no address of this machine: {error}")
        refused.hint = "localpi config set host 127.0.0.1"
        raise refused from None
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bind(family: int, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _explain(error: OSError, host: str, port: int) -> CannotStart:
    if error.errno == errno.EADDRINUSE:
        owner, devpi = find_owner(port)
        return PortTaken(host, port, owner=owner, devpi=devpi)
    refused = CannotStart(f"cannot listen on {host}:{port}: {error.strerror}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        refused.hint = "ports below 1024 are root's: localpi config set port 3141"
    else:
        refused.hint = "localpi config set host 127.0.0.1"
    return refused


def find_owner(port: int) -> tuple[str, bool]:
    """Return who listens on the port, "name (pid 1)" or "" when the system does not say, and whether it is devpi.

    Process by process: macOS lists the connections of all only for root, those of one's own processes always.
    """
    import psutil  # noqa: PLC0415 -- 15 ms, and only for a port that is taken

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            listening = [each for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
            if any(each.laddr.port == port for each in listening):
                devpi = any("devpi-server" in word for word in process.cmdline()[:3])
                return f"{process.name()} (pid {process.pid})", devpi
    return "", False
