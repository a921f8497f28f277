"""A mirror with what the other rooms call it by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from localpi.upstream import Mirror

if TYPE_CHECKING:
    from localpi.index.config import MirrorConfig

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class MirrorIndex:
    """A mirror index.

    `name`: "user/index". `source`: the normalised upstream URL, under which pages and files are stored, so that two
    mirrors of one upstream share them and a changed `mirror_url` shows none of the old ones. `upstream`: whom to ask.
    """

    name: str
    config: MirrorConfig
    source: str
    upstream: Mirror


def mirror_index(name: str, config: MirrorConfig) -> MirrorIndex:
    """Make one from an index's settings."""
    return MirrorIndex(name, config, _normalised(config.simple_url), Mirror(index=name, url=config.simple_url))


def _normalised(url: str) -> str:
    """Lower-case scheme and host, no default port (RFC 3986, 6.2)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return urlunsplit((parts.scheme.lower(), host + port, parts.path, parts.query, ""))
