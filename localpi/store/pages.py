"""Upstream pages as they came; written behind, and found from the moment they are handed in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, Self, cast

if TYPE_CHECKING:
    import sqlite3

    from localpi.simple.names import ProjectName
    from localpi.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """What an upstream said about a project last.

    `body` is the page as it came, `encoding` "gzip" or "", `url` where it came from in the end. `missing_us`: since
    when the upstream says that there is none; a page that was there before stays (`status` "present").
    """

    source: str
    project: ProjectName
    status: Literal["present", "missing"]
    url: str
    content_type: str
    encoding: str
    body: bytes
    etag: str | None
    last_modified: str | None
    fetched_us: int
    max_age_s: int | None
    serial: int | None
    missing_us: int | None = None

    @classmethod
    def missing(cls, source: str, project: ProjectName, at_us: int, max_age_s: int | None = None) -> Self:
        """Make the note that the upstream has no such project."""
        return cls(
            source=source,
            project=project,
            status="missing",
            url="",
            content_type="",
            encoding="",
            body=b"",
            etag=None,
            last_modified=None,
            fetched_us=at_us,
            max_age_s=max_age_s,
            serial=None,
            missing_us=at_us,
        )

    @property
    def key(self) -> tuple[str, str]:
        """Give source and project."""
        return self.source, self.project


Edit = Callable[[StoredPage | None], StoredPage | None]
"""What a write does to the stored page; the same twice as once."""

COLUMNS = tuple(field.name for field in fields(StoredPage) if field.name != "body")
HEAD = f"SELECT {', '.join(COLUMNS)}, x'' AS body FROM pages"  # noqa: S608 - columns of the class above
WHOLE = f"""SELECT {", ".join(COLUMNS)}, coalesce(body, x'') AS body
    FROM pages LEFT JOIN bodies ON bodies.page = pages.id"""  # noqa: S608 - columns of the class above
ONE = "WHERE source = ? AND project = ?"

MOST_UNWRITTEN = 32 << 20
"""Bytes of pages that found no room on the disk and are kept in memory."""


class Pages:
    """Pages by source and project. Writes do not wait; reads see them at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._edits: dict[tuple[str, str], list[Edit]] = {}
        self._unwritten: dict[tuple[str, str], int] = {}
        self._editing = threading.Lock()

    def get(self, source: str, project: ProjectName) -> StoredPage | None:
        """Give the page with its body."""
        return self._find(WHOLE, (source, project))

    def head(self, source: str, project: ProjectName) -> StoredPage | None:
        """Give what is known of the page, with an empty body, without reading that."""
        found = self._find(HEAD, (source, project))
        return None if found is None else replace(found, body=b"")

    def names(self, source: str) -> tuple[ProjectName, ...]:
        """Give the projects that are committed and whose page is there, sorted."""
        sql = (
            "SELECT project FROM pages WHERE source = ? AND status = 'present' AND missing_us IS NULL ORDER BY project"
        )
        return tuple(row["project"] for row in self._database.read(sql, (source,)))

    def smallest(self, source: str) -> str:
        """Give the committed project whose page costs least to ask for, "" when there is none."""
        sql = """SELECT project FROM pages JOIN bodies ON bodies.page = pages.id
            WHERE source = ? AND status = 'present' AND missing_us IS NULL ORDER BY length(body), project LIMIT 1"""
        return "".join(row["project"] for row in self._database.read(sql, (source,)))

    def put_later(self, page: StoredPage) -> None:
        """Store a page, or the note that there is none: that leaves an earlier page where it is."""
        if page.status == "missing":
            self._write(page.key, lambda before: _without(before, page), lambda c: _write_missing(c, page))
        else:
            self._write(page.key, lambda _: page, lambda c: _write_page(c, page), weight=len(page.body))

    def touch_later(
        self, source: str, project: ProjectName, fetched_us: int, max_age_s: int | None, etag: str | None
    ) -> None:
        """Note that the page was found unchanged, without writing its body again."""
        values = (fetched_us, max_age_s, etag)
        sql = f"UPDATE pages SET fetched_us = ?, max_age_s = ?, etag = ?, missing_us = NULL {ONE}"  # noqa: S608 - constant

        def edit(before: StoredPage | None) -> StoredPage | None:
            if before is None:
                return None
            return replace(before, fetched_us=fetched_us, max_age_s=max_age_s, etag=etag, missing_us=None)

        self._write((source, project), edit, lambda c: c.execute(sql, (*values, source, project)))

    def forget(self, source: str, project: ProjectName) -> bool:
        """Delete the page, and say whether there was one."""
        sql = f"DELETE FROM pages {ONE}"  # noqa: S608 - constant
        return self._database.write(lambda c: c.execute(sql, (source, project)).rowcount) > 0

    def forget_others(self, sources: tuple[str, ...]) -> int:
        """Delete the pages of all sources but these, and say how many."""
        marks = ", ".join("?" * len(sources))
        sql = f"DELETE FROM pages WHERE source NOT IN ({marks})"  # noqa: S608 - marks alone
        return self._database.write(lambda c: c.execute(sql, sources).rowcount)

    def _find(self, sql: str, key: tuple[str, str]) -> StoredPage | None:
        edits = tuple(self._edits.get(key, ()))  # before the read: what is committed meanwhile changes nothing twice
        rows = self._database.read(f"{sql} {ONE}", key)
        page = StoredPage(**cast("dict[str, Any]", dict(rows[0]))) if rows else None
        for edit in edits:
            page = edit(page)
        return page

    def _write(
        self,
        key: tuple[str, str],
        edit: Edit,
        operation: Callable[[sqlite3.Connection], object],
        *,
        weight: int = 0,
    ) -> None:
        def after() -> None:
            with self._editing:
                edits = self._edits.get(key, [])
                if edit in edits:
                    # What came before and could not be written is in the row now, or was meant for a row that is gone.
                    del edits[: edits.index(edit) + 1]
                if not edits:
                    self._edits.pop(key, None)
                    self._unwritten.pop(key, None)

        def failed() -> None:
            """Keep the page in memory, as long as there are not too many: the disk is full, serving goes on."""
            with self._editing:
                self._unwritten[key] = max(weight, self._unwritten.pop(key, 0))
                while sum(self._unwritten.values()) > MOST_UNWRITTEN:
                    dropped = next(iter(self._unwritten))
                    del self._unwritten[dropped]
                    self._edits.pop(dropped, None)

        with self._editing:
            self._edits.setdefault(key, []).append(edit)
        self._database.write_later(operation, weight=weight, after=after, failed=failed)


def _without(before: StoredPage | None, missing: StoredPage) -> StoredPage:
    if before is None or before.status == "missing":
        since = missing.missing_us if before is None else before.missing_us
        return replace(missing, missing_us=since)
    return replace(
        before,
        fetched_us=missing.fetched_us,
        max_age_s=missing.max_age_s,
        missing_us=missing.missing_us if before.missing_us is None else before.missing_us,
    )


def _write_missing(connection: sqlite3.Connection, missing: StoredPage) -> None:
    connection.execute(
        f"""INSERT INTO pages ({", ".join(COLUMNS)}) VALUES ({", ".join("?" * len(COLUMNS))})
            ON CONFLICT (source, project) DO UPDATE SET fetched_us = excluded.fetched_us,
                max_age_s = excluded.max_age_s, missing_us = coalesce(missing_us, excluded.missing_us)""",  # noqa: S608 - columns of the class
        tuple(getattr(missing, column) for column in COLUMNS),
    )


def _write_page(connection: sqlite3.Connection, page: StoredPage) -> None:
    changed = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS)
    connection.execute(
        f"""INSERT INTO pages ({", ".join(COLUMNS)}) VALUES ({", ".join("?" * len(COLUMNS))})
            ON CONFLICT (source, project) DO UPDATE SET {changed}""",  # noqa: S608 - columns of the class
        tuple(getattr(page, column) for column in COLUMNS),
    )
    connection.execute(
        f"""INSERT INTO bodies (page, body) SELECT id, ? FROM pages {ONE}
            ON CONFLICT (page) DO UPDATE SET body = excluded.body""",  # noqa: S608 - constant
        (page.body, *page.key),
    )
