"""Backups while others work: what is to be written into one lies still, in a folder of its own, until that is done."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import NotFound
from localpi.store.backup import copy_store
from localpi.store.store import BACKUPS

if TYPE_CHECKING:
    from pathlib import Path

    from localpi.index.holding import Holding
    from localpi.store import Store
    from localpi.store.backup import Copied

log = logging.getLogger(__name__)

LASTS_S = 600.0
"""The longest that making the copy may take: a database of 1 GB takes 10 s, 10,000 files one."""

MOST = 4
"""Copies that lie about; the oldest goes when one more is made, as its program has died."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A copy: its name, the folder that has it, and what is in it."""

    id: str
    folder: Path
    copied: Copied


class Backups:
    """Prepares backups and clears away after them."""

    def __init__(self, store: Store, holding: Holding) -> None:
        self._store, self._holding = store, holding
        self._root = store.own.path.with_name(BACKUPS)

    def prepare(self, *, cache: bool) -> Prepared:
        """Make a copy of all that is the daemon's own, with `cache` also of what mirrors gave. DiskFull."""
        if self._root.is_dir():
            before = sorted(self._root.iterdir(), key=lambda folder: folder.stat().st_mtime)
            for old in before[: max(0, len(before) - MOST + 1)]:
                shutil.rmtree(old, ignore_errors=True)
        name = secrets.token_hex(8)
        with self._holding.keeping_all():
            copied = copy_store(self._store, self._root / name, cache=cache)
        log.info("%d files, %d bytes made ready for a backup", copied.files, copied.bytes)
        return Prepared(name, self._root / name, copied)

    def clear(self, name: str) -> None:
        """Remove a copy. Raises `NotFound`."""
        folder = self._root / name
        if not re.fullmatch(r"[0-9a-f]{16}", name) or not folder.is_dir():
            raise NotFound(f"no backup {name[:40]!r} is under way")
        shutil.rmtree(folder)
