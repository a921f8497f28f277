"""Reading every cached file again: what has changed on the disk is set aside and fetched anew."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from localpi.reports import Verification
from localpi.store.quarantine import set_aside

if TYPE_CHECKING:
    from localpi.index.cache import Cache
    from localpi.index.files import Files
    from localpi.simple.names import Sha256
    from localpi.store import Store
    from localpi.store.cached import CachedFile

log = logging.getLogger(__name__)

PIECE = 1 << 20
FETCH_S = 600.0
MOST_NAMES = 1000


class Verifier:
    """Runs one verification at a time, on a thread of its own; `state` says how far it is."""

    def __init__(self, store: Store, cache: Cache, files: Files) -> None:
        self._store, self._cache, self._files = store, cache, files
        self._lock = threading.Lock()
        self._state = Verification()
        self._ending = threading.Event()

    def state(self) -> Verification:
        """Return how far it is, or what the last one found."""
        return self._state

    def start(self) -> Verification:
        """Begin, or join the one that runs."""
        with self._lock:
            if not self._state.running:
                self._state = Verification(running=True)
                threading.Thread(target=self._run, name="verify", daemon=True).start()
            return self._state

    def stop(self) -> None:
        """End soon; the process ends."""
        self._ending.set()

    def _run(self) -> None:
        try:
            self._verify()
        except Exception:
            log.exception("the verification ended early")
        finally:
            self._state = replace(self._state, running=False)

    def _verify(self) -> None:
        self._store.cache.flush()
        pinned = self._store.pins.hashes()
        hashes = tuple(dict.fromkeys((*pinned, *self._store.cached.all_hashes())))
        self._state = replace(self._state, files=len(hashes))
        for sha256 in hashes:
            if self._ending.is_set():
                return
            right = self._is_right(sha256)
            self._state = replace(self._state, read=self._state.read + 1)
            if right is False or (right is None and sha256 in pinned):
                self._mend(sha256, damaged=right is False)
            elif right is None:
                self._store.holdings.forget((sha256,))
        found = self._state
        log.info("verified %d files, %d bytes: %d damaged", found.read, found.bytes, len(found.damaged))

    def _is_right(self, sha256: Sha256) -> bool | None:
        """Read a file; None when it is not here, or was evicted meanwhile."""
        file = self._store.files.open(sha256)
        if file is None:
            return None
        digest = hashlib.sha256()
        with file:
            while piece := file.read(PIECE):
                digest.update(piece)
                self._state = replace(self._state, bytes=self._state.bytes + len(piece))
                if self._ending.is_set():
                    return True
        return digest.hexdigest() == sha256

    def _mend(self, sha256: Sha256, *, damaged: bool) -> None:
        """Set the bytes aside, forget them, and fetch them again; a pin stays a pin."""
        with self._cache.room.settled():
            links = self._links(sha256)
            if damaged:
                for blobs in (self._store.files, self._store.pinned):
                    set_aside(blobs, sha256)
            self._store.holdings.forget((sha256,))
        name = next((link.filename for link in links), sha256)
        self._state = replace(self._state, damaged=(*self._state.damaged, name)[:MOST_NAMES])
        mended = any(self._fetch(sha256, link) for link in links)
        if mended:
            self._state = replace(self._state, refetched=(*self._state.refetched, name)[:MOST_NAMES])
        else:
            self._state = replace(self._state, lost=(*self._state.lost, name)[:MOST_NAMES])
        what = "was damaged on the disk" if damaged else "was pinned and had vanished"
        text = f"{name} {what}: {'fetched again' if mended else 'it cannot be fetched now'}"
        self._cache.room.note(text)

    def _links(self, sha256: Sha256) -> tuple[CachedFile, ...]:
        pins = tuple(pin.as_cached() for pin in self._store.pins.all() if pin.sha256 == sha256)
        links = self._store.holdings.links(sha256)
        known = {(link.source, link.key, link.filename) for link in links}
        return (*links, *(pin for pin in pins if (pin.source, pin.key, pin.filename) not in known))

    def _fetch(self, sha256: Sha256, link: CachedFile) -> bool:
        mirror = self._cache.mirror_of(link.source)
        download = self._files.fetch_again(mirror, link) if mirror is not None else None
        if download is None or not download.ended.wait(FETCH_S):
            return False
        if self._store.files.has(sha256) is None:
            return False
        with self._cache.room.settled():
            if sha256 in self._store.pins.hashes() and self._store.files.path(sha256).exists():
                self._store.files.move(sha256, self._store.pinned)
        return True
