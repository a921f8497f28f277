"""Connections that keep one total deadline: DNS, connect over all addresses, TLS, headers, body.

urllib3's own connections and pools, with the dialling replaced. What a request is allowed (its `Call`) reaches the
connection by a thread-local: between `requests` and the socket there is no place to pass it along.

Measured without this, timeouts of (1, 3) s: 12 s and more on a hanging DNS, dripping headers or a dripping body.
"""

from __future__ import annotations

import select
import threading
import time
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from localpi.upstream.addresses import Reachability, reachability
from localpi.upstream.connect import connect_any
from localpi.upstream.lookup import NoAddress

if TYPE_CHECKING:
    import socket
    import ssl

    from urllib3.response import HTTPResponse

    from localpi.upstream.deadline import Deadline
    from localpi.upstream.lookup import Lookups

DIAL_S: Final = 2.5
"""The longest that DNS and connect may take, however long the deadline: a VPN that is down swallows packets, and who
asks gets a first answer within 3 s."""

SILENCE_S: Final = 1.0
"""A reused connection that says nothing for so long is checked by a bare connect."""

_POOLS, _IDLE = 24, 80  # hosts; idle connections each: 64 downloads and 8 pages come back to the pool


class Refused(OSError):  # noqa: N818 - says what happened, as urllib3's errors beside it do not
    """The address is less public than the page that named it."""


@dataclass(slots=True)
class Call:
    """One request under way: its deadline, what addresses it may reach, and what became of it."""

    deadline: Deadline
    lookups: Lookups
    most: Reachability = Reachability.NEVER
    reused: bool = False


class _Current(threading.local):
    call: Call | None = None


_current = _Current()


class _Dialled:
    """What both kinds of connections have in common; the connection's own attributes are urllib3's."""

    sock: Any
    timeout: Any
    port: int
    host: Any
    proxy: Any
    _dns_host: str
    call: Call | None = None
    peer: Reachability = Reachability.NEVER

    def _new_conn(self) -> socket.socket:
        call = _current.call
        if call is None:
            raise RuntimeError("dialled outside of a call")
        self.call, call.reused = call, False
        sock, self.peer = self._dial(call, DIAL_S)
        call.deadline.watch(sock.fileno())
        sock.settimeout(call.deadline.left())
        return sock

    def _dial(self, call: Call, within_s: float) -> tuple[socket.socket, Reachability]:
        end = time.monotonic() + min(call.deadline.left(), within_s)
        connection: Any = self
        try:
            with_names = call.lookups.addresses(self._dns_host, self.port, end - time.monotonic())
        except NoAddress as error:
            raise NameResolutionError(str(self.host), connection, error) from error  # type: ignore[arg-type]
        addresses = [item for item in with_names if self.proxy is not None or reachability(item[4][0]) <= call.most]
        if not addresses:
            raise Refused(f"{self.host} is an address of our own network")
        try:
            sock = connect_any(addresses, max(0.01, end - time.monotonic()))
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "no address answered") from error
        except OSError as error:
            raise NewConnectionError(connection, error.strerror or "cannot connect") from error
        return sock, reachability(sock.getpeername()[0])

    def request(self, *args: Any, **options: Any) -> None:
        """Send; a connection out of the pool gets this call's deadline, and its address is checked anew."""
        if self.sock is not None and self.call is not (call := _current.call) and call is not None:
            self.call, call.reused = call, True
            if self.proxy is None and self.peer > call.most:
                raise Refused(f"{self.host} is an address of our own network")
            call.deadline.watch(self.sock.fileno())
        super().request(*args, **options)  # type: ignore[misc]

    def getresponse(self) -> HTTPResponse:
        """Wait for the headers; a reused connection that stays silent is checked first."""
        call = self.call
        if call is not None and call.reused and not self._speaks(min(SILENCE_S, call.deadline.left())):
            # Is it slow or gone? A host that is gone does not take a new connection either.
            self._dial(call, SILENCE_S)[0].close()
        return super().getresponse()  # type: ignore[misc, no-any-return]

    def _speaks(self, within_s: float) -> bool:
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLIN)
        return bool(poll.poll(within_s * 1000))


class _Returning:
    """A pool that lets go of the deadline before the next request can get hold of the connection."""

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and conn.call is not None:
            conn.call.deadline.unwatch()
            conn.call = None
        super()._put_conn(conn)  # type: ignore[misc]


class Connection(_Dialled, HTTPConnection):  # type: ignore[misc]
    """Plain HTTP."""


class TlsConnection(_Dialled, HTTPSConnection):  # type: ignore[misc]
    """HTTP over TLS."""


class Pool(_Returning, HTTPConnectionPool):
    """Plain HTTP."""

    ConnectionCls = Connection


class TlsPool(_Returning, HTTPSConnectionPool):
    """HTTP over TLS."""

    ConnectionCls = TlsConnection


class Adapter(HTTPAdapter):
    """Requests' adapter over these pools, with one TLS context that always verifies."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=_POOLS, pool_maxsize=_IDLE, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Use our pools and context for direct connections."""
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Use our pools and context for connections by way of a proxy."""
        context = self._context
        manager = super().proxy_manager_for(proxy, ssl_context=context, proxy_ssl_context=context, **options)
        manager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the context alone: requests would add certifi's CAs to those of the system."""


def make_session(context: ssl.SSLContext, agent: str) -> requests.Session:
    """A session without the environment, cookies, retries and redirects."""
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update({"User-Agent": agent, "Connection": "keep-alive"})
    session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", adapter := Adapter(context))
    session.mount("http://", adapter)
    return session


def get(session: requests.Session, url: str, headers: dict[str, str], proxy: str | None, call: Call) -> HTTPResponse:
    """Send a GET and give what came, its body unread; the exceptions are those of requests and urllib3."""
    return send(session, requests.Request("GET", url, headers=headers), proxy, call)


def send(session: requests.Session, asked: requests.Request, proxy: str | None, call: Call) -> HTTPResponse:
    """Send any request, as `get` does."""
    request = session.prepare_request(asked)
    _current.call = call
    try:
        # Not session.send: it reads the body of a redirect, decoded and without limit, even when told not to follow.
        response = session.get_adapter(asked.url).send(
            request,
            stream=True,
            timeout=(call.deadline.left(), call.deadline.left()),
            proxies={"http": proxy, "https": proxy} if proxy else {},
        )
    finally:
        _current.call = None
    raw: HTTPResponse = response.raw
    return raw
