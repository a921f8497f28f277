"""How far the bases are: one connection to each, or to its proxy, all at once, none longer than the deadline."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.wiring.shadows import is_excepted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localpi.settings.load import Settings

WITHIN_S = 3.0
MOST = 32
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Touched:
    """What came of one connection."""

    reached: str
    """`host:port`, or `proxy host:port`."""
    latency_ms: int | None = None
    said: str = ""
    """Why there was none."""


def way_to(url: str, settings: Settings, environ: Mapping[str, str]) -> tuple[str, int, bool] | None:
    """Return host and port to connect to, and whether that is a proxy; None for what is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    host = parts.hostname or ""
    if not host or not port:
        return None
    named = settings.upstream_proxy
    exceptions: Sequence[str] = settings.upstream_no_proxy
    if not named:
        names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
        named = next((environ[name] for name in names if environ.get(name)), "")
    exceptions = exceptions or (environ.get("no_proxy") or environ.get("NO_PROXY") or "").replace(" ", "").split(",")
    if not named or is_excepted(host, exceptions):
        return host, port, False
    try:
        proxy = urlsplit(named if "//" in named else f"http://{named}")
        return proxy.hostname or "", proxy.port or PORTS.get(proxy.scheme, 80), True
    except ValueError:
        return None


def touch_all(ways: Sequence[tuple[str, int, bool] | None], within_s: float = WITHIN_S) -> tuple[Touched | None, ...]:
    """Connect to each and hang up; None for no way. Returns after `within_s`: a lookup cannot be cut short."""
    found: list[Touched | None] = [
        way and Touched(_shown(way), None, f"no answer within {within_s:g} s") for way in ways[:MOST]
    ]
    distinct = {way: None for way in ways[:MOST] if way is not None}
    results: dict[tuple[str, int, bool], Touched] = {}

    def work(way: tuple[str, int, bool]) -> None:
        results[way] = _touch(way, within_s)

    threads = [threading.Thread(target=work, args=(way,), name="touch", daemon=True) for way in distinct]
    for thread in threads:
        thread.start()
    until = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    done = dict(results)
    found = [done.get(way, before) if way is not None else None for way, before in zip(ways, found, strict=False)]
    return (*found, *(None for _ in ways[MOST:]))


def _touch(way: tuple[str, int, bool], within_s: float) -> Touched:
    host, port, _ = way
    began = time.monotonic()
    try:
        socket.create_connection((host, port), timeout=within_s).close()
    except TimeoutError:
        return Touched(_shown(way), None, f"no answer within {within_s:g} s")
    except (OSError, UnicodeError, OverflowError) as error:
        number = getattr(error, "errno", None)
        lookup = isinstance(error, socket.gaierror)
        said = "its name is not known here" if lookup else os.strerror(number).lower() if number else str(error)
        return Touched(_shown(way), None, said)
    return Touched(_shown(way), max(1, round((time.monotonic() - began) * 1000)))


def _shown(way: tuple[str, int, bool]) -> str:
    host, port, proxied = way
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"the proxy {place}" if proxied else place
