"""Checks of bases on their own threads: begun by one request, their outcome fetched by another that is parked."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from localpi.errors import CannotKnow, NotFound
from localpi.index.base_check import BaseCheck, check_base, facts_of
from localpi.index.claims import suggest_claims
from localpi.index.config_values import split_mirror_url
from localpi.index.flights import Flight, Flights
from localpi.index.mirroring import all_mirrors
from localpi.index.waiting import Waiting
from localpi.simple.names import normalize

if TYPE_CHECKING:
    from localpi.index.registry import Registry
    from localpi.simple.names import ProjectName
    from localpi.store import Store
    from localpi.upstream import Upstream

LASTS_S = 60.0
AT_ONCE = 4
MOST = 64
MOST_NAMES = 2000


@dataclass(frozen=True, slots=True)
class CheckedBase:
    """A check with what follows from it: short sentences, and patterns of names that may be claimed."""

    check: BaseCheck
    facts: tuple[str, ...]
    claims: tuple[str, ...]


class BaseChecks:
    """The checks under way and those whose outcome nobody has fetched yet."""

    def __init__(self, upstream: Upstream, registry: Registry, store: Store) -> None:
        self._upstream, self._registry, self._store = upstream, registry, store
        self._flights: Flights[CheckedBase] = Flights("check", threads_per_lane=AT_ONCE)
        self._lock = threading.Lock()
        self._checks: OrderedDict[str, Flight[CheckedBase]] = OrderedDict()

    def begin(self, url: str, user: str = "", password: str = "", *, names: tuple[str, ...] = ()) -> str:
        """Begin to look at a URL, with a credential to try or those that are known for it; the check's id.

        `names` are projects that it should have; patterns among them are passed over.
        Raises InvalidIndexConfig for what is no URL of a mirror, InvalidName.
        """
        url, userinfo = split_mirror_url(url)
        if userinfo and not user:
            user, password = (unquote(part) for part in userinfo.partition(":")[::2])
        hoped = tuple(normalize(name) for name in names if not set(name) & set("*?"))
        key = secrets.token_urlsafe(16)
        flight = self._flights.join("bases", key, lambda: self._check(url, user, password, hoped), LASTS_S)
        with self._lock:
            self._checks[key] = flight
            while len(self._checks) > MOST:
                self._checks.popitem(last=False)
        return key

    def result(self, key: str) -> CheckedBase | Waiting:
        """Return what the check found, once. NotFound: it is not under way; CannotKnow: it took over LASTS_S."""
        with self._lock:
            flight = self._checks.get(key)
            if flight is None:
                raise NotFound("no such check is under way")
            if not flight.has_landed() and time.monotonic() < flight.until:
                return Waiting(flight.has_landed, flight.until)
            del self._checks[key]
        if flight.error is not None:
            raise flight.error
        if flight.result is None:
            raise CannotKnow("that was to be checked", "did not answer in time")
        return flight.result

    def _check(self, url: str, user: str, password: str, names: tuple[ProjectName, ...]) -> CheckedBase:
        if not user:
            check = check_base(self._upstream, url, names)
        else:
            given = self._upstream.as_given(url, user, password)
            try:
                check = check_base(given, url, names)
            finally:
                given.close()
        elsewhere = self._elsewhere(check)
        claims = suggest_claims(check.names, whole=check.whole, elsewhere=elsewhere)
        return CheckedBase(check, facts_of(check, elsewhere=elsewhere), claims)

    def _elsewhere(self, check: BaseCheck) -> tuple[str, ...]:
        """Name the projects that another mirror was seen to have."""
        others = {one.source for one in all_mirrors(self._registry) if one.upstream.url != check.url}
        return tuple(
            name for name in check.names[:MOST_NAMES] if any(self._store.seen.has(source, name) for source in others)
        )
