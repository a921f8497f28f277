"""Pure: what a newer page of a project may not take away from an older one.

A file whose bytes are here stays listed when its page drops it, yanked, so that exact pins go on installing and
nothing else picks it. A file name keeps its hash: other bytes under the same name are refused, the old ones stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from localpi.index.offline_view import without_absent_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from localpi.simple.model import File, Page
    from localpi.store.kept import KeptFile

_LINK = re.compile(rb'/\+[ef]/[^"\\]+')


@dataclass(frozen=True, slots=True)
class Loss:
    """A file that a newer page lists no more (`gone`), or with another hash (`changed`); `entry` is the older one's."""

    filename: str
    why: str
    entry: File


def nothing_lost(older: bytes, newer: bytes) -> bool:
    """Whether every link of the older page is on the newer one, both as rendered: a link holds name and hash.

    Most new pages only add files; this finds so in 5 ms for 15,000 of them, where reading both takes 50.
    """
    return set(_LINK.findall(older)) <= set(_LINK.findall(newer))


def losses(older: Iterable[File], newer: Iterable[File]) -> tuple[Loss, ...]:
    """Return what the newer page lost; a hash that only comes or goes is no change, there is nothing to compare."""
    now = {file["filename"]: file for file in newer}
    found = []
    for file in older:
        there = now.get(file["filename"])
        if there is None:
            found.append(Loss(file["filename"], "gone", file))
        elif not _same(file["hashes"], there["hashes"]):
            found.append(Loss(file["filename"], "changed", file))
    return tuple(found)


def with_kept(page: Page, kept: Sequence[KeptFile], is_here: Callable[[File, bool], bool]) -> Page:
    """Return the page with its kept files: changed ones as they were, gone ones yanked, as long as they are here.

    `is_here` is what offline_view.py asks for.
    """
    if not kept or page.get("project-status", {}).get("status") == "quarantined":
        return page
    changed = {file.filename: file for file in kept if file.why == "changed"}
    names = {file["filename"] for file in page["files"]}
    files = [
        cast("File", dict(changed[file["filename"]].entry)) if file["filename"] in changed else file
        for file in page["files"]
    ]
    files += [
        cast("File", {**without_absent_metadata(_entry(file), is_here), "yanked": gone_reason(file.since_us)})
        for file in kept
        if file.filename not in names and is_here(_entry(file), False)  # noqa: FBT003 - the bytes, not the metadata
    ]
    return cast("Page", {**page, "files": files})


def gone_reason(since_us: int) -> str:
    """Return what a gone file is yanked with."""
    return f"gone upstream since {datetime.fromtimestamp(since_us // 1_000_000, UTC).date().isoformat()}"


def _entry(file: KeptFile) -> File:
    return cast("File", file.entry)


def _same(older: Mapping[str, str], newer: Mapping[str, str]) -> bool:
    """Whether two sets of digests may be of the same bytes: those that both have are equal."""
    return all(newer[name] == digest for name, digest in older.items() if name in newer)
