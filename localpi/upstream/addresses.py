"""How public an address is: a page of a public index has no business with our own network.

What a mirror's page links to on other hosts may be as public as the mirror or more so, never less: a page of PyPI
cannot make us ask 127.0.0.1, 10.0.0.1 or a cloud's 169.254.169.254, a page of an intranet index may name the
intranet. The mirror's own host is whatever the person configured.
"""

from __future__ import annotations

import enum
import ipaddress
from typing import Final

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Reachability(enum.IntEnum):
    """From anyone's to nobody's."""

    GLOBAL = 0
    PRIVATE = 1
    LOOPBACK = 2
    NEVER = 3


def reachability(address: str) -> Reachability:
    """Class an IPv4 or IPv6 address in text, scope id allowed; IPv4 inside IPv6 counts as what it is."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(ip.packed[-4:])
        if inner is not None:
            ip = inner
    if ip.is_loopback:
        return Reachability.LOOPBACK
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip == ipaddress.ip_address("255.255.255.255"):
        return Reachability.NEVER
    return Reachability.GLOBAL if ip.is_global else Reachability.PRIVATE


def named_reachability(host: str) -> Reachability | None:
    """What a host name says by itself: the class of an address or of `localhost`, None for names that need a lookup."""
    if host == "localhost" or host.endswith(".localhost"):
        return Reachability.LOOPBACK
    try:
        return reachability(host)
    except ValueError:
        return None
