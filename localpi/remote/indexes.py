"""Indexes and mirrors, for the owner's desk."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from localpi.errors import LocalpiError
from localpi.remote.asking import Asking, as_typed, number, rows, text
from localpi.remote.told import Base, CheckedBase, Collision, IndexRow, NewBase
from localpi.reports import BaseHealth, bases_from_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.settings.paths import Paths


CHECK_S = 90.0
PROBE_S, LOOK_S = 2.0, 0.1
_INDEX = re.compile(r"[a-zA-Z0-9_.-]+/[a-zA-Z0-9_.-]*[a-zA-Z0-9_-]")


class RemoteIndexes:
    """Users and indexes."""

    def __init__(self, paths: Paths) -> None:
        self._ask = Asking(paths)

    def index_rows(self) -> tuple[IndexRow, ...]:
        """Return every index by name; raises DaemonNotRunning, RemoteError, as all here."""
        return tuple(
            IndexRow(
                name,
                str(config.get("type", "")),
                tuple((key, as_typed(value)) for key, value in config.items() if key not in {"type", "projects"}),
            )
            for name, config in self._ask.configs().items()
        )

    def create_index(self, name: str, settings: dict[str, str]) -> None:
        """Make an index."""
        self._ask.daemon.api("PUT", f"/{quote(name)}", settings)

    def change_index(self, name: str, settings: dict[str, str]) -> None:
        """Change settings; "" unsets one, or makes a list empty."""
        lists = {"bases", "acl_upload", "acl_toxresult_upload", "mirror_whitelist", "claims"}
        empty: dict[str, Any] = {key: [] if key in lists else None for key, value in settings.items() if not value}
        self._ask.change(name, settings | empty)

    def delete_index(self, name: str) -> None:
        """Delete an index with its files."""
        self._ask.daemon.api("DELETE", f"/{quote(name)}", force="")


class RemoteBases:
    """Mirrors."""

    def __init__(self, paths: Paths) -> None:
        self._ask = Asking(paths)

    def base_rows(self) -> tuple[Base, ...]:
        """Return every mirror by name."""
        configs = self._ask.configs()
        told = self._ask.daemon.status()
        return tuple(
            Base(
                health,
                as_typed(configs.get(health.index, {}).get("mirror_url", "")),
                number(told.get("latency_ms"), health.index),
                tuple(configs.get(health.index, {}).get("claims") or ()),
                tuple(name for name, config in configs.items() if health.index in (config.get("bases") or ())),
            )
            for health in bases_from_json(told.get("bases"))
        )

    def check_base(self, url: str, user: str, password: str) -> CheckedBase:
        """Have the daemon look at an upstream."""
        found = self.check(url, user, password)
        return CheckedBase(
            text(found, "url") or url,
            good=bool(found.get("good")),
            reason=text(found, "reason"),
            facts=tuple(str(fact) for fact in found.get("facts") or ()),
            claims=tuple(str(claim) for claim in found.get("claims") or ()),
            needs_credentials=bool(found.get("needs_credentials")),
            reachable=bool(found.get("reachable", True)),
        )

    def check(self, url: str, user: str, password: str, *, names: Sequence[str] = ()) -> dict[str, Any]:
        """Have the daemon look at an upstream that should have `names`; return all that it tells, waits for that."""
        what = "trying a URL before it is added"
        body = {"url": url, "user": user or None, "password": password or None, "names": list(names)}
        key = text(self._ask.admin(what, "POST", "/bases/check", body), "check")
        return self._ask.daemon.admin("GET", f"/bases/check/{quote(key)}", timeout_s=CHECK_S)

    def add_base(self, wanted: NewBase, user: str, password: str) -> None:
        """Make a mirror and put it in front of the bases; leaves no mirror behind that is no base."""
        config: dict[str, Any] = {"type": "mirror", "mirror_url": _with_userinfo(wanted.url, user, password)}
        if wanted.claims:
            config["claims"] = list(wanted.claims)
        self._ask.daemon.api("PUT", f"/{quote(wanted.name)}", config)
        if not wanted.index:
            return
        try:
            bases = self._ask.configs().get(wanted.index, {}).get("bases") or []
            order = [*bases, wanted.name] if wanted.append else [wanted.name, *bases]
            self._ask.change(wanted.index, {"bases": order})
        except LocalpiError:
            self._ask.daemon.api("DELETE", f"/{quote(wanted.name)}", force="")
            raise

    def remove_base(self, name: str) -> None:
        """Take it out of all bases, then delete it."""
        for other, config in self._ask.configs().items():
            bases = config.get("bases") or []
            if name in bases:
                self._ask.change(other, {"bases": [base for base in bases if base != name]})
        self._ask.daemon.api("DELETE", f"/{quote(name)}", force="")

    def test_base(self, name: str) -> BaseHealth:
        """Have it probed now; returns how it is then, or how it was when nothing is different after two seconds."""
        before = self._health(name)
        self._ask.admin("a probe by hand", "POST", "/probe", {"index": name})
        until = time.monotonic() + PROBE_S
        while (now := self._health(name)) == before and time.monotonic() < until:
            time.sleep(LOOK_S)
        return now

    def _health(self, name: str) -> BaseHealth:
        found = (health for health in bases_from_json(self._ask.daemon.health().get("bases")) if health.index == name)
        return next(found, BaseHealth(name, "off", "there is no such mirror any more"))

    def set_offline(self, name: str, mode: str) -> None:
        """Set on, off or auto."""
        self._ask.admin("an offline mode by hand", "POST", "/offline", {"index": name, "mode": mode})

    def set_credentials(self, name: str, user: str, password: str) -> None:
        """Hand user and password to the daemon, which keeps them in the keyring or a 0600 file."""
        url = as_typed(self._ask.configs().get(name, {}).get("mirror_url", ""))
        self._ask.change(name, {"mirror_url": _with_userinfo(url, user, password)})

    def collisions(self) -> tuple[Collision, ...]:
        """Return the names that several mirrors have."""
        found = self._ask.admin("a list of collisions", "GET", "/events?limit=1000")
        events = [row for row in rows(found, "events") if text(row, "kind") == "collision"]
        return tuple(
            Collision(project, tuple(dict.fromkeys(_INDEX.findall(f"{text(row, 'index')} {text(row, 'text')}"))))
            for project, row in {text(row, "project"): row for row in reversed(events)}.items()
        )


def _with_userinfo(url: str, user: str, password: str) -> str:
    if not user:
        return url
    parts = urlsplit(url)
    place = f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit((parts.scheme, place, parts.path, "", ""))
