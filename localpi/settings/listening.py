"""Which addresses there are to listen on, and who has a port already: for the daemon, and for who renders its units."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address

from localpi.errors import CannotStart

Address = tuple[int, str]
"""Family (`socket.AF_INET`, `AF_INET6`) and address, an IPv6 one without brackets."""


def find_addresses(host: str) -> tuple[Address, ...]:
    """Return the addresses of a name, an address, or "*"; raises CannotStart when there are none."""
    try:
        found = socket.getaddrinfo(
            None if host in {"*", ""} else host.strip("[]"), 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        refused = CannotStart(f"{host!r} is no address of this machine: {error}")
        refused.hint = "localpi config set host 127.0.0.1"
        raise refused from None
    return tuple(dict.fromkeys((int(family), str(address[0])) for family, _, _, _, address in found))


def is_here(address: Address) -> bool:
    """Return whether this machine has the address now; asked by binding a free port of it."""
    try:
        with socket.socket(address[0], socket.SOCK_STREAM) as asking:
            asking.bind((address[1], 0))
    except OSError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Return whether only this machine reaches a socket on the address."""
    return ip_address(address.partition("%")[0]).is_loopback


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
