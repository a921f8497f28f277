"""What the web room needs to know of the settings: a plain value, made by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

OPEN_READING = "localpi.open_reading"
"""The environ key that says whether reading needs no credential where this request came in."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the daemon listens, how it is called, and what it lets in."""

    version: str
    host: str
    port: int
    default_index: str = "root/local"
    listen_hosts: tuple[str, ...] = ()
    """Further addresses or names that it listens on (sockets handed over by systemd or launchd)."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that a Host header may carry besides the loopback ones."""
    outside_url: str = ""
    """The URL under which a reverse proxy shows this daemon; "" when there is none."""
    max_upload: int = 1 << 30
    """Bytes that one request body may have."""
    login_ttl_s: int = 36_000
    """Seconds that a login token lives, as it is told to clients."""
    reading_open: bool = True
    """Whether reading needs no credential where the server does not say it of a request (`OPEN_READING`)."""
    max_hot: int = 64 << 20
    """Bytes of ready answers that are kept in memory."""
