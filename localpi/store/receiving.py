"""The writing end of a file that is being received: hashed while it comes, kept only when it is right.

Readers (`growing`) follow it. They get the last byte when size and digest are right, so a wrong file never completes
at a client; then come fsync, the name, and the row of a database.
"""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self, cast

from localpi.errors import DigestMismatch, DiskFull, Overlong, StoreBroken, TooLarge, TransferBroken, Truncated
from localpi.store.durable import check_room, make_folder, raise_disk_full, sync_file, sync_folder
from localpi.store.growing import Growing
from localpi.store.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from localpi.simple.names import Sha256
    from localpi.store.blobs import Blobs


class Digest(Protocol):
    """What hashlib's objects have in common."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...  # noqa: D102 - hashlib's

    def hexdigest(self) -> str: ...  # noqa: D102 - hashlib's


EXTRA_DIGESTS: dict[str, Callable[[], Digest]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
}


class Receiving:
    """The writing end of a file on its way in; all methods but `open_reader` belong to one thread.

    `finish` checks and keeps the file, or after `pass_on` only checks it (`stored` stays false). As a context manager
    it throws away what was neither kept nor failed.
    """

    def __init__(
        self,
        blobs: Blobs,
        path: Path | None,
        descriptor: int,
        *,
        expected: Sha256 | None,
        size: int | None,
        limit: int | None,
        extra: tuple[str, ...],
        commit: bool,
    ) -> None:
        self.received = 0
        self.total = size
        self.error: Exception | None = None
        self.verified = False
        self.stored = False
        self.digests: dict[str, str] = {}
        self.generation = 0
        self.sha256: Sha256 | None = None
        self.window: Window | None = None
        self._blobs, self._expected, self._limit = blobs, expected, limit
        self._extra, self._commit = extra, commit
        self._descriptor, self._path = descriptor, path
        self._closing = threading.Lock()
        self._old = 0  # bytes of an earlier attempt that still lie in the file, see restart
        self._old_digest = ""
        self._readers: weakref.WeakSet[Growing] = weakref.WeakSet()
        self._start_hashing()

    def _start_hashing(self) -> None:
        self._hashes: dict[str, Digest] = {"sha256": hashlib.sha256()}
        self._hashes.update({name: EXTRA_DIGESTS[name]() for name in self._extra})

    @property
    def ready(self) -> int:
        """How many bytes readers may have: all but the last until it is known that they are right."""
        if self.verified:
            return self.received
        return max(0, min(self.received, self.total - 1 if self.total is not None else self.received - 1))

    def set_total(self, total: int) -> None:
        """Say how long the file is, in bytes; readers that were promised another length break off."""
        if self._limit is not None and total > self._limit:
            raise TooLarge("the file", self._limit)
        if self._path is not None:
            check_room(self._path.parent, total - self.received)
        self.total = total

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take the next bytes; DiskFull, TooLarge (beyond the limit), Overlong (beyond the total)."""
        end = self.received + len(data)
        if self._limit is not None and end > self._limit:
            raise TooLarge("the file", self._limit)
        if self.total is not None and end > self.total:
            raise Overlong(self.total)
        if self.window is not None:
            self._pass(self.window, memoryview(data))
            return len(data)
        if self.received < self._old:
            self._compare(bytes(data))
        view = memoryview(data)
        offset = self.received
        try:
            while view:
                written = os.pwrite(self._descriptor, view, offset)
                offset += written
                view = view[written:]
        except OSError as error:
            raise_disk_full(error)
            raise
        self._count(memoryview(data))
        return len(data)

    def _count(self, data: memoryview) -> None:
        for running in self._hashes.values():
            running.update(data)
        self.received += len(data)

    def pass_on(self) -> None:
        """Keep the file no more: what comes from here on goes through memory to those who read it.

        The pace is then that of the readers. DiskFull when its length is not known: nobody can read such a file yet.
        """
        if self.total is None:
            raise DiskFull("the disk is full here, and the file's length is not told")
        self.window = Window(max(self.received, self._old), self._places)

    def _places(self) -> list[int]:
        while True:
            try:
                places = [reader.place() for reader in tuple(self._readers)]
            except RuntimeError:  # another thread has just opened one
                continue
            return sorted(place for place in places if place is not None)

    def _pass(self, window: Window, data: memoryview) -> None:
        """Hand bytes on; those of an earlier attempt were handed on before, and must have been the same."""
        again = data[: max(0, self._old - self.received)]
        self._count(again)
        if again and self.received == self._old and self._digest() != self._old_digest:
            raise TransferBroken("the second attempt brought another file than the first")
        data = data[len(again) :]
        if data:
            window.write(data)
            self._count(data)

    def _digest(self) -> str:
        return self._hashes["sha256"].hexdigest()

    def _compare(self, data: bytes) -> None:
        """Break off the readers that were given bytes of an earlier attempt when these are others."""
        before = os.pread(self._descriptor, min(len(data), self._old - self.received), self.received)
        if before != data[: len(before)]:
            self.generation += 1
            self._old = 0

    def restart(self) -> None:
        """Begin again at the first byte (the source cannot resume); readers follow as long as the bytes agree."""
        if self.received >= self._old:
            self._old, self._old_digest = self.received, self._digest()
        self.received = 0
        self._start_hashing()

    def finish(self) -> Sha256:
        """Check size and digest, give readers the last byte, keep the file; the sha256.

        Truncated leaves the file open for more bytes; DigestMismatch and errors of the disk throw it away.
        """
        if self.total is not None and self.received < self.total:
            raise Truncated(self.received, self.total)
        if self.total is not None and self.received > self.total:
            raise Overlong(self.total)
        if self.window is None:
            os.ftruncate(self._descriptor, self.received)
        self.digests = {name: running.hexdigest() for name, running in self._hashes.items()}
        found = cast("Sha256", self.digests["sha256"])
        if self._expected is not None and found != self._expected:
            mismatch = DigestMismatch(self._expected, found)
            self.fail(mismatch)
            raise mismatch
        self.sha256 = found
        self.total = self.received
        self.verified = True
        if self.window is not None:
            self._unlink()
        elif self._commit:
            self.publish()
        return found

    def open_file(self) -> BinaryIO:
        """Read what came, to look into it; after `finish`, before or after `publish`."""
        with self._closing:
            if self.stored and self.sha256:
                return self._blobs.path(self.sha256).open("rb")
            self._check_usable()
            if self._path is None:
                raise DiskFull("the file was not kept")
            return self._path.open("rb")

    def publish(self) -> Sha256:
        """Bring a finished file to the medium under its own name; only then may a database row speak of it."""
        if self.sha256 is None or self._path is None:
            message = "publish comes after finish"
            raise ValueError(message)
        if self.stored:
            return self.sha256
        target = self._blobs.path(self.sha256)
        try:
            sync_file(self._descriptor)
            if not target.parent.is_dir():
                make_folder(target.parent)  # this one alone: all 256 take 0.2 s, in which the file is not here yet
                sync_folder(self._blobs.root)
            self._path.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            self.fail(error)
            raise_disk_full(error)
            raise
        except Exception as error:
            self.fail(error)
            raise
        with self._closing:
            self.stored = True
            self._close_descriptor()
        return self.sha256

    def fail(self, error: Exception) -> None:
        """Give up: the bytes go, readers break off. Nothing happens to a file that is stored already."""
        with self._closing:
            if self.stored or self.error is not None:
                return
            self.error = error
            self._unlink()
            self._close_descriptor()

    def _unlink(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Throw away what was not published."""
        self.fail(StoreBroken("the transfer was given up"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def open_reader(self, start: int = 0, length: int | None = None) -> Growing:
        """Follow the file from any thread; its total must be known. The error that broke it is raised again."""
        if self.total is None:
            message = "the length is not known yet"
            raise ValueError(message)
        with self._closing:
            if self.stored and self.sha256:
                try:
                    descriptor = os.open(self._blobs.path(self.sha256), os.O_RDONLY | os.O_CLOEXEC)
                except FileNotFoundError:
                    raise StoreBroken("the file was removed as soon as it had come") from None
            else:
                self._check_usable()
                descriptor = self._descriptor
                return self.follow(descriptor, start, self.total - start if length is None else length)
        return Growing(self, descriptor, start, self.total - start if length is None else length)

    def follow(self, descriptor: int, start: int, length: int) -> Growing:
        """Make a reader of an open file; the descriptor is doubled."""
        reader = Growing(self, os.dup(descriptor) if descriptor >= 0 else -1, start, length)
        self._readers.add(reader)
        return reader

    def _check_usable(self) -> None:
        if self.error is not None:
            raise self.error

    def _close_descriptor(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._blobs.under_way.discard(str(self._path))
