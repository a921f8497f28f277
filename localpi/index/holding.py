"""Uploaded bytes go when no row of any index names them, and never between the rename and the row of an upload."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from localpi.simple.names import Sha256
    from localpi.store import Store

_STRIPES = 64


class Holding:
    """The one place that unlinks uploaded files; uploads hold the same lock from the rename to the commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._locks = tuple(threading.Lock() for _ in range(_STRIPES))
        self._keeping = 0
        self._kept: set[Sha256] = set()
        self._keeping_lock = threading.Lock()

    def lock(self, sha256: str) -> threading.Lock:
        """Return the lock for these bytes; different bytes rarely share one, so uploads go side by side."""
        return self._locks[int(sha256[:4], 16) % _STRIPES]

    @contextmanager
    def locked(self, hashes: Iterable[Sha256]) -> Iterator[None]:
        """Hold the locks for several files at once, always in the same order."""
        stripes = sorted({int(sha256[:4], 16) % _STRIPES for sha256 in hashes})
        with ExitStack() as stack:
            for stripe in stripes:
                stack.enter_context(self._locks[stripe])
            yield

    @contextmanager
    def keeping_all(self) -> Iterator[None]:
        """Unlink nothing while the block runs; what was to go goes afterwards."""
        with self._keeping_lock:
            self._keeping += 1
        try:
            yield
        finally:
            with self._keeping_lock:
                self._keeping -= 1
                gone, self._kept = ((), self._kept) if self._keeping else (tuple(self._kept), set())
            self.let_go(gone)

    def let_go(self, hashes: Iterable[Sha256]) -> None:
        """Unlink those bytes that no row holds; call after the commit that dropped the rows.

        What was attached to those rows (documentation, test results) goes along.
        """
        for sha256 in dict.fromkeys((*hashes, *self._store.attachments.take_released())):
            if self._is_kept(sha256):
                continue
            with self.lock(sha256):
                if not self._store.releases.holds(sha256):
                    self._store.uploads.remove(sha256)

    def _is_kept(self, sha256: Sha256) -> bool:
        with self._keeping_lock:
            if self._keeping:
                self._kept.add(sha256)
            return bool(self._keeping)
