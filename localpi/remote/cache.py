"""The offline cache, the events and the reasons, for the owner's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from localpi.errors import LocalpiError
from localpi.remote.asking import Asking, number, rows, text
from localpi.remote.told import CachedProject, Event, Saved, Why
from localpi.reports import CacheUse
from localpi.settings.file import set_in_file
from localpi.settings.schema import find_setting

if TYPE_CHECKING:
    from localpi.remote.told import Meter
    from localpi.settings.paths import Paths


class RemoteCache:
    """What installs without a network."""

    def __init__(self, paths: Paths, budget: int) -> None:
        """`budget` is the setting `cache.max_size`, 0 for none."""
        self._ask, self._paths, self._budget = Asking(paths), paths, budget

    def cache_use(self) -> CacheUse:
        """Return what it takes; raises DaemonNotRunning, RemoteError, as all here."""
        told = self._ask.daemon.status().get("cache")
        budget = number(told, "budget") or self._budget
        return CacheUse(number(told, "bytes") or 0, number(told, "files") or 0, budget or None)

    def saved(self) -> Saved:
        """Return what it was good for; nothing where the daemon does not count that."""
        told = self._ask.daemon.status().get("saved")
        return Saved(
            number(told, "hits") or 0, number(told, "misses") or 0, number(told, "bytes") or 0,
            number(told, "seconds") or 0,
        )  # fmt: skip

    def cached_projects(self) -> tuple[CachedProject, ...]:
        """Return what it holds, by project and index."""
        found = self._ask.admin("a list of what is cached", "GET", "/cache?by=project")
        return tuple(
            CachedProject(
                text(row, "project"), number(row, "files") or 0, number(row, "bytes") or 0, text(row, "index"),
                text(row, "last_used"), bool(row.get("pinned")),
            )
            for row in rows(found, "rows")
        )  # fmt: skip

    def pin(self, project: str, *, pinned: bool) -> None:
        """Keep a project whatever the budget, or let go of it."""
        self._ask.admin("pinning", "POST", f"/cache/{'pin' if pinned else 'unpin'}", {"project": project})

    def evict(self, project: str) -> int:
        """Take its files out; returns the bytes that came free."""
        return number(self._ask.admin("evicting", "POST", "/cache/evict", {"project": project}), "bytes") or 0

    def verify(self, meter: Meter) -> tuple[str, ...]:
        """Hash every file again; returns what is wrong."""
        meter.total = number(self._ask.daemon.status().get("cache"), "files") or 0
        found = self._ask.daemon.admin("GET", "/check?deep")
        meter.done = meter.total
        return tuple(f"{text(row, 'kind')} {text(row, 'what')}".strip() for row in rows(found, "problems"))

    def set_budget(self, size: str) -> str:
        """Write the setting; raises SettingError, OSError."""
        parsed = set_in_file(self._paths.config_file, "cache.max_size", size)
        shown = find_setting("cache.max_size").kind.show(parsed)
        return f"cache.max_size = {shown}; it counts from the daemon's next start (S, then s)"


class RemoteReasons:
    """Events and reasons."""

    def __init__(self, paths: Paths) -> None:
        self._ask = Asking(paths)

    def events(self) -> tuple[Event, ...]:
        """Return the last events, newest first; nothing where the daemon keeps none."""
        try:
            found = self._ask.admin("events", "GET", "/events")
        except LocalpiError:
            return ()
        return tuple(
            Event(text(row, "at"), text(row, "kind"), text(row, "text") or text(row, "detail"))
            for row in rows(found, "events")[:50]
        )

    def why(self, index: str, project: str) -> Why:
        """Return why a name is answered as it is."""
        answer = self._ask.daemon.request("GET", f"/+why/{quote(index)}/{quote(project)}")
        found = answer.json() if answer.status == 200 else self._ask.admin("explaining an answer", "GET", "/why")
        lines = tuple(_line(row) for row in rows(found, "bases"))
        return Why(text(found, "project") or project, text(found, "answer") or "unknown", lines)


def _line(row: dict[str, object]) -> str:
    asked = "asked" if row.get("asked") else "not asked"
    said = "; ".join(part for part in (text(row, "state"), text(row, "said"), text(row, "rule")) if part)
    return f"{text(row, 'index'):<18} {asked}" + (f": {said}" if said else "")
