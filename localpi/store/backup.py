"""All that cannot be had again, as it is at one moment, while others read and write.

The databases are copied whole (VACUUM INTO); files never change, so a second name for each is a copy. A crash leaves a
folder that the next start removes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import NewerDatabase, StoreBroken
from localpi.store.connecting import translated
from localpi.store.durable import make_folder, raise_disk_full
from localpi.store.schema import OWN

if TYPE_CHECKING:
    from pathlib import Path

    from localpi.simple.names import Sha256
    from localpi.store.blobs import Blobs
    from localpi.store.store import Store


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in the folder: files in all, their bytes, and the hashes of those that are named but not here."""

    files: int
    bytes: int
    missing: tuple[Sha256, ...]


def copy_store(store: Store, folder: Path, *, cache: bool) -> Copied:
    """Put the database, uploads and pinned files into a new folder (0700), with `cache` also what mirrors gave.

    Nothing that a row names may be unlinked meanwhile: its caller sees to that. What is evicted from the cache is left
    out. DiskFull; FileExistsError.
    """
    make_folder(folder.parent)
    folder.mkdir(mode=0o700)
    try:
        own = folder / "localpi.sqlite"
        store.own.copy_to(own)
        uploads = _hashes(own, "SELECT sha256 FROM files UNION SELECT sha256 FROM attachments")
        pinned = _hashes(own, "SELECT DISTINCT sha256 FROM pins")
        missing = _link(store.uploads, uploads, folder / "files")
        missing += _link(store.files, pinned, folder / "pinned" / "files")
        if cache:
            store.cached.flush_use()
            make_folder(folder / "cache")
            store.cache.copy_to(folder / "cache" / "cache.sqlite")
            _link(store.files, sorted(store.cached.all_hashes().keys() - set(pinned)), folder / "cache" / "files")
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Copied(len(sizes), sum(sizes), tuple(missing))


def check_copy(path: Path) -> None:
    """Look at a database that is not in use: StoreBroken, NewerDatabase.

    A view or a trigger that none of our versions made would run as soon as the daemon, or we, use a table of its name.
    """
    shape: dict[tuple[str, str], str] = {}
    try:
        with contextlib.closing(_open_copy(path)) as connection:
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)").fetchall()]
            found = int(connection.execute("PRAGMA user_version").fetchall()[0][0])
            shape = _shape(connection)
    except sqlite3.DatabaseError as error:
        said, found = [str(error)], 0
    if said != ["ok"]:
        raise StoreBroken(f"the database in it is damaged: {'; '.join(said)}")
    if found > len(OWN):
        raise NewerDatabase("the database of the backup", found, len(OWN))
    if not found:
        raise StoreBroken("the database in it is empty")
    ours = _made(found)
    strange = [name for (kind, name), sql in shape.items() if _runs(kind, sql) and ours.get((kind, name)) != sql]
    strange += [name for kind, name in ours if kind == "table" and (kind, name) not in shape]
    if strange:
        raise StoreBroken(f"no localpi made the database in it: {', '.join(strange)[:200]!r}")


def named_files(path: Path) -> tuple[frozenset[Sha256], frozenset[Sha256]]:
    """Give the hashes of uploads and of pinned files that a database speaks of, which is not in use. StoreBroken."""
    try:
        uploads = _hashes(path, "SELECT sha256 FROM files UNION SELECT sha256 FROM attachments")
        return frozenset(uploads), frozenset(_hashes(path, "SELECT DISTINCT sha256 FROM pins"))
    except sqlite3.OperationalError as error:
        raise StoreBroken(f"no localpi made the database in it: {error}") from None


def _runs(kind: str, sql: str) -> bool:
    """Say whether something in a database is more than data."""
    return kind in ("trigger", "view") or sql.upper().startswith("CREATE VIRTUAL")


def _made(version: int) -> dict[tuple[str, str], str]:
    """Return the shape of a database as our migrations make it."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for statement in (statement for migration in OWN[:version] for statement in migration):
            connection.execute(statement)
        return _shape(connection)


def _shape(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """Return the SQL that made each thing in a database, by kind and name."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {(str(kind), str(name)): str(sql) for kind, name, sql in rows}


def _open_copy(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _hashes(path: Path, sql: str) -> list[Sha256]:
    with translated(), contextlib.closing(_open_copy(path)) as connection:
        return sorted(row[0] for row in connection.execute(sql).fetchall())


def _link(blobs: Blobs, hashes: list[Sha256], folder: Path) -> list[Sha256]:
    """Give files a second name below a folder, those that are there; the others."""
    missing = []
    make_folder(folder)
    for sha256 in hashes:
        file = blobs.open(sha256)
        if file is None:
            missing.append(sha256)
            continue
        with file:
            target = folder / sha256[:2] / sha256[2:]
            make_folder(target.parent)
            try:
                os.link(file.name, target)
            except FileNotFoundError:
                missing.append(sha256)
            except OSError as error:  # a file system without links, or the cache is on another one
                raise_disk_full(error)
                shutil.copyfile(file.name, target)
    return missing
