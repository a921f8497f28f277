"""Core metadata of wheels at mirrors that have none beside them: read from the end of the wheel, once, on demand.

Essential reading: PEP 658 and 714, the wheel and zip formats. A zip file's directory is at its end and a wheel's
metadata mostly just before it, so a range request or two of 64 kB replace a wheel of 400 MB. Where ranges are not to
be had the wheel comes whole, into the cache like any file. A wheel that is here is read here.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

from localpi.errors import CannotKnow, FileNotHere, InvalidName, InvalidUpload, LocalpiError
from localpi.index.flights import Flights
from localpi.index.ranged_file import LEAST, RangedFile
from localpi.index.waiting import Waiting
from localpi.simple.archive import read_wheel_metadata
from localpi.simple.names import Sha256, parse_filename
from localpi.upstream.outcomes import Missing, Unreachable
from localpi.upstream.pieces import Piece, Unranged

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.announcing import Announcing
    from localpi.index.downloads import Download, Downloads, Wanted
    from localpi.index.flights import Flight
    from localpi.index.watch import Watch
    from localpi.store import Store
    from localpi.upstream import Upstream

log = logging.getLogger(__name__)

READ_S = 20.0
"""The longest that reading by ranges may take; a request of it has LOOK_S."""
LOOK_S = 8.0
WHOLE_S = 90.0
"""How long a client is kept for a wheel that has to come whole."""
UNRANGED_S = 600.0
"""So long a host that gave a whole file instead of a range is not asked for one again."""
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Made:
    """Core metadata that was read out of a wheel."""

    data: bytes
    sha256: Sha256


class _Trouble(Exception):  # noqa: N818 - carries an outcome through zipfile
    def __init__(self, outcome: Missing | Unreachable | Unranged) -> None:
        self.outcome = outcome
        super().__init__()


Outcome = Made | Unranged | Missing | Unreachable | InvalidUpload


class MetadataFiles:
    """Makes `.metadata` files; never waits for the network where it is asked.

    `keep(wanted, sha256, size)` is told of each file that is stored.
    """

    def __init__(
        self,
        *,
        store: Store,
        upstream: Upstream,
        downloads: Downloads,
        watch: Watch,
        announcing: Announcing,
        keep: Callable[[Wanted, Sha256, int], None],
    ) -> None:
        self._store, self._upstream, self._downloads = store, upstream, downloads
        self._watch, self._announcing, self._keep = watch, announcing, keep
        self._flights: Flights[Outcome] = Flights("metadata")
        self._lock = threading.Lock()
        self._unranged: dict[str, float] = {}

    def open(self, wheel: Wanted, metadata: Wanted, *, asked_at: float) -> Made | Waiting:
        """Give the core metadata of a wheel.

        `metadata` says under which names it is kept, `asked_at` (monotonic) when the client asked first. Raises
        FileNotHere (there is none in it, or no wheel), CannotKnow.
        """
        if self._store.unusable.has(wheel.mirror.source, wheel.key, wheel.filename):
            raise FileNotHere(wheel.mirror.name, metadata.filename)
        if not self.has(wheel):
            self._check_reachable(wheel, metadata)
            if self._is_unranged(wheel.url):
                return self._wait_for_whole(wheel, metadata, asked_at)
        flight = self._join(wheel, metadata)
        if not flight.has_landed():
            return self._wait(flight, wheel, metadata)
        match flight.result:
            case Made():
                return flight.result
            case Unranged():
                return self._wait_for_whole(wheel, metadata, asked_at)
            case Missing() | InvalidUpload():
                raise FileNotHere(wheel.mirror.name, metadata.filename)
            case Unreachable():
                raise CannotKnow(wheel.mirror.name, f"{flight.result.reason}: {metadata.filename}")
        raise CannotKnow(wheel.mirror.name, f"{metadata.filename} could not be made")

    def has(self, wheel: Wanted) -> bool:
        """Say whether the wheel itself is here."""
        sha256 = self._hash_of(wheel)
        return sha256 is not None and self._store.files.has(sha256) is not None

    # -- waiting ----------------------------------------------------------------------------------------------------

    def _check_reachable(self, wheel: Wanted, metadata: Wanted) -> None:
        health = self._watch.health(wheel.mirror)
        if not health.reachable:
            self._watch.demand(wheel.mirror)
            raise self._watch.cannot_know(wheel.mirror, health.reason, also=f"{metadata.filename} is not here")

    def _join(self, wheel: Wanted, metadata: Wanted) -> Flight[Outcome]:
        key = (wheel.mirror.source, wheel.url)
        flight = self._flights.find(key)
        if flight is not None and not (isinstance(flight.result, Unranged) and self.has(wheel)):
            return flight
        return self._flights.join(_host(wheel.url), key, lambda: self._make(wheel, metadata), READ_S)

    def _wait(self, flight: Flight[Outcome], wheel: Wanted, metadata: Wanted) -> Waiting:
        now = time.monotonic()
        if now >= flight.until:
            raise CannotKnow(wheel.mirror.name, f"does not send {metadata.filename}")
        mirror = wheel.mirror
        return Waiting(lambda: flight.has_landed() or not self._watch.reachable(mirror), min(flight.until, now + 1.0))

    def _wait_for_whole(self, wheel: Wanted, metadata: Wanted, asked_at: float) -> Waiting:
        """Fetch the wheel itself: its server knows no ranges."""
        download: Download = self._downloads.join(wheel)
        until = asked_at + WHOLE_S
        if download.ended.is_set() and download.refusal is not None:
            if isinstance(download.refusal, Missing):
                raise FileNotHere(wheel.mirror.name, metadata.filename)
            raise CannotKnow(wheel.mirror.name, f"{download.refusal.reason}: {wheel.filename}")
        if download.ended.is_set() and not self.has(wheel):
            raise CannotKnow(wheel.mirror.name, f"knows no ranges, and there is no room for {wheel.filename}")
        if time.monotonic() >= until:
            raise CannotKnow(wheel.mirror.name, f"knows no ranges, and {wheel.filename} is still coming; ask again")
        return Waiting(download.ended.is_set, until)

    # -- on a thread of a flight ------------------------------------------------------------------------------------

    def _make(self, wheel: Wanted, metadata: Wanted) -> Outcome:
        try:
            data = self._read(wheel)
        except _Trouble as trouble:
            self._tell(wheel, trouble.outcome)
            return trouble.outcome
        except InvalidUpload as error:
            log.warning("%s: %s has no core metadata that can be used: %s", wheel.mirror.name, wheel.filename, error)
            self._store.unusable.add_later(wheel.mirror.source, wheel.key, wheel.filename)
            self._announcing.has_read(wheel.mirror.source, wheel.project)
            return error
        sha256 = Sha256(hashlib.sha256(data).hexdigest())
        if metadata.sha256 not in (None, sha256):
            return Unreachable("broken", "announces other metadata than its wheel has")
        try:
            with self._store.files.receive(expected=sha256, size=len(data)) as receiving:
                receiving.write(data)
                receiving.finish()
            self._keep(replace(metadata, sha256=sha256), sha256, len(data))
        except LocalpiError as error:  # no room: it is made again the next time
            log.warning("%s is not kept: %s", metadata.filename, error.message)
        self._announcing.has_read(wheel.mirror.source, wheel.project)
        return Made(data, sha256)

    def _read(self, wheel: Wanted) -> bytes:
        """Read METADATA out of the wheel; _Trouble, InvalidUpload."""
        try:
            parsed = parse_filename(wheel.filename)
        except InvalidName as error:
            raise InvalidUpload(error.message) from error
        sha256 = self._hash_of(wheel)
        here = self._store.files.open(sha256) if sha256 is not None else None
        if here is not None:
            with here:
                return read_wheel_metadata(here, parsed)
        tail = self._fetch(wheel, None, LEAST)
        if wheel.size is not None and wheel.size != tail.total:
            raise _Trouble(Unreachable("broken", f"has {tail.total} bytes where its page says {wheel.size}"))
        if tail.total == len(tail.data):
            self._take_whole(wheel, tail.data)

        def fetch(first: int, length: int) -> bytes:
            piece = self._fetch(wheel, first, length)
            if piece.total != tail.total or piece.first > first:
                raise _Trouble(Unreachable("broken", "changed while it was read"))
            return piece.data[first - piece.first :][:length]

        return read_wheel_metadata(cast("BinaryIO", RangedFile(tail.total, tail.data, fetch)), parsed)

    def _fetch(self, wheel: Wanted, first: int | None, length: int) -> Piece:
        for attempt in range(ATTEMPTS):
            found = self._upstream.read_range(
                wheel.mirror.upstream, wheel.url, first=first, length=length, deadline_s=LOOK_S
            )
            if isinstance(found, Piece):
                return found
            if not isinstance(found, Unreachable) or found.kind != "broken" or attempt + 1 == ATTEMPTS:
                raise _Trouble(found)
        raise AssertionError  # for the type checker: the last attempt returned or raised

    def _take_whole(self, wheel: Wanted, data: bytes) -> None:
        """Keep a wheel so small that its end is all of it; one with another hash than announced is not read at all."""
        found = hashlib.sha256(data).hexdigest()
        if wheel.sha256 is None:
            return
        if found != wheel.sha256:
            raise _Trouble(Unreachable("broken", f"sent other bytes than announced for {wheel.filename}"))
        try:
            with self._store.files.receive(expected=wheel.sha256, size=len(data)) as receiving:
                receiving.write(data)
                receiving.finish()
            self._keep(wheel, wheel.sha256, len(data))
        except LocalpiError as error:
            log.warning("%s is not kept: %s", wheel.filename, error.message)

    def _tell(self, wheel: Wanted, outcome: Missing | Unreachable | Unranged) -> None:
        """Remember a host without ranges; say that a mirror could not be reached."""
        if isinstance(outcome, Unranged):
            with self._lock:
                self._unranged[_host(wheel.url)] = time.monotonic() + UNRANGED_S
        elif isinstance(outcome, Unreachable):
            log.info("%s: %s: %s", wheel.mirror.name, wheel.filename, outcome.reason)
            self._downloads.tell(wheel, outcome)

    # -- what is here -----------------------------------------------------------------------------------------------

    def _hash_of(self, wheel: Wanted) -> Sha256 | None:
        if wheel.sha256 is not None:
            return wheel.sha256
        row = self._store.cached.find(wheel.mirror.source, wheel.key, wheel.filename)
        return row.sha256 if row is not None else None

    def _is_unranged(self, url: str) -> bool:
        return self._unranged.get(_host(url), 0.0) > time.monotonic()


def _host(url: str) -> str:
    return urlsplit(url).netloc
