"""How each kind of value in an index's settings is read and checked. Pure: no I/O, no clock.

Values come from devpi's client as texts ("a,b", "yes", "60") and from JSON as lists, booleans and numbers.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.errors import InvalidIndexConfig, InvalidName
from localpi.simple.entries import is_shallow
from localpi.simple.names import normalize

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.simple.names import ProjectName

MAX_ITEMS = 1000
MAX_TEXT = 10_000
MAX_URL = 2_000
MAX_CUSTOM = 100_000
MAX_EXPIRY_S = 366 * 24 * 3600

_BASE = re.compile(r"[^\s/]+/[^\s/]+")
_PATTERN = re.compile(r"[a-z0-9*?]([a-z0-9*?-]*[a-z0-9*?])?")


def told(value: object, most: int = 80) -> str:
    """Return a value that was refused as a message may repeat it: short, and no password of an address in it."""
    before, at, after = str(value).rpartition("@")
    return ("***@" + after if ":" in before else before + at + after)[:most]


def boolean(_key: str, value: object) -> bool:
    """Return a boolean from JSON's, or from devpi's texts yes, no, true, false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes"):
        return True
    if isinstance(value, str) and value.lower() in ("false", "no"):
        return False
    raise InvalidIndexConfig(f"Unknown boolean value {_short(value)}.")


def text(key: str, value: object) -> str:
    """Return a text of limited length."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise InvalidIndexConfig(f"{key!r} must be a text of at most {MAX_TEXT} characters")
    return value


def custom(key: str, value: object) -> object:
    """Return any JSON value whose text is not too long, and that does not nest deeper than can be written again."""
    if not is_shallow(value):
        raise InvalidIndexConfig(f"{key!r} nests too deep")
    if len(json.dumps(value)) > MAX_CUSTOM:
        raise InvalidIndexConfig(f"{key!r} is larger than {MAX_CUSTOM} bytes")
    return value


def seconds(key: str, value: object) -> int:
    """Return a number of seconds from 0 to a year."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_EXPIRY_S:
        raise InvalidIndexConfig(f"{key!r} must be a number of seconds from 0 to {MAX_EXPIRY_S}, not {_short(value)}")
    return value


def one_of(*allowed: str) -> Callable[[str, object], str]:
    """Return a reader that takes only these words."""

    def read(key: str, value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise InvalidIndexConfig(f"{key!r} must be one of {', '.join(allowed)}, not {_short(value)}")
        return value

    return read


def words(key: str, value: object) -> tuple[str, ...]:
    """Return a list of texts from JSON's list or from a text with commas; each once, empty ones left out."""
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",")]
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise InvalidIndexConfig(f"{key!r} must be a list of at most {MAX_ITEMS} texts")
    if any(not isinstance(item, str) or len(item) > MAX_URL for item in value):
        raise InvalidIndexConfig(f"{key!r} must be a list of texts")
    return tuple(dict.fromkeys(item for item in value if item))


def principals(key: str, value: object) -> tuple[str, ...]:
    """Return user names and devpi's special principals, those in capitals."""
    special = (":ANONYMOUS:", ":AUTHENTICATED:")
    return tuple(name.upper() if name.upper() in special else name for name in words(key, value))


def bases(key: str, value: object) -> tuple[str, ...]:
    """Return names of indexes as "user/name"; whether they exist is for the caller to see."""
    found = tuple(dict.fromkeys(name.strip("/") for name in words(key, value)))
    wrong = [f"invalid base index spec: {told(name)!r}" for name in found if not _BASE.fullmatch(name)]
    if wrong:
        raise InvalidIndexConfig(", ".join(wrong[:8]))
    return found


def whitelist(key: str, value: object) -> tuple[str, ...]:
    """Return normalised project names, or "*" for all."""
    return tuple(dict.fromkeys(name if name == "*" else _project(key, name) for name in words(key, value)))


def claims(key: str, value: object) -> tuple[str, ...]:
    """Return patterns of project names (`*` any characters, `?` one), normalised as PEP 503 does names."""
    found = tuple(dict.fromkeys(re.sub(r"[-_.]+", "-", name).lower() for name in words(key, value)))
    for pattern in found:
        if len(pattern) > 200 or not _PATTERN.fullmatch(pattern):
            raise InvalidIndexConfig(f"{key!r} must hold patterns of project names, not {pattern[:80]!r}")
    return found


def web_url(key: str, value: object) -> str:
    """Return an http address, into which {name} is put; it becomes a link on a page."""
    url = text(key, value)
    if not url.startswith(("http://", "https://")) or len(url) > MAX_URL or re.search(r"[\x00-\x20\x7f\"'<>]", url):
        raise InvalidIndexConfig(f"{key!r} must start with http:// or https://")
    if "@" in url:  # everybody gets to see it
        raise InvalidIndexConfig(f"{key!r} must hold no user and password")
    return url


def split_mirror_url(url: str) -> tuple[str, str | None]:
    """Return the address without its userinfo, and the userinfo as written or None.

    No message holds the address: a password may be in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or len(url) > MAX_URL:
        raise InvalidIndexConfig("'mirror_url' option must be a URL, starting with http:// or https://")
    if parts.query or parts.fragment or re.search(r"[\x00-\x20\x7f\\]", url):
        raise InvalidIndexConfig("'mirror_url' must have no query, no fragment and no blanks")
    userinfo, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=host).geturl(), (userinfo or None) if at else None


def _project(key: str, name: str) -> ProjectName:
    try:
        return normalize(name)
    except InvalidName:
        raise InvalidIndexConfig(f"{key!r}: {name[:80]!r} is not a project name") from None


def _short(value: object) -> str:
    return told(repr(value), 60)
