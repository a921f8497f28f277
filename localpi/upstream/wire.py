"""One exchange with an upstream: proxy, credentials, redirects by hand, one retry for a connection that had died."""

from __future__ import annotations

import base64
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import truststore

from localpi.upstream import redirects
from localpi.upstream.addresses import Reachability, named_reachability, reachability
from localpi.upstream.bodies import skip_body
from localpi.upstream.connect import connect_any
from localpi.upstream.dial import DIAL_S, Call, get, make_session, send
from localpi.upstream.lookup import Lookups, NoAddress
from localpi.upstream.mirror import Mirror, Origin, Reach, origin_of
from localpi.upstream.outcomes import Reachable, Unreachable
from localpi.upstream.proxies import proxy_for
from localpi.upstream.trouble import FAILURES, failure, was_reset

if TYPE_CHECKING:
    import requests
    from urllib3.response import HTTPResponse

    from localpi.upstream.credentials import Basic, Credentials
    from localpi.upstream.deadline import Deadline


_NO_PROXY: Final = Unreachable("proxy", "the proxy is of a kind that is not supported")


class Wire:
    """The session and what it needs; safe to use from many threads."""

    def __init__(self, reach: Reach, credentials: Credentials, lookups: Lookups, *, agent: str) -> None:
        self._reach, self._credentials, self._lookups, self._agent = reach, credentials, lookups, agent
        self._session: requests.Session | None = None
        self._lock = threading.Lock()

    def exchange(
        self, mirror: Mirror, url: str, headers: dict[str, str], deadline: Deadline, *, page: bool
    ) -> tuple[HTTPResponse, str] | Unreachable:
        """Send a GET: (the answer, its body unread; the URL that gave it).

        Redirects are followed by the rules of pages or of files.
        """
        try:
            origin_of(mirror.url)
        except ValueError:
            return Unreachable("broken", f"the URL of {mirror.index} is no web address")
        for _ in range(redirects.MOST + 1):
            outcome = self._send(mirror, url, headers, deadline)
            if isinstance(outcome, Unreachable) or outcome.status not in redirects.FOLLOWED:
                return outcome if isinstance(outcome, Unreachable) else (outcome, url)
            location = outcome.headers.get("location")
            try:
                skip_body(outcome)
            except FAILURES as error:
                return failure(error, str(origin_of(url)), deadline)
            target = redirects.page_target(mirror, url, location) if page else redirects.file_target(url, location)
            if isinstance(target, Unreachable):
                return target
            url = target
        return Unreachable("page" if page else "broken", f"{origin_of(url)} redirects in a circle")

    def post(self, asked: requests.Request, deadline: Deadline) -> HTTPResponse | Unreachable:
        """Send a request that changes something: as it stands, once, without following redirects."""
        origin = origin_of(asked.url)
        proxy = proxy_for(origin, self._reach)
        if proxy is not None and not proxy.startswith(("http://", "https://")):
            return _NO_PROXY
        try:
            session = self._ready()
        except OSError:
            return Unreachable("tls", f"the CA bundle {self._reach.ca_path} cannot be read")
        try:
            return send(session, asked, proxy, Call(deadline, self._lookups))
        except FAILURES as error:
            return failure(error, str(origin), deadline)

    def touch(self, mirror: Mirror, within_s: float) -> Reachable | Unreachable:
        """Connect to the mirror, or to its proxy, and hang up."""
        origin = origin_of(mirror.url)
        proxy = proxy_for(origin, self._reach)
        try:
            target = origin_of(proxy) if proxy else origin
        except ValueError:
            return _NO_PROXY
        try:
            connect_any(self._lookups.addresses(target.host, target.port, within_s), within_s).close()
        except NoAddress:
            return Unreachable("dns", f"the name {target} could not be looked up")
        except TimeoutError:
            return Unreachable("timeout", f"{target} does not answer")
        except OSError:
            return Unreachable("connect", f"{target} cannot be connected to")
        return Reachable()

    def warm(self) -> None:
        """Build the session; Unreachable outcomes for a CA bundle that cannot be read come with the first request."""
        try:
            self._ready()
        except OSError:
            return

    def drop_pools(self) -> None:
        """Close what is idle; what is under way goes on and is closed at its end."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _send(
        self, mirror: Mirror, url: str, headers: dict[str, str], deadline: Deadline
    ) -> HTTPResponse | Unreachable:
        own = redirects.is_own(mirror, url)
        basic = self._credentials.lookup(mirror.url) if own else None
        outcome = self._send_as(mirror, url, headers, basic, deadline)
        if own and basic is None and not isinstance(outcome, Unreachable) and outcome.status == 401:
            basic = self._credentials.ask(mirror.url)
            if basic is not None:
                outcome.close()
                return self._send_as(mirror, url, headers, basic, deadline)
        return outcome

    def _send_as(
        self, mirror: Mirror, url: str, headers: dict[str, str], basic: Basic | None, deadline: Deadline
    ) -> HTTPResponse | Unreachable:
        if basic is not None:
            packed = base64.b64encode(f"{basic.username}:{basic.password}".encode()).decode()
            headers = {**headers, "Authorization": f"Basic {packed}"}
        origin = origin_of(url)
        proxy = proxy_for(origin, self._reach)
        if proxy is not None and not proxy.startswith(("http://", "https://")):
            return _NO_PROXY
        call = Call(deadline, self._lookups)
        if not redirects.is_own(mirror, url):
            call.most = self._most_for(mirror, deadline)
            named = named_reachability(origin.host)
            if named is not None and named > call.most:
                return Unreachable("broken", f"a page links to {origin}, which is an address of our own network")
        try:
            session = self._ready()
        except OSError:
            return Unreachable("tls", f"the CA bundle {self._reach.ca_path} cannot be read")
        while True:
            try:
                return get(session, url, headers, proxy, call)
            except FAILURES as error:
                if not (call.reused and was_reset(error)) or deadline.over:
                    return failure(error, str(origin), deadline)

    def _most_for(self, mirror: Mirror, deadline: Deadline) -> Reachability:
        """How private an address a page of this mirror may name: as the mirror's own is."""
        home: Origin = origin_of(mirror.url)
        named = named_reachability(home.host)
        if named is None and proxy_for(home, self._reach) is None:
            try:
                found = self._lookups.addresses(home.host, home.port, min(deadline.left(), DIAL_S))
            except NoAddress:
                return Reachability.GLOBAL
            named = max(reachability(item[4][0]) for item in found)
        return min(named or Reachability.GLOBAL, Reachability.LOOPBACK)

    def _ready(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                self._session = make_session(_tls_context(self._reach.ca_path), self._agent)
            return self._session


def _tls_context(ca_path: str | None) -> ssl.SSLContext:
    """A context that verifies by the system's trust store, or by the bundle (a file, or a folder of hashed names)."""
    if ca_path is None:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if Path(ca_path).is_dir():
        return ssl.create_default_context(capath=ca_path)
    return ssl.create_default_context(cafile=ca_path)
