"""All facts for `doctor`, with whatever is broken: settings, database, daemon, tools' files."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from localpi.errors import SettingError
from localpi.settings.load import Settings, load_settings
from localpi.setup.doctor_daemon import gather_daemon
from localpi.setup.doctor_facts import BaseFacts, Facts, SettingsFacts
from localpi.setup.doctor_machine import bridges, clock, disks, loose_paths, port_taken, program_of, sqlite_version
from localpi.setup.doctor_reach import touch_all, way_to
from localpi.setup.doctor_tools import gather_tools
from localpi.setup.service import report_service
from localpi.wiring.wish import without_userinfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.settings.paths import Paths
    from localpi.setup.doctor_daemon import Told


def gather_facts(
    paths: Paths, environ: Mapping[str, str], platform: str, say: Callable[[str], None] = lambda _: None
) -> Facts:
    """Look at everything, within about half a minute at worst; `say` is told what is looked at. Never raises."""
    settings, told_settings = _settings(paths, environ)
    say("the daemon")
    told = gather_daemon(paths, settings)
    daemon = told.facts
    say("the bases")
    bases = _bases(told, settings, environ)
    say("the machine")
    service = report_service(paths, environ)
    port = port_taken(settings.host, settings.port) if daemon.state == "absent" and settings.port else None
    if port is not None and port.owner.startswith("systemd ") and service.installed:
        port, daemon = None, replace(daemon, waiting=True)
    tools, shadows, strays = gather_tools(paths, daemon.url, told.indexes, environ, platform)
    facts = Facts(
        settings=told_settings,
        daemon=daemon,
        service=service,
        port=port,
        paths=loose_paths(paths),
        disks=disks(paths),
        sqlite=sqlite_version(program_of(daemon.pid)),
        clock=clock(paths),
        bases=bases,
        default_index=settings.default_index,
        tools=tools,
        shadows=shadows,
        strays=strays,
        bridges=bridges(),
    )
    say("")
    return facts


def _settings(paths: Paths, environ: Mapping[str, str]) -> tuple[Settings, SettingsFacts]:
    """Return the settings, or what is left of them when they are refused: the variables alone, the defaults."""
    file = paths.config_file
    try:
        settings, error, hint = load_settings(paths, environ), "", ""
    except SettingError as refused:
        error, hint = refused.message, refused.hint
        elsewhere = replace(paths, config=paths.config / "none")
        settings = load_settings(elsewhere, {})
        with contextlib.suppress(SettingError):
            settings = load_settings(elsewhere, environ)
    told = SettingsFacts(
        str(file), error, hint, settings.host, settings.port, settings.listen, settings.cache_keep_free
    )
    return settings, told


def _bases(told: Told, settings: Settings, environ: Mapping[str, str]) -> tuple[BaseFacts, ...]:
    """Return the mirrors; those that may be contacted are touched, all at once."""
    urls = [str((told.indexes or {}).get(base.index, {}).get("mirror_url", "")) for base in told.bases]
    ways = [
        way_to(url, settings, environ) if base.state != "off" else None
        for base, url in zip(told.bases, urls, strict=True)
    ]
    found = []
    for base, url, touched in zip(told.bases, urls, touch_all(ways), strict=True):
        shown = without_userinfo(url)
        if touched is None:
            found.append(BaseFacts(base, shown))
        else:
            found.append(BaseFacts(base, shown, touched.reached, touched.latency_ms, touched.said))
    return tuple(found)
