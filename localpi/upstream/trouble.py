"""What went wrong, from the exceptions of requests and urllib3 to an outcome without secrets.

Texts of libraries never get through: they carry URLs, and URLs carry credentials.
"""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Final

import requests
import urllib3.exceptions

from localpi.upstream.dial import Refused
from localpi.upstream.lookup import NoAddress
from localpi.upstream.outcomes import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from localpi.upstream.deadline import Deadline
    from localpi.upstream.outcomes import Kind

_DATES: Final = (9, 10)
"""OpenSSL's "not yet valid" and "has expired": the host's own certificate, or a clock that is wrong; not a portal's."""

FAILURES: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)
"""All that a request may raise; ValueError is for URLs and headers that make no sense."""


def failure(error: BaseException, where: str, deadline: Deadline) -> Unreachable:
    """The outcome that an exception stands for; `where` is the host as a person knows it."""
    chain = tuple(_causes(error))
    never_met = any(isinstance(item, NoAddress | urllib3.exceptions.ConnectTimeoutError) for item in chain)
    if deadline.over and not never_met:
        return Unreachable("timeout", f"{where} took longer than {deadline.seconds:.3g} s")
    for types, outcome in _MEANINGS:
        found = next((item for item in chain if isinstance(item, types)), None)
        if found is not None:
            return outcome(found, where)
    return Unreachable("broken", f"{where} sent something that is not a whole HTTP answer")


def was_reset(error: BaseException) -> bool:
    """Whether the server hung up before a word: a pooled connection that it had given up."""
    return any(isinstance(found, ConnectionError | http.client.RemoteDisconnected) for found in _causes(error))


def _proxy(error: BaseException, _where: str) -> Unreachable:
    asks = any("407" in str(item) for item in _causes(error))
    return Unreachable("proxy", "the proxy wants credentials" if asks else "the proxy cannot be used")


def _name(error: BaseException, where: str) -> Unreachable:
    answered = isinstance(error, NoAddress) and error.answered
    said = "does not resolve" if answered else "could not be looked up"
    return Unreachable("dns", f"the name {where} {said}")


def _certificate(error: BaseException, where: str) -> Unreachable:
    said = getattr(error, "verify_message", "")
    kind: Kind = "tls" if getattr(error, "verify_code", 0) in _DATES else "certificate"
    return Unreachable(kind, f"the certificate of {where} is not trusted" + (f" ({said})" if said else ""))


def _connect(error: BaseException, where: str) -> Unreachable:
    said = next((item.strerror for item in _causes(error) if isinstance(item, OSError) and item.strerror), None)
    return Unreachable("connect", f"{where} cannot be connected to" + (f" ({said.lower()})" if said else ""))


_MEANINGS: Final[tuple[tuple[tuple[type[BaseException], ...], Callable[[BaseException, str], Unreachable]], ...]] = (
    (
        (
            requests.exceptions.ProxyError,
            requests.exceptions.InvalidProxyURL,
            urllib3.exceptions.ProxyError,
        ),
        _proxy,
    ),
    (
        (Refused,),
        lambda _, where: Unreachable("broken", f"a page links to {where}, which is an address of our own network"),
    ),
    ((ssl.SSLCertVerificationError,), _certificate),
    (
        (ssl.SSLError, urllib3.exceptions.SSLError, requests.exceptions.SSLError),
        lambda _, where: Unreachable("tls", f"{where} does not speak TLS as it should"),
    ),
    ((NoAddress,), _name),
    ((urllib3.exceptions.NewConnectionError,), _connect),
    ((urllib3.exceptions.ConnectTimeoutError,), lambda _, where: Unreachable("timeout", f"{where} does not answer")),
    (
        (urllib3.exceptions.ReadTimeoutError, TimeoutError),
        lambda _, where: Unreachable("timeout", f"{where} fell silent"),
    ),
    (
        (ConnectionError, http.client.RemoteDisconnected),
        lambda _, where: Unreachable("broken", f"{where} closed the connection"),
    ),
)
"""What stands for what, the first that is found anywhere in the chain of causes."""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and all it came from: causes, contexts, and those that urllib3 carries in its arguments."""
    todo, seen = [error], set[int]()
    while todo:
        found = todo.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        todo += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
