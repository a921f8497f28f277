"""How the daemon is called from outside: behind which prefix, under which URL.

Links in simple pages are absolute paths without a host, so any name works; only devpi's `+api` and the front page
need whole URLs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_URL = re.compile(r"(https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)(/[^?#]*)?", re.IGNORECASE)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_LONGEST = 200


def outside_url(environ: Mapping[str, object], configured: str) -> str:
    """Return the URL that a proxy says it shows us under (X-Outside-Url, devpi's header), else the configured one.

    Without a trailing slash; "" when there is none or when it is no http URL.
    """
    said = str(environ.get("HTTP_X_OUTSIDE_URL", "")) or configured
    found = _URL.fullmatch(said) if len(said) <= _LONGEST else None
    return found[1] + _checked_prefix(found[2]) if found else ""


def link_prefix(environ: Mapping[str, object], configured: str) -> str:
    """Return the path in front of every link, "" or "/some/path": X-Outside-Url, X-Forwarded-Prefix, the setting."""
    if "HTTP_X_OUTSIDE_URL" not in environ and "HTTP_X_FORWARDED_PREFIX" in environ:
        return _checked_prefix(str(environ["HTTP_X_FORWARDED_PREFIX"]))
    found = _URL.fullmatch(outside_url(environ, configured))
    return found[2] or "" if found else ""


def root_url(environ: Mapping[str, object], configured: str) -> str:
    """Return the absolute URL of the daemon's root without a trailing slash, as this client calls it."""
    url = outside_url(environ, configured)
    if url and "HTTP_X_FORWARDED_PREFIX" not in environ:
        return url
    scheme = "https" if environ.get("wsgi.url_scheme") == "https" else "http"
    return f"{scheme}://{environ.get('HTTP_HOST', 'localhost')}{link_prefix(environ, configured)}"


def _checked_prefix(path: str | None) -> str:
    """Return the path without its trailing slash when it is a plain one, else ""."""
    path = (path or "").rstrip("/")
    return path if len(path) <= _LONGEST and _PREFIX.fullmatch(path) else ""
