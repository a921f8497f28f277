"""The status of everything, gathered for one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localpi.errors import DaemonNotRunning
from localpi.remote.daemon import Daemon, RemoteError
from localpi.reports import CacheUse, Status, bases_from_json
from localpi.settings.paths import Paths
from localpi.settings.running import local_url
from localpi.setup.service import find_service
from localpi.wiring.found import is_ours, pip_index
from localpi.wiring.places import TOOLS
from localpi.wiring.records import Records
from localpi.wiring.survey import survey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.settings.load import Settings


def gather_status(paths: Paths, settings: Settings, environ: Mapping[str, str], platform: str) -> Status:
    """Return how things are, with a running daemon or without; never raises for one that does not answer."""
    url = local_url(settings.host, settings.port)
    daemon: Daemon | None = None
    health: dict[str, Any] = {}
    told: dict[str, Any] = {}
    try:
        daemon = Daemon.find(paths)
        health = daemon.health()
        told = daemon.status()
    except DaemonNotRunning:
        daemon = daemon if health else None
    except RemoteError:
        pass
    if daemon is not None:
        url = daemon.url
    cache = told.get("cache", {})
    service = find_service(paths, environ)
    return Status(
        running=daemon is not None,
        pid=daemon.running.pid if daemon and daemon.running else None,
        url=url,
        index_url=index_url(url, settings.default_index),
        service=service.state.name if service else None,
        wired=wired_tools(url, environ, platform),
        bases=bases_from_json(health.get("bases")),
        cache=CacheUse(cache.get("bytes", 0), cache.get("files", 0), settings.cache_max_size or None),
        version=str(health.get("version", "")),
        uptime_s=int(health["uptime_s"]) if "uptime_s" in health else None,
        notes=tuple(str(note) for note in told.get("notes", ())),
    )


def index_url(url: str, index: str) -> str:
    """Return what goes into pip's `index-url` (PEP 503: with a slash at the end)."""
    return f"{url}/{index}/+simple/"


def wired_tools(url: str, environ: Mapping[str, str], platform: str) -> tuple[str, ...]:
    """Return the tools whose own configuration names the daemon at `url`; pip's by whatever way it reads that."""
    found = pip_index(environ, platform)
    rows = survey(Records(Paths.from_environ(environ)), environ, platform)
    ours = {row.tool for row in rows if row.url and is_ours(row.url, url)}
    if found is not None:
        ours.discard("pip")  # a variable or another file may say otherwise than the one that was wired
        if is_ours(found.url, url):
            ours.add("pip")
    return tuple(tool for tool in TOOLS if tool in ours)
