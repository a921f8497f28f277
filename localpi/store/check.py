"""Whether what is on disk agrees with itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from localpi.store.migrations import find_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from localpi.simple.names import Sha256
    from localpi.store.blobs import Blobs
    from localpi.store.store import Store

Kind = Literal["database", "missing", "size", "digest", "orphan", "leftover"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One contradiction: of which kind, where (a file of ours), and a sentence."""

    kind: Kind
    where: str
    what: str


def check(store: Store, *, deep: bool = False) -> tuple[Problem, ...]:
    """Hold rows against files, and ask SQLite about its own; with `deep` every file is hashed again.

    May run beside everything else: a file is a problem only when rows read before and after say the same of it.
    """
    store.flush()
    return (
        *_check_databases(store),
        *_check_files(store.uploads, store.releases.all_hashes, deep=deep),
        *_check_files(store.files, store.cached.all_hashes, deep=deep),
        *_check_files(store.pinned, store.pins.hashes, deep=deep),
    )


def _check_databases(store: Store) -> Iterator[Problem]:
    for database in (store.own, store.cache):
        damage = find_damage(database.path, thorough=True)
        if damage:
            yield Problem("database", database.path.name, damage)
        for row in database.read("PRAGMA foreign_key_check"):
            yield Problem("database", database.path.name, f"a row of {row[0]} belongs to one of {row[2]} that is gone")


def _check_files(blobs: Blobs, rows: Callable[[], Mapping[Sha256, int]], *, deep: bool) -> Iterator[Problem]:
    before, found = rows(), dict(blobs.all())
    after = rows()
    for sha256, size in after.items():
        if sha256 not in before:
            continue
        on_disk = blobs.has(sha256)
        if on_disk is None:
            yield Problem("missing", sha256, "a row speaks of it, but it is not there")
        elif on_disk != size:
            yield Problem("size", sha256, f"has {on_disk:,} bytes, its row says {size:,}")
        elif deep and not is_intact(blobs, sha256):
            yield Problem("digest", sha256, "its bytes have another sha256 than its name")
    for sha256 in found:
        if sha256 not in after and blobs.has(sha256) is not None:
            yield Problem("orphan", sha256, "no row speaks of it")
    for path in blobs.leftovers():
        yield Problem("leftover", path.name, "was left half by a transfer")


def is_intact(blobs: Blobs, sha256: Sha256) -> bool:
    """Say whether the bytes are those that the name says; what is not here is not damaged."""
    file = blobs.open(sha256)
    if file is None:
        return True
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256  # type: ignore[arg-type]  # a raw file does
