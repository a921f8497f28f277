"""The sockets to listen on: those that systemd hands over, else ours; and who has the port when it is taken."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

from localpi.errors import CannotStart, PortTaken
from localpi.settings import listening
from localpi.settings.listening import find_addresses, find_owner

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

logger = logging.getLogger(__name__)

BACKLOG = 1024
_FIRST_HANDED = 3  # sd_listen_fds(3): SD_LISTEN_FDS_START
_MOST_HANDED = 16
_FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}
"""Level and option of Linux's IP_FREEBIND (linux/in.h, linux/in6.h), which Python has no name for."""
_ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def open_sockets(
    host: str, port: int, environ: MutableMapping[str, str], further: Sequence[str] = ()
) -> list[socket.socket]:
    """Return listening sockets: handed over ones, else one for each address of `host` (a name, an address, or "*").

    `further` are addresses to listen on as well, which need not be there yet. Port 0 takes a free one, the same for
    all addresses. PortTaken, CannotStart. The variables of the handover are removed from `environ`: no child is to
    take them for its own.
    """
    handed = _take_handed(environ)
    if not handed:
        return _bind_all(host, port, further)
    if port not in {0, *(each.getsockname()[1] for each in handed)}:
        ports = ", ".join(str(each.getsockname()[1]) for each in handed)
        logger.warning("the port is set to %d, but systemd listens on %s: localpi service install", port, ports)
    return handed


def is_loopback(bound: socket.socket) -> bool:
    """Say whether only this machine reaches the socket."""
    return listening.is_loopback(str(bound.getsockname()[0]))


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


def _bind_all(host: str, port: int, further: Sequence[str]) -> list[socket.socket]:
    addresses = find_addresses(host)
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
    for address in further:
        bound += _bind_further(address, port, bound)
    return bound


def _bind_further(address: str, port: int, bound: Sequence[socket.socket]) -> list[socket.socket]:
    """Listen on the address of a bridge; one that is not there yet answers once it is (ip(7): IP_FREEBIND).

    Without it the others go on: containers are not worth everybody's index.
    """
    if any(each.getsockname()[0] in {address, "0.0.0.0", "::"} for each in bound):  # noqa: S104 -- recognised, not bound
        return []
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    try:
        return [_bind(family, (address, port), free=sys.platform == "linux")]
    except OSError as error:
        logger.warning("not listening on %s:%d: %s", address, port, error.strerror)
        return []


def _bind(family: int, address: tuple[str, int], *, free: bool = False) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if free:
            made.setsockopt(*_FREEBIND[socket.AddressFamily(family)], 1)
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
