"""Made projects and the simple pages that show them."""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from made.wheels import wheel_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

V1_JSON = "application/vnd.pypi.simple.v1+json"
V1_HTML = "application/vnd.pypi.simple.v1+html"


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file of the corpus; `url` overrides where the page says it is, `sha256` what the page says it hashes to."""

    project: str
    filename: str
    data: bytes
    requires_python: str | None = None
    yanked: str | None = None
    upload_time: str = "2024-01-02T03:04:06.000000Z"
    url: str | None = None
    sha256: str | None = None

    @property
    def metadata(self) -> bytes | None:
        return wheel_metadata(self.data) if self.filename.endswith(".whl") else None


@dataclass(frozen=True, slots=True)
class Shows:
    """What the pages of a server say about files."""

    hashes: bool = True
    sizes: bool = True
    metadata: bool = True
    upload_times: bool = True


def project_of(filename: str) -> str:
    """The normalised project of a made file name (its first dash ends the name)."""
    return re.sub(r"[-_.]+", "-", filename.partition("-")[0]).lower()


def version_of(filename: str) -> str:
    return filename.removesuffix(".tar.gz").removesuffix(".zip").split("-")[1]


def json_page(  # noqa: PLR0917 -- in the order in which a page has them
    project: str,
    files: tuple[MadeFile, ...],
    base: str,
    shows: Shows,
    serial: int | None,
    status: Mapping[str, str] | None = None,
) -> bytes:
    """A PEP 691 page; `base` goes before each file's name, `status` is its `project-status` (PEP 792)."""
    full = shows.sizes
    page: dict[str, Any] = {"meta": {"api-version": "1.1" if full else "1.0"}, "name": project, "files": []}
    if serial is not None:
        page["meta"]["_last-serial"] = serial
    if status:
        page["meta"]["api-version"] = "1.4"
        page["project-status"] = dict(status)
    if full:
        page["versions"] = sorted({version_of(file.filename) for file in files})
    for file in files:
        entry: dict[str, Any] = {"filename": file.filename, "url": file.url or base + quote(file.filename)}
        entry["hashes"] = {"sha256": file.sha256 or _sha256(file.data)} if shows.hashes else {}
        if file.requires_python is not None:
            entry["requires-python"] = file.requires_python
        if file.yanked is not None:
            entry["yanked"] = file.yanked or True
        if full:
            entry["size"] = len(file.data)
        if shows.upload_times:
            entry["upload-time"] = file.upload_time
        if shows.metadata and file.metadata is not None:
            entry["core-metadata"] = {"sha256": _sha256(file.metadata)}
        page["files"].append(entry)
    return json.dumps(page).encode()


def html_page(
    project: str, files: tuple[MadeFile, ...], base: str, shows: Shows, status: Mapping[str, str] | None = None
) -> bytes:
    """A PEP 503 page; `status` is its project status (PEP 792)."""
    metas = {"project-status": "status", "project-status-reason": "reason"}
    lines = [
        f'<!DOCTYPE html>\n<html><head><meta name="pypi:repository-version" content="{"1.4" if status else "1.0"}">',
        *(
            f'<meta name="pypi:{name}" content="{html.escape(status[key])}">'
            for name, key in metas.items()
            if status and key in status
        ),
        f"<title>Links for {project}</title></head><body><h1>Links for {project}</h1>",
    ]
    for file in files:
        fragment = f"#sha256={file.sha256 or _sha256(file.data)}" if shows.hashes else ""
        attributes = f'href="{html.escape((file.url or base + quote(file.filename)) + fragment)}"'
        if file.requires_python is not None:
            attributes += f' data-requires-python="{html.escape(file.requires_python)}"'
        if file.yanked is not None:
            attributes += f' data-yanked="{html.escape(file.yanked)}"'
        if shows.metadata and file.metadata is not None:
            attributes += f' data-core-metadata="sha256={_sha256(file.metadata)}"'
        lines.append(f"<a {attributes}>{file.filename}</a><br>")
    return "\n".join([*lines, "</body></html>\n"]).encode()


def json_list(names: Sequence[str]) -> bytes:
    """A PEP 691 list of projects."""
    return json.dumps({"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in names]}).encode()


def html_list(names: Sequence[str]) -> bytes:
    """A PEP 503 list of projects."""
    links = "".join(f'<a href="/simple/{name}/">{name}</a>\n' for name in names)
    return f"<!DOCTYPE html><html><head><title>Simple index</title></head><body>\n{links}</body></html>\n".encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
