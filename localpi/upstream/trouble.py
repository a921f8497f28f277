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
    from collections.abc import Iterator

    from localpi.upstream.deadline import Deadline

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
    if deadline.over:
        return Unreachable("timeout", f"{where} took longer than {deadline.seconds:.3g} s")
    chain = tuple(_causes(error))
    for found in chain:
        if (outcome := _recognised(found, where)) is not None:
            return outcome
    if any(isinstance(found, requests.exceptions.ConnectionError | ConnectionError) for found in chain):
        return Unreachable("broken", f"{where} closed the connection")
    return Unreachable("broken", f"{where} sent something that is not a whole HTTP answer")


def was_reset(error: BaseException) -> bool:
    """Whether the server hung up before a word: a pooled connection that it had given up."""
    return any(isinstance(found, ConnectionError | http.client.RemoteDisconnected) for found in _causes(error))


def _recognised(error: BaseException, where: str) -> Unreachable | None:
    match error:
        case requests.exceptions.ProxyError() | urllib3.exceptions.ProxyError():
            asks = any("407" in str(found) for found in _causes(error))
            return Unreachable("proxy", "the proxy wants credentials" if asks else "the proxy cannot be used")
        case requests.exceptions.InvalidSchema():
            return Unreachable("proxy", "the proxy is of a kind that is not supported")
        case Refused():
            return Unreachable("broken", f"{where} is named by a page that is more public than its address")
        case NoAddress():
            said = "does not resolve" if error.answered else "could not be looked up in time"
            return Unreachable("dns", f"the name {where} {said}")
        case ssl.SSLCertVerificationError():
            return Unreachable("tls", f"the certificate of {where} is not trusted ({error.verify_message})")
        case ssl.SSLError() | urllib3.exceptions.SSLError() | requests.exceptions.SSLError():
            cause = next((item for item in _causes(error) if isinstance(item, ssl.SSLCertVerificationError)), None)
            return (
                _recognised(cause, where) if cause else Unreachable("tls", f"{where} does not speak TLS as it should")
            )
        case urllib3.exceptions.ConnectTimeoutError():
            return Unreachable("timeout", f"{where} does not answer")
        case urllib3.exceptions.ReadTimeoutError() | TimeoutError():
            return Unreachable("timeout", f"{where} fell silent")
        case urllib3.exceptions.NewConnectionError():
            cause_text = next((item.strerror for item in _causes(error) if isinstance(item, OSError)), None)
            return Unreachable("connect", f"{where} cannot be connected to ({cause_text or 'no connection'})".lower())
    return None


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
