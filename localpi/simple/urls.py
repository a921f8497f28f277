"""The URLs of a page's files: made absolute, http(s) only, without fragment and userinfo."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

_MAX_URL: Final = 4096
PLAIN_ORIGIN: Final = r"https?://[A-Za-z0-9._-]++(?>(?::(?:[1-5][0-9]{4}|[0-9]{1,4}))?)/"
"""What every URL may begin with; IPv6 addresses and ports from 60000 are looked at more closely."""

_PATH: Final = r"[A-Za-z0-9!$%&'()*+,./:;=?@_~-]*+"
_PLAIN: Final = re.compile(PLAIN_ORIGIN + _PATH)
_ABSOLUTE: Final = re.compile(r"https?://(?:[A-Za-z0-9._-]++|\[[0-9A-Fa-f:.]++\])(?>(?::[0-9]{1,5}+)?)/" + _PATH)
_SEGMENT: Final = r"[A-Za-z0-9_!$%&'()*+,=~-][A-Za-z0-9_.!$%&'()*+,=~-]*"
_RELATIVE: Final = re.compile(rf"(/|(?:\.\.?/)*)({_SEGMENT}(?:/{_SEGMENT})*)")
_KEPT: Final = "!$%&'()*+,/:;=?@[]~"

is_plain: Final = _PLAIN.fullmatch
"""An absolute URL that needs no work: a bare match, for loops over 15,000 files."""


class Joiner:
    """Makes URLs absolute against one page's URL.

    The starts `/`, `../../` and the like are joined once and kept: 0.5 µs a link, where urljoin takes 5.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self._starts: dict[str, str] = {}

    def absolute(self, url: str) -> str | None:
        """Give the absolute URL, or None when it is not an http(s) URL of at most 4096 characters (RFC 3986)."""
        if len(url) <= _MAX_URL and is_plain(url):
            return url
        if (relative := _RELATIVE.fullmatch(url)) and len(url) <= _MAX_URL:
            start, rest = relative.groups()
            if (known := self._starts.get(start)) is None:
                known = self._slow(start or "./")
                if known is None or len(self._starts) > 100:
                    return self._slow(url)
                self._starts[start] = known
            return known + rest
        return self._slow(url)

    def _slow(self, url: str) -> str | None:
        url = url.strip(" \t\r\n\f")
        if len(url) > _MAX_URL or any(character < " " for character in url):
            return None
        try:
            parts = urlsplit(urljoin(self.base, url))
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:  # or ValueError
                return None
            netloc = parts.netloc.rpartition("@")[2]
            path, query = quote(parts.path, safe=_KEPT), quote(parts.query, safe=_KEPT)
            plain = urlunsplit((parts.scheme, netloc, path or "/", query, ""))
        except ValueError:
            return None
        return plain if len(plain) <= _MAX_URL and _ABSOLUTE.fullmatch(plain) else None
