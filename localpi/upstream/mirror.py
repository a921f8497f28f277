"""Whom to speak to, and through what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Mirror:
    """One upstream: `index` is ours ("root/pypi"), `url` its simple root, ending in "/", without userinfo."""

    index: str
    url: str
    external_urls: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How to reach the outside: `proxy` and `ca_bundle` are settings, `environ` is read for `*_PROXY` and CA paths."""

    proxy: str | None = None
    ca_bundle: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    no_proxy: str = ""
    """The setting: what to reach straight, as NO_PROXY has it; "" leaves it to the variable."""

    @property
    def ca_path(self) -> str | None:
        """The file or folder of CAs to trust instead of the system's."""
        found = self.ca_bundle or self.environ.get("REQUESTS_CA_BUNDLE") or self.environ.get("CURL_CA_BUNDLE")
        return found or None


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port (RFC 6454)."""

    scheme: str
    host: str
    port: int

    def upgrades(self, other: Origin) -> bool:
        """Whether this is `other` with TLS added."""
        return self.scheme == "https" and other.scheme == "http" and self.host == other.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def origin_of(url: str | SplitResult) -> Origin:
    """The origin of an http or https URL; ValueError for anything else."""
    parts = urlsplit(url) if isinstance(url, str) else url
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("not an http or https URL")
    return Origin(parts.scheme, parts.hostname.rstrip("."), parts.port or _PORTS[parts.scheme])


def without_userinfo(url: str) -> str:
    """The URL without user, password and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
