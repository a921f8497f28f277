"""Who uses the cache: when each file was used last, which are open now, how often it answered and what that saved."""

from __future__ import annotations

import weakref
from io import FileIO
from typing import TYPE_CHECKING, cast

from localpi.reports import CacheGain

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from localpi.simple.names import Sha256
    from localpi.store import Store


class Uses:
    """Notes uses. Thread-safe; a hit on the serving loop costs a dict entry and a weak reference, and never waits."""

    def __init__(self, store: Store, now_us: Callable[[], int]) -> None:
        self._store, self._now_us = store, now_us
        self._hot: dict[str, int] = {}
        self._open: weakref.WeakSet[BinaryIO | FileIO] = weakref.WeakSet()

    def open(self, path: str) -> FileIO:
        """Open a whole file to send it, and note that; for the loop thread. OSError."""
        file = FileIO(path)
        self._open.add(file)
        # Two threads at once may lose a count, never a use.
        self._hot[path] = self._hot.get(path, 0) + 1
        return file

    def sent(self, file: BinaryIO, sha256: Sha256, size: int, *, hit: bool) -> None:
        """Note that a file of a mirror is sent from the disk; no hit where the client had to wait for it to come."""
        self._open.add(file)
        self._store.cached.used(sha256, self._now_us())
        if hit:
            self._store.counters.add(hits=1, hit_bytes=size)
        else:
            self.miss()

    def miss(self) -> None:
        """Note that a client gets a file from its upstream."""
        self._store.counters.add(misses=1)

    def fetched(self, size: int, seconds: float) -> None:
        """Note a download that ended well, and how long it took."""
        self._store.counters.add(fetched=1, fetched_bytes=size, fetch_us=int(seconds * 1e6))

    def drain(self) -> None:
        """Bring the notes of the serving loop to those of the others."""
        hot, self._hot = self._hot, {}
        now_us = self._now_us()
        for path, count in tuple(hot.items()):
            sha256 = _hash_of(path)
            size = self._store.cached.size_of(sha256)
            if size is not None:  # else it is an upload, or was evicted since
                self._store.cached.used(sha256, now_us)
                self._store.counters.add(hits=count, hit_bytes=count * size)

    def flush(self) -> None:
        """Write down what was used; each minute and at the end."""
        self.drain()
        self._store.cached.flush_use()
        self._store.counters.flush_later()

    def in_service(self) -> frozenset[Sha256]:
        """Return what is open now."""
        while True:
            try:
                files = tuple(self._open)
            except RuntimeError:  # the loop has just opened one
                continue
            return frozenset(_hash_of(str(getattr(file, "name", ""))) for file in files if not file.closed)

    def gain(self) -> CacheGain:
        """Return what the cache was good for; the time is what the downloads would have taken at their usual pace."""
        self.drain()
        totals = self._store.counters.totals()
        pace_us = totals["fetch_us"] / totals["fetched_bytes"] if totals["fetched_bytes"] else 0.0
        return CacheGain(
            hits=totals["hits"],
            misses=totals["misses"],
            bytes_saved=totals["hit_bytes"],
            seconds_saved=round(totals["hit_bytes"] * pace_us / 1e6, 1),
            downloads=totals["fetched"],
            bytes_fetched=totals["fetched_bytes"],
            evicted=totals["evicted"],
            bytes_evicted=totals["evicted_bytes"],
            unkept=totals["unkept"],
        )


def _hash_of(path: str) -> Sha256:
    """Return the hash of a path in the store: `…/ab/cdef…`."""
    return cast("Sha256", "".join(path.rsplit("/", 2)[1:]))
