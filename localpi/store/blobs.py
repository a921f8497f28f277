"""Package files by content: `files/ab/cdef…` under their sha256, and `incoming/` beside it on the same file system."""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from localpi.store.durable import check_room, make_folder, raise_disk_full, sync_folder
from localpi.store.receiving import Receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localpi.simple.names import Sha256

SHA256 = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """Whole files under `root`, each under the sha256 of its bytes; nothing half ever stands there.

    What is looked for and not here may lie in `pinned`: finding and opening go there, all else is about `root`.
    """

    def __init__(self, root: Path, pinned: Blobs | None = None) -> None:
        self.root = root
        self.pinned = pinned
        self.incoming = root.with_name("incoming")
        self.under_way: set[str] = set()
        make_folder(self.root)
        make_folder(self.incoming)

    def path(self, sha256: Sha256) -> Path:
        """Where the file is, or would be; ValueError for what is no sha256."""
        if not SHA256.fullmatch(sha256):
            message = f"not a sha256: {sha256[:80]!r}"
            raise ValueError(message)
        return self.root / sha256[:2] / sha256[2:]

    def has(self, sha256: Sha256) -> int | None:
        """Size in bytes, None when it is not here."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return self.pinned.has(sha256) if self.pinned is not None else None

    def open(self, sha256: Sha256) -> BinaryIO | None:
        """Open it for reading, unbuffered (the loop reads large slices); None when it is not here.

        Its `name` is the path where it was found.
        """
        try:
            return cast("BinaryIO", open(self.path(sha256), "rb", buffering=0))  # noqa: PTH123 -- half the cost
        except FileNotFoundError:
            return self.pinned.open(sha256) if self.pinned is not None else None

    def receive(
        self,
        *,
        expected: Sha256 | None = None,
        size: int | None = None,
        limit: int | None = None,
        extra: tuple[str, ...] = (),
        commit: bool = True,
    ) -> Receiving:
        """Begin to take a file in.

        `expected` and `size` (bytes) are what was announced, `limit` the most that is taken, `extra` names further
        digests (`md5`, `blake2_256`). Without `commit` the file waits in `incoming/` for `publish`. DiskFull.
        """
        self.check_room(size or 0)
        try:
            descriptor, name = tempfile.mkstemp(dir=self.incoming)
        except OSError as error:
            raise_disk_full(error)
            raise
        self.under_way.add(name)
        return Receiving(
            self, Path(name), descriptor, expected=expected, size=size, limit=limit, extra=extra, commit=commit
        )

    def pass_through(self, *, expected: Sha256 | None, size: int) -> Receiving:
        """Begin to hand a file on that is not kept: it goes through memory, at the pace of its readers."""
        receiving = Receiving(self, None, -1, expected=expected, size=size, limit=None, extra=(), commit=False)
        receiving.pass_on()
        return receiving

    def check_room(self, size: int) -> None:
        """Raise DiskFull when `size` bytes cannot come in."""
        make_folder(self.incoming)  # the cache may be deleted at any time
        check_room(self.incoming, size)

    def remove(self, sha256: Sha256) -> bool:
        """Delete the file, after the commit that dropped its last row; whether there was one."""
        try:
            self.path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def move(self, sha256: Sha256, other: Blobs) -> None:
        """Give a file to other blobs; copied, and only then removed, where they are on another file system.

        FileNotFoundError; DiskFull, and nothing has happened.
        """
        source, target = self.path(sha256), other.path(sha256)
        make_folder(target.parent)
        try:
            source.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            raise_disk_full(error)
            if error.errno != errno.EXDEV:
                raise
            with source.open("rb") as file, other.receive(expected=sha256, size=source.stat().st_size) as receiving:
                shutil.copyfileobj(file, receiving, 1 << 20)
                receiving.finish()
            source.unlink(missing_ok=True)

    def sweep(self, *, before: float = math.inf) -> int:
        """Remove what a crash left in `incoming/`, changed before a time (POSIX), and say how many files there were."""
        leftovers = [path for path in self.leftovers() if path.stat().st_mtime < before]
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)
        return len(leftovers)

    def leftovers(self) -> list[Path]:
        """List what lies in `incoming/` and is not on its way in."""
        make_folder(self.incoming)
        with os.scandir(self.incoming) as entries:
            found = [entry.path for entry in entries if entry.is_file(follow_symlinks=False)]
        return [Path(path) for path in found if path not in self.under_way]

    def all(self) -> Iterator[tuple[Sha256, int]]:
        """Every file here with its size in bytes, in no order; strangers in the folders are passed over."""
        make_folder(self.root)
        with os.scandir(self.root) as folders:
            names = [folder.name for folder in folders if folder.is_dir(follow_symlinks=False)]
        for name in names:
            with os.scandir(self.root / name) as entries:
                for entry in entries:
                    sha256 = name + entry.name
                    if SHA256.fullmatch(sha256) and entry.is_file(follow_symlinks=False):
                        yield cast("Sha256", sha256), entry.stat(follow_symlinks=False).st_size
