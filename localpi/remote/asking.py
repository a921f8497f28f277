"""Asking the daemon for the owner's desk: found anew at each call, so that a restarted one is found too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from localpi.remote.daemon import Daemon, RemoteError
from localpi.remote.told import Unsupported

if TYPE_CHECKING:
    from localpi.settings.paths import Paths


class Asking:
    """The daemon of some folders."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    @property
    def daemon(self) -> Daemon:
        """The daemon that runs now; raises DaemonNotRunning."""
        return Daemon.find(self._paths)

    def configs(self) -> dict[str, dict[str, Any]]:
        """Return `user/index` -> devpi's indexconfig, by name; raises DaemonNotRunning, RemoteError."""
        return {
            f"{user}/{name}": config
            for user, row in sorted(self.daemon.front().items())
            if isinstance(row, dict)
            for name, config in sorted((row.get("indexes") or {}).items())
            if isinstance(config, dict)
        }

    def change(self, name: str, settings: dict[str, Any]) -> None:
        """Change settings of an index: texts as typed, None drops a key; raises as above."""
        self.daemon.api("PATCH", f"/{quote(name)}", settings)

    def admin(self, what: str, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call `/+admin{path}`; raises Unsupported with `what` where this daemon has no such URL."""
        try:
            return self.daemon.admin(method, path, body)
        except RemoteError as error:
            if error.status in {404, 405, 501} and error.code in {"", f"http-{error.status}", "not-found"}:
                raise Unsupported(what) from None
            raise


def text(row: object, key: str) -> str:
    """Return a text of a JSON object, "" where there is none."""
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""


def number(row: object, key: str) -> int | None:
    """Return a whole number of a JSON object, None where there is none."""
    value = row.get(key) if isinstance(row, dict) else None
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def rows(found: object, key: str) -> list[dict[str, Any]]:
    """Return the objects of a list in a JSON object."""
    value = found.get(key) if isinstance(found, dict) else None
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def as_typed(value: object) -> str:
    """Return a setting's value as it can be typed: lists with commas, true and false."""
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
