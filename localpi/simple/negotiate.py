"""Which form of a page a client gets (PEP 691 "Content-Types"; RFC 9110, 12.5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from localpi.errors import NotAcceptable
from localpi.simple.render import HTML_TYPE, JSON_TYPE, TEXT_HTML

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_ACCEPT: Final = 4096
_MAX_RANGES: Final = 64

_NAMES: Final = {
    JSON_TYPE: JSON_TYPE,
    HTML_TYPE: HTML_TYPE,
    TEXT_HTML: TEXT_HTML,
    # PEP 691: "latest ... MUST NOT be used as the content type of a response"
    "application/vnd.pypi.simple.latest+json": JSON_TYPE,
    "application/vnd.pypi.simple.latest+html": HTML_TYPE,
}

_PREFERENCE: Final = {
    JSON_TYPE: ("application/*", 3),
    HTML_TYPE: ("application/*", 2),
    TEXT_HTML: ("text/*", 1),
}


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of an Accept header."""

    type: str
    quality: float


def choose(accept: str | None, format: str | None) -> str:  # noqa: A002  # PEP 691 calls the query parameter so
    """Give the content type to answer with: `v1+json`, `v1+html` or `text/html`.

    `format` is the value of `?format=`, which goes before the Accept header; a `+` that was decoded as a space counts
    as one. Without either, or where only `*/*` matches, it is text/html, as on PyPI. Of types that the client likes
    equally the more exactly named one wins, then JSON. Raises NotAcceptable.
    """
    if format:
        chosen = _NAMES.get(format.strip().lower().replace(" ", "+"))
        if chosen is None:
            raise NotAcceptable(format)
        return chosen
    if accept is None or not accept.strip():
        return TEXT_HTML
    ranges = tuple(_ranges(accept))
    rated = [(*_rate(offer, ranges), offer) for offer in _PREFERENCE]
    quality, _exactness, _preference, offer = max(rated)
    if quality <= 0:
        raise NotAcceptable(accept)
    return offer


def names_html(accept: str | None) -> bool:
    """Say whether a browser asks: text/html is named, and no type of the Simple API."""
    if accept is None or "text/html" not in accept.lower():
        return False
    ranges = tuple(_ranges(accept))
    named = {item.type for item in ranges if item.quality > 0}
    return TEXT_HTML in named and not any(name.startswith("application/vnd.pypi.simple.") for name in named)


def _rate(offer: str, ranges: tuple[_Range, ...]) -> tuple[float, int, int]:
    """Rate an offer by quality, by how exactly the range names it, and by our preference among equals.

    The most exact range that matches decides the quality (RFC 9110, 12.5.1).
    """
    family, preference = _PREFERENCE[offer]
    rating = (0.0, 0, 0)
    exactest = -1
    for item in ranges:
        if _NAMES.get(item.type) == offer:
            exactness = 2
        elif item.type == family:
            exactness = 1
        elif item.type == "*/*":
            exactness = 0
        else:
            continue
        if exactness > exactest or (exactness == exactest and item.quality > rating[0]):
            exactest = exactness
            rating = (item.quality, exactness, preference if exactness else -preference)
    return rating


def _ranges(accept: str) -> Iterator[_Range]:
    """Read an Accept header up to 4,096 characters and 64 ranges; one with a malformed q is passed over."""
    for part in accept[:_MAX_ACCEPT].lower().split(",")[:_MAX_RANGES]:
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(value.strip())
        if media_type and quality >= 0:
            yield _Range(media_type, quality)


def _quality(text: str) -> float:
    """Read a weight between 0 and 1; -1 when it is none."""
    plain = text.replace(".", "", 1)
    if not plain.isdecimal() or not plain.isascii() or len(text) > 10:
        return -1.0
    quality = float(text)
    return quality if quality <= 1 else -1.0
