"""Pure: several indexes' pages of one project as one page (PEP 503/691); the earlier index wins per file name."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.simple.model import File, Page


def merge_pages(pages: Sequence[Page]) -> Page:
    """Return one page with the files of all, each file name once, from the first page that has it.

    Keys other than `files` and `versions` are those of the first page; `versions` is the union where every page has
    it, else absent (render then falls back to API version 1.0 honestly).
    """
    merged: dict[str, object] = dict(pages[0])
    files: dict[str, File] = {}
    for page in pages:
        for file in page["files"]:
            files.setdefault(file["filename"], file)
    merged["files"] = list(files.values())
    if all("versions" in page for page in pages):
        merged["versions"] = list(dict.fromkeys(version for page in pages for version in page["versions"]))
    else:
        merged.pop("versions", None)
    return cast("Page", merged)
