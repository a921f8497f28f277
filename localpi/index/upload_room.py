"""Room for own packages on a full disk: what is cached goes for them, where it lies on the same disk."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from localpi.store.durable import free_bytes, is_same_disk

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.cache_room import Room
    from localpi.store import Store

SPARE = 1 << 20
"""Bytes for the database beside the file itself."""

MOST = 8
"""Threads that look for room at once; whoever comes then goes without."""


class UploadRoom:
    """Makes room by evicting cached files, whatever the cache's budget says. Thread-safe."""

    def __init__(self, store: Store, room: Room) -> None:
        self._store, self._room = store, room
        self._looking = threading.Semaphore(MOST)

    def make(self, size: int) -> bool:
        """Make room for `size` bytes; whether there is as much now. Takes as long as deleting files does."""
        short = self._short(size)
        if short <= 0:
            return True
        if not is_same_disk(self._store.uploads.incoming, self._store.files.root):
            return False
        return self._room.make(short, within_budget=False)

    def ask(self, size: int, allowed: Callable[[], bool]) -> Callable[[], bool] | None:
        """Have it made by another thread; None when there is enough, else what says whether that thread has ended.

        That thread calls `allowed` first, which says whether who sends it may upload at all: else anyone who announces
        a large body would empty the cache.
        """
        if self._short(size) <= 0 or not self._looking.acquire(blocking=False):
            return None
        thread = threading.Thread(target=self._look, args=(size, allowed), daemon=True, name="upload-room")
        thread.start()
        return lambda: not thread.is_alive()

    def _look(self, size: int, allowed: Callable[[], bool]) -> None:
        try:
            if allowed():
                self.make(size)
        finally:
            self._looking.release()

    def _short(self, size: int) -> int:
        return size + SPARE - free_bytes(self._store.uploads.incoming)
