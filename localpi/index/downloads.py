"""Files on their way from an upstream into the cache; all who want the same file share one download.

A download that breaks is taken up again where it broke. The store holds back the last byte until the digest is right,
so what an upstream gets wrong never completes at a client.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.errors import DiskFull, LocalpiError
from localpi.index.flights import KEPT_S, Flights
from localpi.upstream.outcomes import Broken, Missing, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.cache import Cache
    from localpi.index.cache_room import Promise
    from localpi.index.mirror_index import MirrorIndex
    from localpi.index.watch import Watch
    from localpi.simple.names import ProjectName, Sha256
    from localpi.store.blobs import Blobs
    from localpi.store.receiving import Receiving
    from localpi.upstream import Upstream
    from localpi.upstream.files import OpenedFile

log = logging.getLogger(__name__)

AT_ONCE = 64
ATTEMPTS = 5
PIECE = 1 << 18
START_DEADLINE_S = 15.0
SILENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch: where from, under which names it is kept, and what the page said of it. `size` in bytes."""

    mirror: MirrorIndex
    project: ProjectName
    key: str
    filename: str
    url: str
    sha256: Sha256 | None
    size: int | None

    @property
    def link(self) -> tuple[str, str, str]:
        """The names under which a link finds it: source, key, file name."""
        return self.mirror.source, self.key, self.filename


@dataclass(slots=True, eq=False)
class Download:
    """One file under way.

    `begun` is set once `receiving` has a length, or the upstream has none to tell, or `refusal` says why there is
    nothing; `ended` once it is stored or given up. `until`: monotonic time by which it has begun or never will.
    `promise`: the room that is held for it, None when it is handed on and not kept.
    """

    wanted: Wanted
    until: float
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    receiving: Receiving | None = None
    promise: Promise | None = None
    refusal: Missing | Unreachable | None = None
    flew_at: float = 0.0
    ended_at: float = 0.0

    def is_silent(self, now: float) -> bool:
        """Say whether the upstream has been asked and has not said a word for a second."""
        return bool(self.flew_at) and now - self.flew_at >= SILENCE_S


class Downloads:
    """Runs at most AT_ONCE downloads, each file at most once at a time.

    `keep(wanted, sha256, size)` is told of each file that is stored, before its download ends. Where there is no room
    a file goes through to its clients and is not kept.
    """

    def __init__(
        self,
        upstream: Upstream,
        blobs: Blobs,
        keep: Callable[[Wanted, Sha256, int], None],
        *,
        watch: Watch,
        cache: Cache,
    ) -> None:
        self._upstream, self._blobs, self._keep, self._watch = upstream, blobs, keep, watch
        self._room, self._uses = cache.room, cache.uses
        self._flights: Flights[None] = Flights("download", threads_per_lane=AT_ONCE)
        self._lock = threading.Lock()
        self._downloads: dict[str, Download] = {}

    def join(self, wanted: Wanted) -> Download:
        """Return the download of that URL that is under way, or begin one."""
        with self._lock:
            self._forget_old()
            download = self._downloads.get(wanted.url)
            if download is not None and not self._is_lost(download):
                return download
            download = self._downloads[wanted.url] = Download(wanted, time.monotonic() + START_DEADLINE_S)
        self._flights.join("files", (wanted.url, id(download)), lambda: self._run(download), START_DEADLINE_S)
        return download

    def find(self, source: str, key: str, filename: str) -> Download | None:
        """Return the download of that link of a source that is under way, or ended less than a second ago.

        Who comes back for it need not look it up in its page again.
        """
        link = (source, key, filename)
        with self._lock:
            self._forget_old()
            for download in self._downloads.values():
                if download.wanted.link == link and not self._is_lost(download):
                    return download
        return None

    def _is_lost(self, download: Download) -> bool:
        """Say whether it was stored and its file has been deleted since, or is handed on and has lost its beginning."""
        receiving = download.receiving
        if receiving is not None and receiving.window is not None:
            return not receiving.window.is_whole
        if receiving is None or not receiving.stored or receiving.sha256 is None:
            return False
        return self._blobs.has(receiving.sha256) is None

    def _forget_old(self) -> None:
        """Drop those that ended over a second ago; until then those who waited come back for the outcome."""
        now = time.monotonic()
        for url in [url for url, one in self._downloads.items() if one.ended_at and now - one.ended_at > KEPT_S]:
            del self._downloads[url]

    def _run(self, download: Download) -> None:
        download.flew_at = began = time.monotonic()
        try:
            download.refusal = self._fetch(download)
            if isinstance(download.refusal, Unreachable):
                self.tell(download.wanted, download.refusal)
            elif download.refusal is None and download.receiving is not None:
                self._uses.fetched(download.receiving.received, time.monotonic() - began)
        except LocalpiError as error:
            download.refusal = Unreachable("broken", error.message)
            log.warning("%s: %s", download.wanted.filename, error.message)
            _give_up(download, error)
        except Exception as error:
            download.refusal = Unreachable("broken", "the download failed")
            _give_up(download, error)
            raise
        finally:
            if download.promise is not None:
                self._room.release(download.promise)
            download.ended_at = time.monotonic()
            download.ended.set()
            download.begun.set()

    def tell(self, wanted: Wanted, refusal: Unreachable) -> None:
        """Say that a file could not be had; on a host of its own that says little about the mirror."""
        if refusal.kind not in ("dns", "connect", "timeout", "tls", "certificate", "proxy"):
            return
        if urlsplit(wanted.url).netloc == urlsplit(wanted.mirror.upstream.url).netloc:
            self._watch.note_failure(wanted.mirror, refusal)
        else:
            self._watch.doubt(wanted.mirror)

    def _fetch(self, download: Download) -> Missing | Unreachable | None:
        """Fetch the file in as many goes as it takes; what refused it, or None when it is stored."""
        wanted = download.wanted
        validator: str | None = None
        tries = 0
        while True:
            offset = download.receiving.received if download.receiving is not None else 0
            opened = self._upstream.open_file(wanted.mirror.upstream, wanted.url, offset=offset, validator=validator)
            refusal: Missing | Unreachable | None
            if isinstance(opened, Missing | Unreachable):
                refusal = opened
            else:
                validator = opened.validator
                refusal = self._receive(download, opened)
                if refusal is None:
                    return None
            progressed = download.receiving is not None and download.receiving.received > offset
            tries = 0 if progressed else tries + 1
            if isinstance(refusal, Missing) or download.receiving is None or tries >= ATTEMPTS:
                if download.receiving is not None:
                    _give_up(download, LocalpiError(f"{wanted.filename} did not arrive whole"))
                return refusal
            download.ended.wait(0.1 * 2**tries)  # a pause: nobody sets it before this thread does

    def _receive(self, download: Download, opened: OpenedFile) -> Unreachable | None:
        """Read one answer to its end into the store; what broke it, or None when the file is whole and kept."""
        wanted = download.wanted
        try:
            receiving = download.receiving
            total = opened.total if opened.total is not None else wanted.size
            if wanted.size is not None and total != wanted.size:
                return Unreachable("broken", f"says {total} bytes where its page says {wanted.size}")
            if receiving is None:
                receiving = download.receiving = self._begin(download, total)
                if total is not None:
                    download.begun.set()
            elif opened.offset == 0:
                receiving.restart()
            while piece := opened.read(PIECE):
                self._write(download, receiving, piece)
                if download.promise is not None:
                    download.promise.written = receiving.received
        except Broken as error:
            return Unreachable("broken", str(error))
        finally:
            opened.close()
        sha256 = receiving.finish()
        if receiving.stored:
            self._keep(wanted, sha256, receiving.received)
            self._room.kept(download.promise, receiving.received)
            receiving.close()
        return None

    def _begin(self, download: Download, total: int | None) -> Receiving:
        """Make room for the file and begin to take it in; what finds none is handed on."""
        wanted = download.wanted
        download.promise = self._room.promise(total)
        if download.promise is not None:
            for _ in range(2):
                try:
                    return self._blobs.receive(expected=wanted.sha256, size=total)
                except DiskFull:
                    if not self._room.make(total or 0):
                        break
        if total is None:
            raise DiskFull("the disk is full here, and the file's length is not told")
        self._hand_on(download, "the cache has no room for them")
        return self._blobs.pass_through(expected=wanted.sha256, size=total)

    def _write(self, download: Download, receiving: Receiving, piece: bytes) -> None:
        """Take a piece in; when the disk is full cached files go, and where that is no help the rest is handed on."""
        try:
            receiving.write(piece)
        except DiskFull:
            left = (receiving.total or 0) - receiving.received
            if self._room.make(max(left, len(piece))):
                try:
                    receiving.write(piece)
                except DiskFull:
                    pass
                else:
                    return
            receiving.pass_on()
            self._hand_on(download, "the disk is full")
            receiving.write(piece)

    def _hand_on(self, download: Download, why: str) -> None:
        """Note that a file will not be kept."""
        if download.promise is not None:
            self._room.release(download.promise)
            download.promise = None
        self._room.unkept(download.wanted.filename, why)


def _give_up(download: Download, error: Exception) -> None:
    if download.receiving is not None:
        download.receiving.fail(error)
