"""Who may speak to the daemon at all: before routing, on every method and path.

A page in a browser can make that browser talk to 127.0.0.1. Two checks stop it:
- the Host allow-list: after DNS rebinding the page's own name resolves to us, and only the Host header still tells;
- the cross-site check, the algorithm of Go's http.CrossOriginProtection: requests that change something must not
  come from another site. No answer ever carries Access-Control-Allow-Origin.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import BadRequest, HostRefused, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.web.site import Site

GATEWAY_NAMES = frozenset(
    {"host.lima.internal", "host.docker.internal", "host.containers.internal", "host.rancher-desktop.internal"}
)
"""What containers call the machine they run on; none can be registered in public DNS."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_VERDICTS = 512
_LONGEST_HOST = 255  # RFC 1035, 2.3.4
_MOST_REFUSED = 50
_REMEMBERED_S = 3600.0


@dataclass(frozen=True, slots=True)
class RefusedHost:
    """A name that somebody called the daemon by within the last hour, in vain."""

    host: str
    count: int
    """Since it was first refused, with no hour between two of them."""
    ago_s: int
    """Since the last time."""


class Refusals:
    """Counts the hosts that were refused: the last 50 names, for an hour each. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, float]] = {}
        """Name to count and last time, the one refused last at the end."""

    def note(self, host: str) -> None:
        """Count one more refusal."""
        now = self._clock()
        with self._lock:
            count, last = self._seen.pop(host, (0, now))
            self._seen[host] = (1 if now - last > _REMEMBERED_S else count + 1, now)
            if len(self._seen) > _MOST_REFUSED:
                del self._seen[next(iter(self._seen))]

    def within_the_hour(self) -> tuple[RefusedHost, ...]:
        """Return those of the last hour, the latest first."""
        now = self._clock()
        with self._lock:
            found = [RefusedHost(host, count, int(now - last)) for host, (count, last) in self._seen.items()]
        return tuple(one for one in reversed(found) if one.ago_s <= _REMEMBERED_S)


class Guard:
    """The Host allow-list and the cross-site check."""

    def __init__(self, site: Site) -> None:
        self.refusals = Refusals()
        outside = host_name(site.outside_url.partition("://")[2].partition("/")[0])
        named = (site.host, *site.listen_hosts, *site.allowed_hosts, outside or "")
        self._names = frozenset(_plain(name) for name in named if name) | GATEWAY_NAMES | {"localhost"}
        self._any_address = any(_is_wildcard(name) for name in (site.host, *site.listen_hosts))
        self._allowed: dict[str | None, bool] = {}

    def knows(self, host: str | None) -> bool:
        """Say whether this Host header was let in before: one dict lookup, for the loop thread."""
        return self._allowed.get(host, False)

    def check_host(self, host: str | None) -> None:
        """Let the Host header in, or raise BadRequest (missing, malformed, twice) or HostRefused."""
        if self._allowed.get(host, False):
            return
        name = host_name(host) if host else None
        if name is None:
            raise BadRequest("one valid Host header is needed")
        if name not in self._names and not self._is_own_address(name):
            self.refusals.note(name)
            raise HostRefused(name)
        if len(self._allowed) >= _VERDICTS:  # every port of a name is a key of its own
            self._allowed.clear()
        self._allowed[host] = True

    def check_site(self, method: str, environ: Mapping[str, object]) -> None:
        """Refuse what another site makes a browser send; raise NotAllowed."""
        if method in SAFE_METHODS:
            return
        fetched = environ.get("HTTP_SEC_FETCH_SITE")
        if fetched is not None:
            if fetched in {"same-origin", "none"}:
                return
            raise NotAllowed("cross-site request refused")
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return  # no browser
        scheme, _, host = str(origin).partition("://")
        if scheme not in {"http", "https"} or host.lower() != str(environ.get("HTTP_HOST", "")).lower():
            raise NotAllowed("cross-site request refused")

    def _is_own_address(self, name: str) -> bool:
        """Say whether it is an address that cannot be rebound: loopback, or any when we listen on all of them."""
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return self._any_address or (mapped or address).is_loopback


_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._:")


def host_name(host: str) -> str | None:
    """Return the lower-case name or address in a Host header, without port and brackets; None when malformed.

    RFC 9112, 3.2. Several Host headers reach us joined by a comma, which no name may have.
    """
    name, port = host, ""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in name:
            return None
        port = rest[1:]
    elif ":" in host:
        name, _, port = host.partition(":")
    name = name.lower().removesuffix(".")
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5):
        return None
    if not name or len(name) > _LONGEST_HOST or not set(name) <= _NAME_CHARACTERS:
        return None
    return name


def _plain(name: str) -> str:
    """Return a configured name in the form that host_name gives; bare IPv6 addresses are allowed here."""
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return host_name(name) or ""


def _is_wildcard(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")).is_unspecified
    except ValueError:
        return name in {"", "*"}
