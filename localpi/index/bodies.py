"""Rendered pages, kept as bytes within a budget.

Bytes, never models: 186 real pages are 12 MB as bytes and 82 to 137 MB as dicts (measured).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


class Bodies:
    """A least-recently-used store of bytes; `limit` in bytes. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._lock = threading.Lock()
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        """Return the body and count it as used."""
        with self._lock:
            body = self._bodies.get(key)
            if body is not None:
                self._bodies.move_to_end(key)
            return body

    def put(self, key: Hashable, body: bytes) -> None:
        """Keep the body; the longest unused ones go where the budget is exceeded, at worst this one itself."""
        with self._lock:
            self._drop(key)
            self._bodies[key] = body
            self._size += len(body)
            while self._size > self._limit:
                self._drop(next(iter(self._bodies)))

    def drop(self, key: Hashable) -> None:
        """Forget the body, if it is here."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        body = self._bodies.pop(key, None)
        if body is not None:
            self._size -= len(body)
