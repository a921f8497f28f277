"""Room for what comes in: the budget, promises to downloads under way, and what goes so that they can be kept."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import DiskFull
from localpi.index.eviction import choose
from localpi.store.durable import free_bytes, make_folder
from localpi.store.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from localpi.index.cache_use import Uses
    from localpi.index.eviction import Budget
    from localpi.index.stamps import Stamps
    from localpi.simple.names import Sha256
    from localpi.store import Store
    from localpi.store.holdings import Held

log = logging.getLogger(__name__)

SAY_AGAIN_S = 600.0
ROOM_TO_SAY = 1 << 20
"""With less than so many free bytes neither log nor events can take a line."""


@dataclass(slots=True, eq=False)
class Promise:
    """Room that is held for a file under way: its size in bytes, and how many of them are on the disk."""

    size: int
    written: int = 0


class Room:
    """Keeps the cache within its budget. Thread-safe; nothing here is for the serving loop's thread."""

    def __init__(self, store: Store, budget: Budget, uses: Uses, stamps: Stamps, now_us: Callable[[], int]) -> None:
        self.budget = budget
        self._store, self._uses, self._stamps, self._now_us = store, uses, stamps, now_us
        self._lock = threading.RLock()
        self._promises: set[Promise] = set()
        self._used: int | None = None
        self._said_at = -SAY_AGAIN_S
        self._unsaid = ""

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Let nothing be evicted while the block runs."""
        with self._lock:
            yield

    def promise(self, size: int | None) -> Promise | None:
        """Make room for a file that is to be kept, and hold it until `kept` or `release`; None when there is none.

        `size` in bytes; one that is not known is promised nothing, and what is too much goes once it has come.
        """
        if not self.budget.holds(size or 0):
            return None
        with self._lock:
            if size is not None and not self._free(self._excess(size)):
                return None
            self._say_later()
            promise = Promise(size or 0)
            self._promises.add(promise)
            return promise

    def release(self, promise: Promise) -> None:
        """Take a promise back; a second time does nothing."""
        with self._lock:
            self._promises.discard(promise)

    def kept(self, promise: Promise | None, size: int) -> None:
        """Count a file that was stored; where its length was not known before, others may have to go now."""
        with self._lock:
            if promise is not None:
                self._promises.discard(promise)
            if self._used is not None:
                self._used += size
            self._free(self._excess(0))

    def make(self, size: int, *, within_budget: bool = True) -> bool:
        """Free some bytes on a disk that is full, and what is beyond the budget; whether that was possible."""
        with self._lock:
            return self._free(max(size, self._excess(0) if within_budget else 0))

    def enforce(self) -> int:
        """Count anew and evict what is beyond the budget; how many files went."""
        with self._lock:
            self._used = None
            self._say_later()
            before = self._store.counters.totals()["evicted"]
            self._free(self._excess(0))
            return self._store.counters.totals()["evicted"] - before

    def evict(self, hashes: Iterable[Sha256]) -> tuple[int, int]:
        """Remove these, without asking what they are good for, all but pinned ones; how many files and bytes went."""
        with self._lock:
            pinned = self._store.pins.hashes()
            sizes = {sha256: self._store.cached.size_of(sha256) or 0 for sha256 in hashes if sha256 not in pinned}
            self._remove(sizes)
            return len(sizes), sum(sizes.values())

    def last_copy(self, sha256: Sha256) -> bool:
        """Say whether no upstream has these bytes any more, though a link of ours still leads to them."""
        links = self._store.holdings.links(sha256)
        return bool(links) and all(is_gone(self._store, link.source, link.project, link.filename) for link in links)

    def unkept(self, filename: str, why: str) -> None:
        """Note a download that goes through unkept; in the log and the events every ten minutes at most."""
        self._store.counters.add(unkept=1)
        now = time.monotonic()
        if now - self._said_at >= SAY_AGAIN_S:
            self._said_at = now
            text = f"downloads are handed on and not kept, {why}; first {filename}"
            self.note(text)
            if self.free() < ROOM_TO_SAY:
                self._unsaid = text

    def _say_later(self) -> None:
        """Say what a full disk had no room for."""
        if self._unsaid and self.free() >= ROOM_TO_SAY:
            text, self._unsaid = self._unsaid, ""
            self.note(f"while the disk was full, {text}")

    def note(self, text: str) -> None:
        """Keep an event, and say it in the log."""
        log.warning("%s", text)
        self._store.events.add_later(Event(self._now_us(), "cache", None, None, text))

    def used(self) -> int:
        """Return what the cached files take, in bytes; pinned ones lie elsewhere and are not counted."""
        with self._lock:
            if self._used is None:
                pinned = sum(self._store.pins.hashes().values())
                self._used = max(0, self._store.cached.totals()[1] - pinned)
            return self._used

    def free(self) -> int:
        """Return what is free on the cache's disk, in bytes."""
        folder = self._store.files.root
        try:
            return free_bytes(folder)
        except FileNotFoundError:
            make_folder(folder)
            return free_bytes(folder)

    def _excess(self, incoming: int) -> int:
        return self.budget.excess(
            used=self.used() if self.budget.max_size else 0,
            free=self.free(),
            incoming=incoming,
            under_way=sum(promise.size for promise in self._promises),
            unwritten=sum(max(0, promise.size - promise.written) for promise in self._promises),
        )

    def _free(self, needed: int) -> bool:
        if needed <= 0:
            return True
        self._uses.drain()
        self._store.cached.flush_use()
        with suppress(DiskFull):
            self._store.cache.flush()
        pinned, served = self._store.pins.hashes(), self._uses.in_service()

        def protects(held: Held) -> bool:
            return held.sha256 in pinned or held.sha256 in served or self.last_copy(held.sha256)

        chosen = choose(self._store.holdings.oldest(), needed, self.budget.slack, protects)
        if chosen is None:
            return False
        self._remove({held.sha256: held.size for held in chosen})
        return True

    def _remove(self, sizes: dict[Sha256, int]) -> None:
        """Drop rows, then bytes: a client that looks in between fetches anew."""
        if not sizes:
            return
        projects = {link.project for sha256 in sizes for link in self._store.holdings.links(sha256)}
        forgotten = self._forget(sizes)
        for sha256 in sizes:
            self._store.files.remove(sha256)
        if not forgotten:  # on a full disk there is room for that only now; a row is a claim, no more
            self._forget(sizes)
        for project in projects:
            self._stamps.bump(project)  # offline views list what is here
        freed = sum(sizes.values())
        if self._used is not None:
            self._used = max(0, self._used - freed)
        self._store.counters.add(evicted=len(sizes), evicted_bytes=freed)
        log.info("evicted files: %d, %d bytes", len(sizes), freed)

    def _forget(self, hashes: Iterable[Sha256]) -> bool:
        try:
            self._store.holdings.forget(hashes)
        except DiskFull:
            return False
        return True


def is_gone(store: Store, source: str, project: str, filename: str) -> bool:
    """Say whether the upstream had this file once and has it, or its project, no more."""
    name = filename.removesuffix(".metadata")
    if any(file.filename == name and file.why in {"gone", "changed"} for file in store.kept.of(source, project)):
        return True
    page = store.pages.head(source, project)  # type: ignore[arg-type]  # a name that was checked when it was stored
    return page is not None and page.missing_us is not None
