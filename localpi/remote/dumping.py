"""Writing a dump that devpi-import reads, and so does `localpi import`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from localpi.errors import BadRequest
from localpi.remote.devpi_dump import INDEX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from localpi.remote.daemon import Daemon


@dataclass(slots=True)
class Dumped:
    """What was written."""

    users: int = 0
    indexes: int = 0
    files: int = 0
    bytes: int = 0


def dump(daemon: Daemon, folder: Path, tell: Callable[[str], None]) -> Dumped:
    """Write everything that is the daemon's own into a new or empty folder (0700: password hashes are in it).

    Raises `BadRequest` when something is there, `DaemonNotRunning`, `RemoteError`, OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        refused = BadRequest(f"{folder} is not empty")
        refused.hint = "give a folder that is new or empty"
        raise refused
    found = daemon.admin("GET", "/export")
    done = Dumped(users=len(found["users"]))
    for name, index in found["indexes"].items():
        if index["indexconfig"]["type"] != "mirror":
            index.update(_dump_index(daemon, folder, name, tell, done))
        done.indexes += 1
    data: dict[str, Any] = {"dumpversion": "2", "devpi_server": "6.20.3", **found}
    half = folder / f"{INDEX}.half"
    half.write_text(json.dumps(data, indent=2), "utf-8")
    half.chmod(0o600)
    os.replace(half, folder / INDEX)  # noqa: PTH105 -- last: a dump that was broken off has no index
    return done


def _dump_index(daemon: Daemon, folder: Path, name: str, tell: Callable[[str], None], done: Dumped) -> dict[str, Any]:
    held = daemon.admin("GET", f"/export/{quote(name)}")
    files = []
    for described in held["files"]:
        tell(described["relpath"])
        path, size = described.pop("path"), described.pop("size")
        target = folder / described["relpath"]
        if not target.resolve().is_relative_to(folder.resolve()):
            raise BadRequest(f"{described['relpath']} leads out of the folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            daemon.download(path, file)
        files.append(described)
        done.files += 1
        done.bytes += size
    return {"projects": held["projects"], "files": files}
