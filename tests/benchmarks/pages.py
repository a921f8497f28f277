"""Project pages and the list of projects, as HTML (PEP 503) and JSON (PEP 691, PEP 700)."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.listing import Listed


def page_html(name: str, files: Sequence[Listed], base: str) -> bytes:
    """Render a project page; `base` stands in front of each filename."""
    title = f"Links for {name}"
    lines = [f"<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>"]
    for file in files:
        more = f' data-requires-python="{escape(file.requires_python)}"' if file.requires_python else ""
        more += f' data-yanked="{escape(file.yanked)}"' if file.yanked is not None else ""
        href = f"{base}{quote(file.filename)}#sha256={file.sha256}"
        lines.append(f'<a href="{href}"{more}>{escape(file.filename)}</a><br/>')
    return "\n".join([*lines, "</body>\n</html>\n"]).encode()


def page_json(name: str, files: Sequence[Listed], base: str) -> bytes:
    """Render a project page; api-version 1.4 when every size is known, which PEP 700 asks for, else 1.0."""
    entries = [_entry(file, base) for file in files]
    page: dict[str, Any] = {"files": entries, "meta": {"api-version": "1.0"}, "name": name}
    if all(file.size is not None for file in files):
        page["meta"]["api-version"] = "1.4"
        page["versions"] = sorted({_version(file.filename) for file in files})
    return json.dumps(page, separators=(",", ":")).encode()


def names_html(names: Sequence[str]) -> bytes:
    """Render the list of projects."""
    links = "\n".join(f'<a href="/simple/{name}/">{name}</a><br/>' for name in names)
    return f"<!DOCTYPE html>\n<html><body>\n{links}\n</body></html>\n".encode()


def names_json(names: Sequence[str]) -> bytes:
    """Render the list of projects."""
    return json.dumps({"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in names]}).encode()


def _entry(file: Listed, base: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": file.filename,
        "hashes": {"sha256": file.sha256},
        "requires-python": file.requires_python,
        "url": base + quote(file.filename),
        "yanked": False if file.yanked is None else file.yanked or True,
    }
    if file.size is not None:
        entry["size"] = file.size
    if file.upload_time is not None:
        entry["upload-time"] = file.upload_time
    return entry


def _version(filename: str) -> str:
    if filename.endswith(".whl"):
        return filename.split("-")[1]
    return filename.removesuffix(".tar.gz").rpartition("-")[2]
