"""The store as a whole: what is opened at start, what is put right then, what is closed at the end."""

from __future__ import annotations

import logging
import shutil
import time
from typing import TYPE_CHECKING, Protocol

from localpi.errors import NewerDatabase, StoreBroken
from localpi.store.accounts import Accounts
from localpi.store.attachments import Attachments
from localpi.store.blobs import Blobs
from localpi.store.cached import Cached
from localpi.store.changes import Changes
from localpi.store.check import Problem, check
from localpi.store.counters import Counters
from localpi.store.database import Database
from localpi.store.durable import make_folder, tag_cache
from localpi.store.events import Events, Offline
from localpi.store.holdings import Holdings
from localpi.store.indexes import Indexes
from localpi.store.kept import Kept
from localpi.store.migrations import copy_of, find_damage, is_unclean, migrate
from localpi.store.pages import Pages
from localpi.store.pins import Pins
from localpi.store.releases import Releases
from localpi.store.restoring import restore_pins
from localpi.store.schema import CACHE, OWN
from localpi.store.seen import Seen
from localpi.store.tokens import Tokens
from localpi.store.unusable import Unusable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from localpi.simple.names import Sha256

log = logging.getLogger(__name__)

BACKUPS = "backups"
"""Folder of the data that has copies for backups under way."""


class Folders(Protocol):
    """Where to keep things: `localpi.settings.paths.Paths`."""

    @property
    def data(self) -> Path:
        """What cannot be had again."""

    @property
    def cache(self) -> Path:
        """What may be deleted at any time."""


def now_us() -> int:
    """Give the time: integer microseconds UTC."""
    return time.time_ns() // 1000


class Store:
    """All that localpi keeps. `own`, `uploads` and what is pinned are data; `cache` and `files` may be deleted."""

    def __init__(
        self, own: Database, cache: Database, *, uploads: Blobs, pinned: Blobs, files: Blobs, clock: Callable[[], int]
    ) -> None:
        """`files` finds what lies in `pinned` too."""
        self.own, self.cache = own, cache
        self.uploads, self.pinned, self.files = uploads, pinned, files
        self.accounts = Accounts(own, clock)
        self.tokens = Tokens(own)
        self.indexes = Indexes(own, clock)
        self.releases = Releases(own, clock)
        self.attachments = Attachments(own)
        self.changes = Changes(own)
        self.seen = Seen(own)
        self.kept = Kept(own)
        self.events = Events(own)
        self.offline = Offline(own)
        self.pins = Pins(own)
        self.pages = Pages(cache)
        self.cached = Cached(cache)
        self.holdings = Holdings(cache)
        self.counters = Counters(cache)
        self.unusable = Unusable(cache)
        self._clock = clock

    def check(self, *, deep: bool = False) -> tuple[Problem, ...]:
        """Say what on disk contradicts itself; with `deep` every file is hashed again."""
        return check(self, deep=deep)

    def adopt_orphans(self) -> tuple[int, int]:
        """Make the rows of the cache agree with its files; how many files got a row, how many rows went.

        A download that was stored when the daemon died before its row was written is not fetched again; files
        that were deleted by hand are no longer counted. Runs beside everything else.
        """
        self.cache.flush()
        rows, found = self.cached.all_hashes(), dict(self.files.all())
        orphans = [(sha256, size) for sha256, size in found.items() if sha256 not in rows]
        if orphans:
            self.cached.adopt(orphans, self._clock())
        gone = [sha256 for sha256 in rows if sha256 not in found and self.files.has(sha256) is None]
        for sha256 in gone:
            self.cached.forget(sha256)
        return len(orphans), len(gone)

    def flush(self) -> None:
        """Wait until all that was to be written so far is committed."""
        self.cached.flush_use()
        self.own.flush()
        self.cache.flush()

    def close(self) -> None:
        """Write what is left, and close."""
        self.cached.flush_use()
        self.own.close()
        self.cache.close()


def open_store(folders: Folders, *, clock: Callable[[], int] = now_us) -> Store:
    """Open what is there, make what is not (0700, 0600), and clear away what a crash left half.

    One process at a time: its caller holds the lock. NewerDatabase, StoreBroken, DiskFull. A damaged cache is begun
    anew. `clock` gives integer microseconds UTC.
    """
    make_folder(folders.data)
    make_folder(folders.cache)
    make_folder(folders.data / "pinned")
    tag_cache(folders.cache)
    own_path, cache_path = folders.data / "localpi.sqlite", folders.cache / "cache.sqlite"
    if is_unclean(own_path):
        damage = find_damage(own_path, thorough=False)
        if damage:
            error = StoreBroken(f"{own_path} is damaged: {damage}")
            error.hint = "localpi restore FILE --force, from a backup; what is there is kept aside"
            raise error
    _migrate_own(own_path)
    _migrate_cache(cache_path)
    uploads, pinned = Blobs(folders.data / "files"), Blobs(folders.data / "pinned" / "files")
    store = Store(
        Database(own_path, "FULL"),
        Database(cache_path, "NORMAL"),
        uploads=uploads,
        pinned=pinned,
        files=Blobs(folders.cache / "files", pinned),
        clock=clock,
    )
    _clear_away(store)
    restore_pins(store)
    shutil.rmtree(folders.data / BACKUPS, ignore_errors=True)
    return store


def _migrate_own(path: Path) -> None:
    found = migrate(path, OWN)
    if 0 < found < len(OWN):
        copy = copy_of(path, len(OWN))
        log.info("the database is brought from version %d to %d; the one from before is %s", found, len(OWN), copy)


def _migrate_cache(path: Path) -> None:
    try:
        migrate(path, CACHE, keep_copy=False)
    except (StoreBroken, NewerDatabase) as error:
        log.warning("the cache's database is begun anew: %s", error)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        migrate(path, CACHE, keep_copy=False)


def _clear_away(store: Store) -> None:
    """Remove half files; set aside uploads without a row, and fetch back those that have got one again.

    Such an upload was stored when the daemon died before it said yes; or somebody put an older database in place.
    """
    swept = store.uploads.sweep() + store.files.sweep() + store.pinned.sweep()
    known = store.releases.all_hashes()
    here = {sha256 for sha256, _ in store.uploads.all()}
    refused = here.difference(known)
    lost = known.keys() - here
    if lost or refused:
        _sort_uploads(store.uploads, lost, refused)
    if swept:
        log.info("cleared away %d half files", swept)


def _sort_uploads(uploads: Blobs, lost: set[Sha256], refused: set[Sha256]) -> None:
    aside = Blobs(uploads.root.with_name("unclaimed"))
    back = {sha256 for sha256, _ in aside.all()}.intersection(lost)
    for sha256 in back:
        aside.move(sha256, uploads)
    for sha256 in refused:
        uploads.move(sha256, aside)
    log.warning("%d uploads that no index has are set aside in %s, %d are back", len(refused), aside.root, len(back))
