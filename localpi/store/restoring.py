"""Pins after a start: the cache may have been deleted, or a crash may have come between bytes and rows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localpi.store.store import Store

log = logging.getLogger(__name__)


def restore_pins(store: Store) -> None:
    """Put rows and pages of pinned files back into a cache that lacks them; bytes that no pin names become cached."""
    pins = store.pins.all()
    known = store.pins.hashes()
    for sha256 in [sha256 for sha256, _ in store.pinned.all() if sha256 not in known]:
        store.pinned.move(sha256, store.files)
    if not pins:
        return
    back = [pin for pin in pins if store.cached.find(*pin.link) is None]
    for pin in back:
        store.cached.add_later(pin.as_cached())
        if store.pinned.has(pin.sha256) is None and store.files.path(pin.sha256).exists():
            store.files.move(pin.sha256, store.pinned)
    lacking = [page for page in store.pins.pages() if store.pages.head(page.source, page.project) is None]
    for page in lacking:
        store.pages.put_later(page)
    if back or lacking:
        log.warning("the cache lacked %d pinned files and %d of their pages; they are back", len(back), len(lacking))
