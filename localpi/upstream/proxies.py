"""Which proxy a URL goes through: the setting, else the environment's `*_PROXY`; what goes without one likewise.

Loopback is never proxied: a proxy on another machine would ask its own.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from localpi.upstream.addresses import Reachability, named_reachability

if TYPE_CHECKING:
    from localpi.upstream.mirror import Origin, Reach


def proxy_for(origin: Origin, reach: Reach) -> str | None:
    """The URL of the proxy for an origin, credentials included, or None to go straight."""
    proxy = reach.proxy or _variable(reach, f"{origin.scheme}_proxy") or _variable(reach, "all_proxy")
    if not proxy or named_reachability(origin.host) is Reachability.LOOPBACK:
        return None
    if bypasses(reach.no_proxy or _variable(reach, "no_proxy"), origin):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def bypasses(no_proxy: str, origin: Origin) -> bool:
    """Whether a NO_PROXY list names the origin: hosts, domains, addresses, networks, each with or without a port."""
    items = no_proxy.lower().replace(",", " ").split()
    return any(item == "*" or _names(item, origin) for item in items)


def _names(item: str, origin: Origin) -> bool:
    host, colon, port = item.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.startswith("[")):
        if int(port) != origin.port:
            return False
        item = host
    item = item.strip("[]").removeprefix("*").removeprefix(".")
    if origin.host == item or origin.host.endswith(f".{item}"):
        return bool(item)
    try:
        return ipaddress.ip_address(origin.host) in ipaddress.ip_network(item, strict=False)
    except ValueError:
        return False


def _variable(reach: Reach, name: str) -> str:
    return reach.environ.get(name) or reach.environ.get(name.upper()) or ""
