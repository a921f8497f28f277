"""What a person wants kept whatever happens to the cache: rows and pages in the own database, bytes beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, cast

from localpi.store.cached import CachedFile
from localpi.store.pages import StoredPage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from localpi.simple.names import ProjectName, Sha256
    from localpi.store.database import Database

Link = tuple[str, str, str]
"""Source, key, file name: what names a file of a mirror, as in `CachedFile`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A file of a mirror that is never evicted; the fields are those of `CachedFile`, `size` in bytes."""

    source: str
    key: str
    filename: str
    project: ProjectName
    sha256: Sha256
    size: int
    pinned_us: int

    @property
    def link(self) -> Link:
        """What names it."""
        return self.source, self.key, self.filename

    def as_cached(self) -> CachedFile:
        """Make the row of the cache that speaks of it."""
        return CachedFile(
            source=self.source,
            key=self.key,
            filename=self.filename,
            project=self.project,
            sha256=self.sha256,
            size=self.size,
            stored_us=self.pinned_us,
            used_us=self.pinned_us,
        )


class Pins:
    """The pins; what is pinned is in memory too, since every eviction asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pins = {pin.link: pin for pin in self._read()}

    def all(self) -> tuple[Pin, ...]:
        """Give them all, by source and file name."""
        return tuple(sorted(self._pins.values(), key=lambda pin: pin.link))

    def hashes(self) -> dict[Sha256, int]:
        """Give sha256 and size in bytes of what is pinned, whatever its name."""
        return {pin.sha256: pin.size for pin in self._pins.values()}

    def add(self, pins: Iterable[Pin], pages: Iterable[StoredPage]) -> None:
        """Note pins whose bytes are in their place already, and copies of the pages that name them. DiskFull."""
        new, copies = tuple(pins), tuple(pages)

        def add(connection: sqlite3.Connection) -> None:
            connection.executemany(
                """INSERT OR REPLACE INTO pins (source, key, filename, project, sha256, size, pinned_us)
                    VALUES (?, ?, ?, ?, ?, ?, ?)""",
                [(*pin.link, pin.project, pin.sha256, pin.size, pin.pinned_us) for pin in new],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO pinned_pages (source, project, head, body) VALUES (?, ?, ?, ?)",
                [(page.source, page.project, _head(page), page.body) for page in copies],
            )

        self._database.write(add)
        self._pins = self._pins | {pin.link: pin for pin in new}

    def remove(self, links: Iterable[Link]) -> tuple[Sha256, ...]:
        """Drop pins, and say which bytes no other pin holds."""
        gone = [link for link in links if link in self._pins]

        def remove(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM pins WHERE source = ? AND key = ? AND filename = ?", gone)
            connection.execute(
                """DELETE FROM pinned_pages WHERE NOT EXISTS (SELECT 1 FROM pins
                    WHERE source = pinned_pages.source AND project = pinned_pages.project)"""
            )

        self._database.write(remove)
        released = {self._pins[link].sha256 for link in gone}
        self._pins = {link: pin for link, pin in self._pins.items() if link not in gone}
        return tuple(released - self.hashes().keys())

    def pages(self) -> tuple[StoredPage, ...]:
        """Give the copies of pages."""
        rows = self._database.read("SELECT head, body FROM pinned_pages")
        return tuple(StoredPage(**json.loads(row["head"]), body=bytes(row["body"])) for row in rows)

    def _read(self) -> tuple[Pin, ...]:
        rows = self._database.read("SELECT source, key, filename, project, sha256, size, pinned_us FROM pins")
        return tuple(Pin(**cast("dict[str, object]", dict(row))) for row in rows)  # type: ignore[arg-type]  # as stored


def _head(page: StoredPage) -> str:
    values = asdict(replace(page, body=b""))
    del values["body"]
    return json.dumps(values)
