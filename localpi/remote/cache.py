"""The offline cache, the events and the reasons, for the owner's desk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from localpi.errors import LocalpiError
from localpi.remote.asking import Asking, number, rows, text
from localpi.remote.told import CachedProject, Event, Saved, Unsupported, Why
from localpi.reports import CacheUse
from localpi.settings.file import set_in_file
from localpi.settings.schema import find_setting

if TYPE_CHECKING:
    from localpi.remote.told import Meter
    from localpi.settings.paths import Paths


LOOK_S = 0.2
"""Between two looks at a verification."""


AWAY = ("down", "captive", "auth")


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
        try:
            gain = self._ask.admin("what the cache was good for", "GET", "/cache").get("gain")
        except Unsupported:
            return Saved()
        return Saved(
            number(gain, "hits") or 0, number(gain, "misses") or 0, number(gain, "bytes_saved") or 0,
            number(gain, "seconds_saved") or 0,
        )  # fmt: skip

    def cached_projects(self) -> tuple[CachedProject, ...]:
        """Return what it holds, by project."""
        found = self._ask.admin("a list of what is cached", "GET", "/cache?by=project")
        return tuple(
            CachedProject(
                text(row, "name"), number(row, "files") or 0, number(row, "bytes") or 0,
                ", ".join(str(index) for index in row.get("indexes") or ()), text(row, "last_used"),
                pinned=bool(row.get("pinned")),
            )
            for row in rows(found, "rows")
        )  # fmt: skip

    def pin(self, project: str, *, pinned: bool) -> None:
        """Keep what is cached of a project whatever the budget, or let go of it."""
        self._ask.admin("pinning", "POST", f"/cache/{'pin' if pinned else 'unpin'}", {"names": [project]})

    def evict(self, project: str) -> int:
        """Take its files out; returns the bytes that came free. Pinned ones stay."""
        return number(self._ask.admin("evicting", "POST", "/cache/evict", {"names": [project]}), "bytes") or 0

    def verify(self, meter: Meter) -> tuple[str, ...]:
        """Have every file hashed again and wait for that; returns what is wrong."""
        found = self._ask.admin("verifying", "POST", "/cache/verify", {})
        while found.get("running") is True:
            meter.done, meter.total = number(found, "read") or 0, number(found, "files") or 0
            time.sleep(LOOK_S)
            found = self._ask.daemon.admin("GET", "/cache/verify")
        meter.done, meter.total = number(found, "read") or 0, number(found, "files") or 0
        lost = set(found.get("lost") or ())
        damaged = [str(name) for name in found.get("damaged") or ()]
        return tuple(f"{name}: {'lost' if name in lost else 'damaged, fetched again'}" for name in damaged)

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
        return tuple(Event(text(row, "at"), _tone(row), text(row, "text")) for row in rows(found, "events")[:50])

    def why(self, index: str, project: str) -> Why:
        """Return why a name is answered as it is."""
        found = self._ask.daemon.ask(f"/+why/{quote(index)}/{quote(project)}")
        lines = [line for number, row in enumerate(rows(found, "bases"), 1) for line in _why_lines(number, row)]
        notes = found.get("notes")
        lines += [f"note: {note}" for note in notes] if isinstance(notes, list) else []
        reason = text(found, "reason")
        answer = text(found, "answer") or "unknown"
        return Why(text(found, "project") or project, answer + (f": {reason}" if reason else ""), tuple(lines))


def _tone(row: dict[str, object]) -> str:
    """Return `good` for what is back, `bad` for what is away, was refused or changed, else `plain`."""
    if text(row, "kind") == "state":
        said = text(row, "text")
        return "good" if " is back" in said else "bad" if any(f" is {word}" in said for word in AWAY) else "plain"
    return "bad" if text(row, "kind") in {"refused", "changed", "gone"} else "plain"


def _why_lines(number: int, row: dict[str, object]) -> list[str]:
    """Return what a base said: the rule, the answer and its time, versions, what is hidden and by which rule."""
    state = text(row, "state")
    lines = [f"{number}. {text(row, 'index')}{f' ({state})' if state not in {'', 'ok'} else ''}: {text(row, 'rule')}"]
    if text(row, "said"):
        lines.append(f"   {text(row, 'said')}" + (f", as of {text(row, 'at')}" if text(row, "at") else ""))
    versions, hidden = row.get("versions"), row.get("hidden")
    if isinstance(versions, list) and versions:
        more = f" and {len(versions) - 8} older" if len(versions) > 8 else ""
        lines.append(f"   versions: {', '.join(str(version) for version in versions[-8:])}{more}")
    if isinstance(hidden, dict):
        lines += [f"   {count} hidden: {rule}" for rule, count in hidden.items()]
    return lines
