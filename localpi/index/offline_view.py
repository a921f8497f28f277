"""Pure: a project page as it is shown while its mirror cannot be reached: only what is here.

A resolver that is shown the whole page would pick the newest version and fail at the download; shown this one it picks
something that installs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from localpi.errors import InvalidName
from localpi.simple.names import parse_filename

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.simple.model import File, Page


def offline_view(page: Page, is_here: Callable[[File, bool], bool]) -> Page:
    """Return the page with the files that are here alone, and `versions` with those that have one.

    `is_here(file, metadata)` says whether a file's bytes are here, or with `metadata` its core metadata: where those
    are not the key goes, and a client looks into the wheel itself.
    """
    files = [without_absent_metadata(file, is_here) for file in page["files"] if is_here(file, False)]  # noqa: FBT003 - see above
    shown: dict[str, Any] = {**page, "files": files}
    if "versions" in page:
        there = {_version(file["filename"]) for file in files}
        shown["versions"] = [version for version in page["versions"] if version in there or _plain(version) in there]
    return cast("Page", shown)


def without_absent_metadata(file: File, is_here: Callable[[File, bool], bool]) -> File:
    """Return the file without the promise of core metadata that is not here."""
    if not file.get("core-metadata") or is_here(file, True):  # noqa: FBT003 - as above
        return file
    return cast("File", {key: value for key, value in file.items() if key != "core-metadata"})


def _version(filename: str) -> str:
    try:
        return parse_filename(filename).version
    except InvalidName:
        return ""


def _plain(version: str) -> str:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - few versions are not normal

    try:
        return str(Version(version))
    except InvalidVersion:
        return version
