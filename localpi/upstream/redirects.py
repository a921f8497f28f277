"""Where a redirect may lead; requests would follow it anywhere, our own network included.

Pages: the mirror's own origin, or the same host with TLS added; anything else is a portal. Files: other hosts too
(mirrors keep files in object stores), but never from TLS to plain HTTP.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from localpi.upstream.mirror import Mirror, origin_of, without_userinfo
from localpi.upstream.outcomes import Unreachable

MOST = 5
FOLLOWED = frozenset((301, 302, 303, 307, 308))


def page_target(mirror: Mirror, url: str, location: str | None) -> str | Unreachable:
    """The URL to go on with, or why not."""
    target = _resolved(url, location)
    if target is None:
        return Unreachable("page", f"{origin_of(url)} redirects to something that is no web address")
    home, there = origin_of(mirror.url), origin_of(target)
    if there == origin_of(url) or there == home or there.upgrades(home):
        return target
    return Unreachable("captive", f"{origin_of(url)} redirects to {there}")


def file_target(url: str, location: str | None) -> str | Unreachable:
    """The URL to go on with, or why not."""
    target = _resolved(url, location)
    if target is None:
        return Unreachable("broken", f"{origin_of(url)} redirects to something that is no web address")
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        return Unreachable("broken", f"{origin_of(url)} redirects from https to http, at {origin_of(target)}")
    return target


def file_start(mirror: Mirror, url: str) -> str | Unreachable:
    """The URL that a page gives for a file, made fit to be asked.

    A mirror behind a TLS terminator often links to itself by http: that link gets the mirror's own origin. Other
    plain links of an https mirror are refused.
    """
    try:
        there, home = origin_of(url), origin_of(mirror.url)
    except ValueError:
        return Unreachable("broken", "the page gives no web address for the file")
    url = without_userinfo(url)
    if home.scheme == "http" or there.scheme == "https":
        return url
    if there.host == home.host:
        return urlsplit(url)._replace(scheme="https", netloc=urlsplit(without_userinfo(mirror.url)).netloc).geturl()
    return Unreachable("broken", f"an https page links to {there} without TLS")


def is_own(mirror: Mirror, url: str) -> bool:
    """Whether the mirror's credentials may go there: its origin, or that origin with TLS added."""
    home, there = origin_of(mirror.url), origin_of(url)
    return there == home or there.upgrades(home)


def _resolved(url: str, location: str | None) -> str | None:
    if not location:
        return None
    try:
        target = without_userinfo(urljoin(url, _as_utf8(location)))
        origin_of(target)
    except ValueError:
        return None
    return target


def _as_utf8(header: str) -> str:
    """A header that http.client read as latin-1, as servers mean it."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
