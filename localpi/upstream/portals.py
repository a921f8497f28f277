"""What came instead of a project page, in words: a login page of the network, or something else that is none.

People are sent to a login only where one was seen. Pure: no I/O, no clock.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from localpi.upstream.outcomes import Unreachable

if TYPE_CHECKING:
    from localpi.errors import InvalidPage

_LOOKED_AT: Final = 50_000
_LONGEST_TITLE: Final = 60
_LONGEST_CAUSE: Final = 100

_TITLE: Final = re.compile(rb"<title[^>]{0,200}>([^<]{1,500})", re.IGNORECASE)
_LOGIN: Final = re.compile(
    rb"""<input[^>]{0,300}type\s*=\s*["']?password"""
    rb"""|<form[^>]{0,300}(?:method\s*=\s*["']?post|log-?in|sign-?in|auth|sso|portal)"""
    rb"""|<meta[^>]{0,300}http-equiv\s*=\s*["']?refresh"""
    rb"""|<script[^<]{0,2000}\blocation\b\s*(?:=|\.\s*(?:href|replace|assign))"""
    rb"""|<title[^>]{0,200}>[^<]{0,300}(?:\b(?:log|sign)[ -]?[io]n\b|portal)""",
    re.IGNORECASE,
)
"""What portals and single sign-on send: a form that posts, a page or script that leads on, a title that says so."""


def judge_no_page(where: str, body: bytes, content_type: str, cause: InvalidPage) -> Unreachable:
    """Say what a decoded body is that `cause` found to be no page of the project; `where` is the host.

    `captive` is a login page; `page` is anything else. The words are shown to people: a title is kept to one short
    line without control signs.
    """
    is_html = "html" in content_type.lower()
    body = body[:_LOOKED_AT]
    title = _title(body) if is_html else ""
    named = f' (title "{title}")' if title else ""
    if is_html and _LOGIN.search(body):
        return Unreachable("captive", f"{where} answered with a login page{named}")
    named = named or f" ({cause.message[:_LONGEST_CAUSE]})"
    return Unreachable("page", f"{where} answered with a page that is no index page{named}")


def _title(body: bytes) -> str:
    found = _TITLE.search(body)
    if found is None:
        return ""
    text = html.unescape(found[1].decode("utf-8", errors="replace"))
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split()).replace('"', "'")
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 1].rstrip() + "…"
