"""Releases and files as lines of a table. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.tui import wording
from localpi.tui.widgets.row import Row

if TYPE_CHECKING:
    from datetime import datetime

    from localpi.remote.told import FileRow, Release


def release_lines(releases: tuple[Release, ...], index: str, now: datetime) -> list[Row]:
    """Return a line per release and below it one per file; keys begin with the version."""
    lines = []
    for release in releases:
        yanked = release.yanked
        title = release.version + (f"  yanked{': ' + yanked if yanked else ''}" if yanked is not None else "")
        total = sum(file.size or 0 for file in release.files)
        lines.append(
            Row(
                f"{release.version}\n",
                ((title, "warn" if yanked is not None else "strong"), (wording.size(total) if total else "", "dim")),
            )
        )
        lines += [_file_line(release.version, file, index, now) for file in release.files]
    return lines


def _file_line(version: str, file: FileRow, index: str, now: datetime) -> Row:
    here: dict[bool | None, tuple[str, wording.Tone]] = {
        True: ("●", "good"), False: ("○", "dim"), None: ("", "")
    }  # fmt: skip
    source = "" if file.index == index else f"  ({file.index})"
    return Row(
        f"{version}\n{file.filename}",
        (
            (f"  {rest_of(file.filename, version)}{source}", "warn" if file.yanked is not None else ""),
            (wording.size(file.size) if file.size is not None else "", "dim"),
            here[file.cached],
            (wording.clock(file.uploaded, now), "dim"),
        ),
    )


def rest_of(filename: str, version: str) -> str:
    """Return what a file's name says besides project and version: `py3-none-any.whl`, `sdist .tar.gz`."""
    _, found, rest = filename.partition(f"-{version}")
    if not found or rest[:1] not in {"-", "."}:
        return filename
    return rest[1:] if rest.startswith("-") else f"sdist {rest}"


def version_of(key: str | None) -> str | None:
    """Return the version that a line's key is about."""
    return key.partition("\n")[0] if key else None


def file_of(key: str | None) -> str | None:
    """Return the file that a line's key is about; None for a release's own line."""
    return key.partition("\n")[2] or None if key else None
