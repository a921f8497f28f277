"""Moving what a devpi has into a running daemon, part by part; what is there already is passed over."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from localpi.errors import LocalpiError
from localpi.remote.daemon import RemoteError
from localpi.remote.upload import prepare_upload

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from localpi.remote.daemon import Daemon
    from localpi.remote.devpi import Item, Source


@dataclass(slots=True)
class Moved:
    """What became of an import: counts, and sentences about what a person has to know."""

    users: int = 0
    indexes: int = 0
    files: int = 0
    bytes: int = 0
    kept: int = 0
    """Files that were here already."""
    not_taken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Mover:
    """One import. `tell(done, item)` is called for each file before it is sent."""

    def __init__(self, source: Source, daemon: Daemon, tell: Callable[[int, Item], None]) -> None:
        self._source, self._daemon, self._tell = source, daemon, tell
        self.moved = Moved()
        self._merging: set[str] = set()
        """The indexes that answer as devpi's do: those made now, and those that earlier imports made."""

    def move(self) -> Moved:
        """Move users, then indexes, then what stages hold; goes on where one thing cannot be taken.

        Raises `DaemonNotRunning`, and `LocalpiError` when the source cannot be read at all.
        """
        for name, facts in self._source.users().items():
            self._move_user(name, facts)
        self._move_indexes()
        for index, config in self._source.indexes().items():
            if config.get("type", "stage") == "mirror":
                continue
            self._move_items(index)
        self.moved.not_taken += self._source.lost
        self.moved.notes += first_differs(self._source.indexes(), self._source.mirrored(), self._merging)
        return self.moved

    def _move_user(self, name: str, facts: Mapping[str, Any]) -> None:
        outcome = self._try(f"user {name}", "PUT", f"/import/users/{quote(name)}", dict(facts))
        self.moved.users += outcome in ("made", "password")
        if outcome == "blank":
            self.moved.notes.append("root's empty password was not taken over; set one: localpi user passwd root")
        elif outcome == "made" and not facts.get("pwhash"):
            self.moved.notes.append(f"{name} cannot log in until a password is set: localpi user passwd {name}")

    def _move_indexes(self) -> None:
        """Make the indexes in an order in which each one's bases are there; a base in a circle is left out."""
        configs = {name: dict(config) for name, config in self._source.indexes().items()}
        done: set[str] = set()
        for name in in_order(configs):
            config = configs[name]
            known = [base for base in config.get("bases") or () if base in done]
            for base in set(config.get("bases") or ()).difference(known):
                why = "would make a circle" if base in configs else "does not exist"
                self.moved.not_taken.append(f"index {name}: its base {base} {why}")
            done.add(name)
            if config.get("type", "stage") == "stage":
                config["bases"] = known
                config["resolution"] = "merge"
                config.setdefault("mirror_whitelist_inheritance", "union")  # what devpi takes where it is not set
            self._make_index(name, config)

    def _make_index(self, name: str, config: dict[str, Any]) -> None:
        path = "/" + quote(name)
        for _ in range(20):  # each time without one more key
            refusal = self._refusal(path, config)
            if refusal is None:
                self.moved.indexes += 1
                if config.get("resolution") == "merge":
                    self._merging.add(name)
                return
            if refusal.status == 409:
                self._compare(name, config)
                return
            key = _refused_key(refusal.message, config)
            if key is None:
                self.moved.not_taken.append(f"index {name}: {refusal.message}")
                return
            self.moved.not_taken.append(f"index {name}: setting {key} is not known here")
            config.pop(key)

    def _refusal(self, path: str, config: Mapping[str, Any]) -> RemoteError | None:
        try:
            self._daemon.api("PUT", path, config)
        except RemoteError as error:
            return error
        return None

    def _compare(self, name: str, config: Mapping[str, Any]) -> None:
        here = self._daemon.api("GET", "/" + quote(name), no_projects="")
        if here.get("resolution") == "merge":
            self._merging.add(name)
        differ = sorted(key for key, value in config.items() if here.get(key, value) != value and key != "projects")
        if differ:
            self.moved.notes.append(f"index {name} was here already and keeps its own {', '.join(differ)}")

    def _move_items(self, index: str) -> None:
        try:
            present = self._daemon.admin("GET", f"/import/present/{quote(index)}")["files"]
        except RemoteError as error:
            self.moved.not_taken.append(f"what {index} holds: {error.message}")
            return
        for item in self._source.items(index):
            if not item.rel:
                body = {"index": index, "name": item.name, "version": item.version, "metadata": dict(item.metadata)}
                self._try(f"{index}: {item.name} {item.version}", "POST", "/import/releases", body)
            elif item.filename in present and present[item.filename] == item.sha256:
                self.moved.kept += 1
            else:
                self._tell(self.moved.files, item)
                self._send(item)

    def _send(self, item: Item) -> None:
        if item.fetch is None:
            return
        fields = {
            ":action": "import",
            "index": item.index,
            "name": item.name,
            "version": item.version,
            "rel": item.rel,
            "sha256": item.sha256,
            "md5": item.md5,
            "of": item.of,
            "metadata": json.dumps(dict(item.metadata)),
            "log": json.dumps([dict(entry) for entry in item.log]),
        }
        fields |= {} if item.yanked is None else {"yanked": item.yanked}
        try:
            with item.fetch() as path:
                form = prepare_upload(path, fields)
                size = path.stat().st_size
                outcome = self._daemon.send("/+admin/import/files", form.pieces, form.headers).json()["outcome"]
        except (LocalpiError, OSError) as error:
            if isinstance(error, LocalpiError) and error.code == "daemon-not-running":
                raise
            said = error.message if isinstance(error, LocalpiError) else error.strerror or str(error)
            self.moved.not_taken.append(f"{item.index}: {item.filename}: {said}")
            return
        if outcome == "made":
            self.moved.files += 1
            self.moved.bytes += size
        else:
            self.moved.kept += 1

    def _try(self, what: str, method: str, path: str, body: dict[str, Any]) -> str:
        try:
            return str(self._daemon.admin(method, path, body)["outcome"])
        except RemoteError as error:
            self.moved.not_taken.append(f"{what}: {error.message}")
            return ""


def in_order(configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names so that bases come before what inherits from them, as far as that is possible."""
    order: dict[str, None] = {}
    waiting: set[str] = set()

    def visit(name: str) -> None:
        if name in order or name in waiting or name not in configs:
            return
        waiting.add(name)
        for base in configs[name].get("bases") or ():
            visit(str(base))
        order[name] = None

    for name in configs:
        visit(name)
    return list(order)


def first_differs(
    configs: Mapping[str, Mapping[str, Any]], mirrored: Mapping[str, tuple[str, ...]], merging: Container[str]
) -> list[str]:
    """Say for which of the `merging` indexes `resolution=first` would answer otherwise: those with several mirrors.

    `mirrored`: the projects that are known of each mirror; the names that two of them have are named.
    """
    notes = []
    for name, config in configs.items():
        if name not in merging or config.get("type", "stage") != "stage":
            continue
        mirrors = [base for base in _behind(name, configs) if configs[base].get("type") == "mirror"]
        if len(mirrors) < 2:
            continue
        seen: dict[str, int] = {}
        for mirror in mirrors:
            for project in mirrored.get(mirror, ()):
                seen[project] = seen.get(project, 0) + 1
        both = sorted(project for project, count in seen.items() if count > 1)
        which = ", ".join(both[:20]) + (" and more" if len(both) > 20 else "") or "names that several of them have"
        several = ", ".join(mirrors)
        notes.append(f"{name} keeps resolution=merge: with first, {which} would come from the first of {several} alone")
    return notes


def _behind(name: str, configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found, waiting = {name: None}, [name]
    while waiting:
        for base in configs[waiting.pop(0)].get("bases") or ():
            if base in configs and base not in found:
                found[base] = None
                waiting.append(base)
    return list(found)


def _refused_key(message: str, config: Mapping[str, Any]) -> str | None:
    """Find the setting that a refusal is about and without which the index can still be made."""
    key = message.partition("unexpected keyword arguments: ")[2].partition("=")[0]
    return key if key in config else None
