"""A stage's page of a project, made from its rows (PEP 691, 700, 714, 592). Pure: no I/O, no clock."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localpi.simple.links import file_path
from localpi.simple.model import File, Page
from localpi.simple.names import version_key

if TYPE_CHECKING:
    from localpi.simple.names import ProjectName
    from localpi.store.releases import FileRow


def stage_page(rows: tuple[FileRow, ...], index: str, project: ProjectName) -> Page:
    """Return the page with links to the files' paths below `index`; `versions` ascending, files in the rows' order."""
    versions = sorted({row.version for row in rows}, key=version_key)
    return Page(
        {
            "meta": {"api-version": "1.4"},
            "name": project,
            "versions": versions,
            "files": [_make_file(row, index) for row in rows],
        }
    )


def format_time(at_us: int) -> str:
    """Return integer microseconds UTC as PEP 700 writes `upload-time`."""
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC).replace(microsecond=at_us % 1_000_000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _make_file(row: FileRow, index: str) -> File:
    file: File = {
        "filename": row.filename,
        "hashes": {"sha256": row.sha256},
        "size": row.size,
        "upload-time": format_time(row.uploaded_us),
    }
    if row.requires_python:
        file["requires-python"] = row.requires_python
    if row.core_metadata:
        file["core-metadata"] = {"sha256": hashlib.sha256(row.core_metadata).hexdigest()}
    if row.yanked is not None:
        file["yanked"] = row.yanked or True
    file["url"] = file_path(index, file)
    return file
