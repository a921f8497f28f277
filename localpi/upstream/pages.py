"""A project page from an upstream: one conditional GET, and what its status means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from localpi.upstream.bodies import read_page, skip_body
from localpi.upstream.mirror import origin_of
from localpi.upstream.outcomes import Fetched, Missing, NotModified, Progress, Unreachable
from localpi.upstream.trouble import FAILURES, failure

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

    from localpi.upstream.deadline import Deadline
    from localpi.upstream.mirror import Mirror
    from localpi.upstream.wire import Wire

ACCEPT: Final = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
PAGE_TYPES: Final = frozenset(
    ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html", "text/html")
)
_DAY_S: Final = 86_400


def fetch_page(
    wire: Wire,
    mirror: Mirror,
    project: str,
    *,
    etag: str | None,
    last_modified: str | None,
    fresh: bool,
    deadline: Deadline,
    progress: Progress | None = None,
) -> Fetched | NotModified | Missing | Unreachable:
    """The page of a project; `fresh` asks caches on the way to look again (RFC 9111, section 5.2.1.4)."""
    headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip"}
    if etag is not None:
        headers["If-None-Match"] = etag
    if last_modified is not None:
        headers["If-Modified-Since"] = last_modified
    if fresh:
        headers["Cache-Control"] = "no-cache"
    url = mirror.url + quote(project) + "/"
    exchanged = wire.exchange(mirror, url, headers, deadline, page=True)
    if isinstance(exchanged, Unreachable):
        return exchanged
    response, url = exchanged
    where = str(origin_of(url))
    try:
        if response.status == 200:
            return _page(response, url, where, deadline, progress)
        skip_body(response)
    except FAILURES as error:
        return failure(error, where, deadline)
    finally:
        response.close()
    if response.status == 304 and (etag is not None or last_modified is not None):
        return NotModified(
            response.headers.get("etag"), response.headers.get("last-modified"), _max_age(response), _serial(response)
        )
    return refusal(response, where)


def refusal(response: HTTPResponse, where: str) -> Missing | Unreachable:
    """What a status that is not a success means; only 404 and 410 say that something is not there."""
    status = response.status
    retry_after = response.headers.get("retry-after", "")
    wait_s = min(int(retry_after), _DAY_S) if re.fullmatch(r"[0-9]{1,9}", retry_after) else None
    match status:
        case 404 | 410:
            return Missing()
        case 401 | 403:
            return Unreachable("auth", f"{where} wants other credentials ({status})", wait_s)
        case 407:
            return Unreachable("proxy", "the proxy wants credentials", wait_s)
        case 511:
            return Unreachable("captive", "the network wants a login (511)", wait_s)
    return Unreachable("server", f"{where} answers {status}", wait_s)


def _page(
    response: HTTPResponse, url: str, where: str, deadline: Deadline, progress: Progress | None
) -> Fetched | Unreachable:
    content_type = response.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in PAGE_TYPES:
        said = f"content type {media_type[:60]}" if media_type else "no content type"
        return Unreachable("page", f"{where} answered with a page that is no index page ({said})")
    read = read_page(response, where, progress)
    if deadline.over:  # a shut connection looks like the end of the body
        return failure(TimeoutError(), where, deadline)
    if isinstance(read, Unreachable):
        return read
    body, packed = read
    if not packed and media_type != "application/vnd.pypi.simple.v1+json" and not _has_end(response, body):
        return Unreachable("broken", f"{where} sent half a page")
    encoding: Literal["", "gzip"] = "gzip" if packed else ""
    return Fetched(
        body=body,
        encoding=encoding,
        content_type=content_type,
        url=url,
        etag=response.headers.get("etag"),
        last_modified=response.headers.get("last-modified"),
        max_age_s=_max_age(response),
        serial=_serial(response),
    )


def _has_end(response: HTTPResponse, body: bytes) -> bool:
    """Whether a body's end can be trusted: without length, chunks and gzip, cut HTML looks like whole HTML."""
    if "content-length" in response.headers or response.chunked:
        return True
    return b"</html>" in body[-2000:].lower()


def _max_age(response: HTTPResponse) -> int | None:
    """How long the page is fresh, seconds, at most a day; 0 for no-cache and no-store."""
    control = ",".join(response.headers.getlist("cache-control")).lower()
    if re.search(r"(^|[,\s])no-(cache|store)\b", control):
        return 0
    found = re.search(r"(^|[,\s])max-age\s*=\s*\"?([0-9]{1,9})", control)
    return min(int(found[2]), _DAY_S) if found else None


def _serial(response: HTTPResponse) -> int | None:
    serial = response.headers.get("x-pypi-last-serial", "")
    return int(serial) if re.fullmatch(r"[0-9]{1,15}", serial) else None
