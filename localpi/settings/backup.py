"""What a backup is: a plain tar whose members have these names, and where each of them belongs.

First comes `backup.json` (which format, and at most how much follows), last `manifest.json` (how much did, and the
digests of what has a name; all else is called after its digest). Only such names are written or read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from localpi.settings.paths import Paths

FORMAT = 1
HEAD, MANIFEST = "backup.json", "manifest.json"
DATABASE = "localpi.sqlite"
CACHE_DATABASE = "cache/cache.sqlite"
MOST_JSON = 1 << 20
"""Bytes of the first and of the last member."""

MOST_NAMED = {
    DATABASE: 1 << 40,
    CACHE_DATABASE: 1 << 40,
    "config.toml": 1 << 24,
    "credentials.toml": 1 << 24,
    "owner.secret": 1 << 10,
}
"""Member with a name of its own -> the most bytes that it may have."""

_HASHED = re.compile(r"(files|pinned/files|cache/files)/([0-9a-f]{2})/([0-9a-f]{62})")


def digest_in(name: str) -> str | None:
    """Return the sha256 that a member is called after, None when it is called otherwise."""
    found = _HASHED.fullmatch(name)
    return found[2] + found[3] if found else None


def is_member(name: str) -> bool:
    """Say whether a backup may have such a member, the first and the last aside."""
    return name in MOST_NAMED or digest_in(name) is not None


def belongs(paths: Paths, name: str) -> tuple[Path, str]:
    """Return the folder that a member is restored into, and its path below that."""
    if name in ("config.toml", "credentials.toml"):
        return paths.config, name
    if name.startswith("cache/"):
        return paths.cache, name.removeprefix("cache/")
    return paths.data, name


def backups_folder(paths: Paths) -> Path:
    """Return where the daemon puts what is to be backed up, one folder for each backup under way."""
    return paths.data / "backups"
