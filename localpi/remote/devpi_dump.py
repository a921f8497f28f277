"""A folder that devpi-export wrote (dump versions 1 and 2). Nothing outside of it is read."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from localpi.errors import BadRequest
from localpi.remote.devpi import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

INDEX = "dataindex.json"
LARGEST = 2_000_000_000
SERVER_SIGNS = (".serverversion", ".nodeinfo", ".sqlite")
"""What lies in the folder of a devpi-server."""


class Dump:
    """A dump, its index read whole."""

    def __init__(self, folder: Path) -> None:
        """Read `dataindex.json`. Raises `BadRequest` when the folder is no dump, with what to do in its hint."""
        self.name, self.lost = str(folder), list[str]()
        self._folder = folder.resolve()
        if any((folder / sign).exists() for sign in SERVER_SIGNS) and not (folder / INDEX).exists():
            error = BadRequest(f"{folder} is the folder of a devpi-server, which only that can read")
            error.hint = f"devpi-export --serverdir {folder} DUMP, then localpi import DUMP"
            raise error
        try:
            if (folder / INDEX).stat().st_size > LARGEST:
                raise BadRequest(f"{folder / INDEX} has more than {LARGEST:,} bytes")
            data = json.loads((folder / INDEX).read_text("utf-8"))
        except (OSError, ValueError) as error:
            missing = BadRequest(f"{folder} is no dump of devpi-export: {INDEX} cannot be read")
            missing.hint = "devpi-export DUMP on the machine of the devpi-server, then localpi import DUMP"
            raise missing from error
        if not isinstance(data, dict) or str(data.get("dumpversion")) not in ("1", "2"):
            raise BadRequest(f"{folder / INDEX} is no dump of version 1 or 2")
        self._users: dict[str, dict[str, Any]] = _object(data.get("users"))
        self._indexes: dict[str, dict[str, Any]] = _object(data.get("indexes"))

    def users(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the users with their hashes."""
        return self._users

    def indexes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the settings."""
        return {name: _object(index.get("indexconfig")) for name, index in self._indexes.items()}

    def mirrored(self) -> Mapping[str, tuple[str, ...]]:
        """Return the projects of mirrors, which are there after `devpi-export --include-mirrored-files`."""
        configs = self.indexes()
        return {
            name: tuple(_object(index.get("projects")))
            for name, index in self._indexes.items()
            if configs[name].get("type") == "mirror"
        }

    def items(self, index: str) -> Iterator[Item]:
        """Give releases, then files, then what is attached to them."""
        found = self._indexes.get(index, {})
        projects = _object(found.get("projects"))
        described = [one for one in found.get("files") or () if isinstance(one, dict)]
        with_files = {(str(one.get("projectname")), str(one.get("version"))) for one in described}
        for project, versions in projects.items():
            for version, metadata in _object(versions).items():
                if (project, version) not in with_files:
                    yield Item(index=index, name=project, version=version, metadata=_object(metadata))
        for one in sorted(described, key=lambda one: one.get("type") != "releasefile"):
            item = self._item(index, one, projects)
            if item is not None:
                yield item

    def _item(self, index: str, one: dict[str, Any], projects: dict[str, Any]) -> Item | None:
        rel, name, relpath = str(one.get("type")), str(one.get("projectname")), str(one.get("relpath"))
        path = (self._folder / relpath).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            self.lost.append(f"{index}: {relpath} is not in the dump")
            return None
        version = str(one.get("version") or path.parent.name)
        mapping = _object(one.get("entrymapping"))
        hashes = _object(mapping.get("hashes"))
        kind, _, digest = str(mapping.get("hash_spec", "")).partition("=")
        hashes = {kind: digest, **hashes}
        metadata = _object(_object(projects.get(name)).get(version))
        return Item(
            index=index,
            name=str(metadata.get("name") or name),
            version=version,
            rel=rel,
            filename=path.name,
            sha256=str(hashes.get("sha256", "")),
            md5=str(hashes.get("md5") or mapping.get("md5") or ""),
            of=str(one.get("for_entrypath", "")).partition("#")[0].rpartition("/")[2],
            yanked=one["yanked"] if isinstance(one.get("yanked"), str) else None,
            size=path.stat().st_size,
            metadata=metadata,
            log=tuple(entry for entry in one.get("log") or () if isinstance(entry, dict)),
            fetch=lambda: _here(path),
        )


@contextmanager
def _here(path: Path) -> Iterator[Path]:
    yield path


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
