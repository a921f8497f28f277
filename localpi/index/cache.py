"""The cache as one value: room and uses for those who serve, and what a person does with what is held."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import BadRequest, Conflict, DigestMismatch, NotFound
from localpi.index.cache_room import Room, is_gone
from localpi.index.cache_rows import GROUPS, Selection, group
from localpi.index.cache_use import Uses
from localpi.index.eviction import Budget
from localpi.index.mirror_index import mirror_index
from localpi.reports import CacheReport, CacheRow
from localpi.store.pins import Pin
from localpi.store.quarantine import empty_quarantine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.settings.load import Settings
    from localpi.simple.names import Sha256
    from localpi.store import Store
    from localpi.store.cached import CachedFile

HALF_AGE_S = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a command did: how many files and bytes, and how many it left alone because they are pinned."""

    files: int
    bytes: int
    pinned: int = 0


@dataclass(frozen=True, slots=True)
class Cache:
    """What is held of mirrors' files."""

    room: Room
    uses: Uses
    _store: Store
    _registry: Registry
    _now_us: Callable[[], int]

    def report(self, selection: Selection, by: str) -> CacheReport:
        """Return totals, and the selected files grouped by one of GROUPS ("" for totals alone). BadRequest."""
        if by and by not in GROUPS:
            raise BadRequest(f"files can be grouped by {', '.join(GROUPS)}")
        self._settle()
        pinned = self._store.pins.hashes()
        rows: tuple[CacheRow, ...] = ()
        if by:
            files = self._select(selection)
            gone = {file.sha256 for file in files if is_gone(self._store, file.source, file.project, file.filename)}
            rows = group(by, files, self._names(), pinned.keys(), gone)
        count, size = self._store.cached.totals()
        return CacheReport(
            bytes=size,
            files=count,
            pinned_bytes=sum(pinned.values()),
            pinned_files=len(pinned),
            max_size=self.room.budget.max_size,
            keep_free=self.room.budget.keep_free,
            disk_free=self.room.free(),
            gain=self.uses.gain(),
            rows=rows,
        )

    def pin(self, selection: Selection) -> Moved:
        """Keep the selected files and their pages for good: they move to where no cleaner comes.

        Raises NotFound, DiskFull, Conflict (one of them is damaged); then nothing has happened.
        """
        before = self._store.pins.hashes()
        here: list[CachedFile] = []
        with self.room.settled():
            try:
                for file in self._needed(selection):
                    if self._move_in(file):
                        here.append(file)  # noqa: PERF401 -- what is there when one of them fails goes back
                keys = dict.fromkeys((file.source, file.project) for file in here)
                pages = [page for key in keys if (page := self._store.pages.get(*key)) is not None]
                now_us = self._now_us()
                self._store.pins.add([_pin(file, now_us) for file in here], pages)
            except BaseException:
                for sha256 in {file.sha256 for file in here} - before.keys():
                    self._move(sha256, pinning=False)
                raise
        self.room.enforce()
        return _moved(here)

    def unpin(self, selection: Selection) -> Moved:
        """Let the selected files be evicted again. NotFound."""
        with self.room.settled():
            pins = {pin.link: pin for pin in self._store.pins.all()}
            files = [file for file in self._needed(selection) if _link(file) in pins]
            free = self._store.pins.remove([_link(file) for file in files])
            for sha256 in free:
                self._move(sha256, pinning=False)
        self.room.enforce()
        return _moved(files)

    def evict(self, selection: Selection) -> Moved:
        """Remove the selected files, last copies too: who asks for it by name means it. NotFound."""
        files = self._needed(selection)
        hashes = {file.sha256 for file in files}
        pinned = hashes & self._store.pins.hashes().keys()
        if selection.is_all:
            hashes |= {held.sha256 for held in self._store.holdings.unlinked()}
        count, size = self.room.evict(hashes - pinned)
        return Moved(count, size, len(pinned))

    def gc(self) -> dict[str, int]:
        """Clear away what nothing can use, then what is beyond the budget, and return counts.

        Of no use are files and pages of mirrors that are no more, halves that a crash left, and what was set aside.
        """
        adopted, vanished = self._store.adopt_orphans()
        sources = self._names()
        self._settle()
        stray: dict[Sha256, bool] = {}
        for file in self._store.holdings.files():
            stray[file.sha256] = stray.get(file.sha256, True) and file.source not in sources
        files, size = self.room.evict(sha256 for sha256, unused in stray.items() if unused)
        self._store.unusable.forget_others(tuple(sources))
        aside = empty_quarantine(self._store.files) + empty_quarantine(self._store.pinned)
        return {
            "adopted": adopted,
            "vanished": vanished,
            "halves": self._store.files.sweep(before=self._now_us() / 1e6 - HALF_AGE_S),
            "pages": self._store.pages.forget_others(tuple(sources)),
            "stray": files,
            "stray_bytes": size,
            "set_aside": aside,
            "evicted": self.room.enforce(),
        }

    def mirror_of(self, source: str) -> MirrorIndex | None:
        """Return a mirror of that source, None when there is none any more."""
        for index in self._registry.all():
            if index.mirror is not None and (mirror := mirror_index(index.name, index.mirror)).source == source:
                return mirror
        return None

    def _names(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the mirrors of each source."""
        names: dict[str, tuple[str, ...]] = {}
        for index in self._registry.all():
            if index.mirror is not None:
                source = mirror_index(index.name, index.mirror).source
                names[source] = (*names.get(source, ()), index.name)
        return names

    def _settle(self) -> None:
        self.uses.flush()
        self._store.cache.flush()

    def _select(self, selection: Selection) -> tuple[CachedFile, ...]:
        files = self._store.holdings.files()
        sources: set[str] | None = None
        if selection.index:
            order = self._registry.order(selection.index)
            mirrors = [name for name, _ in order if self._registry.get(name).mirror is not None]
            sources = {source for source, names in self._names().items() if set(names).intersection(mirrors)}
        return selection.of(files, sources, self._now_us())

    def _needed(self, selection: Selection) -> tuple[CachedFile, ...]:
        self._settle()
        files = self._select(selection)
        if not files and selection.names:
            missing = NotFound(f"nothing cached is {selection}")
            missing.hint = "localpi cache show --by release"
            raise missing
        return files

    def _move_in(self, file: CachedFile) -> bool:
        """Move a file to the pinned ones; whether it is there then. Conflict: it is not what its name says."""
        try:
            return self._move(file.sha256, pinning=True)
        except DigestMismatch:
            damaged = Conflict(f"{file.filename} is damaged")
            damaged.hint = "localpi cache verify"
            raise damaged from None

    def _move(self, sha256: Sha256, *, pinning: bool) -> bool:
        """Move bytes to the pinned ones or back; whether they are there then."""
        cached, pinned = self._store.files, self._store.pinned
        source, target = (cached, pinned) if pinning else (pinned, cached)
        if not source.path(sha256).exists():
            return target.path(sha256).exists()
        source.move(sha256, target)
        return True


def build_cache(
    store: Store, registry: Registry, stamps: Stamps, settings: Settings, now_us: Callable[[], int]
) -> Cache:
    """Compose it from the settings `cache.max_size` and `cache.keep_free`."""
    uses = Uses(store, now_us)
    budget = Budget(settings.cache_max_size, settings.cache_keep_free)
    return Cache(Room(store, budget, uses, stamps, now_us), uses, store, registry, now_us)


def _link(file: CachedFile) -> tuple[str, str, str]:
    return file.source, file.key, file.filename


def _pin(file: CachedFile, now_us: int) -> Pin:
    return Pin(
        source=file.source,
        key=file.key,
        filename=file.filename,
        project=file.project,
        sha256=file.sha256,
        size=file.size,
        pinned_us=now_us,
    )


def _moved(files: Sequence[CachedFile]) -> Moved:
    sizes = {file.sha256: file.size for file in files}
    return Moved(len(sizes), sum(sizes.values()))
