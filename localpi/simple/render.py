"""From a linked page to bytes: JSON (PEP 691) and HTML (PEP 503), and the lists of projects."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from localpi.simple.model import API_VERSION, HONEST_VERSION, File, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

JSON_TYPE: Final = "application/vnd.pypi.simple.v1+json"
HTML_TYPE: Final = "application/vnd.pypi.simple.v1+html"
TEXT_HTML: Final = "text/html"

_HASH_ORDER: Final = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5")


def render_json(page: Page) -> bytes:
    """Write a linked page as JSON.

    It says version 1.4, or honestly 1.0 when a file has no size or the page no versions: PEP 700 demands both.
    """
    meta = {**page.get("meta", {}), "api-version": _version_of(page)}
    return orjson.dumps({**page, "meta": meta})


def load_page(body: bytes) -> Page:
    """Read what render_json wrote. For our own bytes only: nothing is checked."""
    return cast("Page", orjson.loads(body))


def count_files(body: bytes) -> int:
    """Count the files of what render_json wrote, without reading it: 1 ms for 5 MB."""
    return body.count(b'"filename":"')


def render_html(page: Page) -> bytes:
    """Write a linked page as HTML, version 1.4 for ever (PEP 833), everything escaped.

    `data-dist-info-metadata` repeats the value of `data-core-metadata` for older clients (PEP 714).
    """
    name = escape(page["name"])
    lines = [_top(f"Links for {name}", "".join(_status_metas(page))), f"<h1>Links for {name}</h1>\n"]
    escaped: dict[str, str] = {"": ""}
    lines += [_anchor(file, escaped) for file in page["files"]]
    lines.append("</body>\n</html>\n")
    return "".join(lines).encode()


def render_names_json(names: Iterable[str]) -> bytes:
    """Write a list of projects as JSON (PEP 691)."""
    return orjson.dumps({"meta": {"api-version": API_VERSION}, "projects": [{"name": name} for name in names]})


def render_names_html(names: Iterable[str], base: str = "") -> bytes:
    """Write a list of projects as HTML (PEP 503); links are relative to the list, or begin with `base`."""
    start = escape(base)
    lines = [f'<a href="{start}{escape(name)}/">{escape(name)}</a><br>\n' for name in names]
    return f"{_top('Simple index', '')}{''.join(lines)}</body>\n</html>\n".encode()


def with_prefix(page: Page, prefix: str) -> Page:
    """Copy a linked page with `prefix` (a path or URL without a slash at its end) in front of every absolute path."""
    if not prefix:
        return page
    files = [
        cast("File", {**file, "url": prefix + file["url"]}) if file["url"].startswith("/") else file
        for file in page["files"]
    ]
    return cast("Page", {**page, "files": files})


def _version_of(page: Page) -> str:
    if "versions" in page and all("size" in file for file in page["files"]):
        return API_VERSION
    return HONEST_VERSION


def _top(title: str, metas: str) -> str:
    return (
        "<!DOCTYPE html>\n<html>\n<head>\n"
        f'<meta name="pypi:repository-version" content="{API_VERSION}">\n{metas}'
        f"<title>{title}</title>\n</head>\n<body>\n"
    )


def _status_metas(page: Page) -> Iterator[str]:
    status = page.get("project-status", {})
    for name, content in (("project-status", status.get("status")), ("project-status-reason", status.get("reason"))):
        if content:
            yield f'<meta name="pypi:{name}" content="{escape(content)}">\n'


def _anchor(file: File, escaped: dict[str, str]) -> str:
    """Write one link; `escaped` remembers the few different texts of a page."""
    requires = file.get("requires-python", "")
    if (text := escaped.get(requires)) is None:
        text = escaped[requires] = f' data-requires-python="{escape(requires)}"'
    if metadata := file.get("core-metadata"):
        value = _metadata_value(metadata)
        text = f'{text} data-dist-info-metadata="{value}" data-core-metadata="{value}"'
    if not file.keys().isdisjoint(("yanked", "gpg-sig", "provenance")):
        text += "".join(_rare_attributes(file))
    hashes = file["hashes"]
    digest = f"#sha256={hashes['sha256']}" if "sha256" in hashes else _fragment(hashes)
    filename = escape(file["filename"])
    return f'<a href="{escape(file["url"])}{digest}"{text}>{filename}</a><br>\n'


def _rare_attributes(file: File) -> Iterator[str]:
    if "gpg-sig" in file:
        yield f' data-gpg-sig="{"true" if file["gpg-sig"] else "false"}"'
    if yanked := file.get("yanked"):
        yield f' data-yanked="{escape(yanked) if isinstance(yanked, str) else ""}"'
    if provenance := file.get("provenance"):
        yield f' data-provenance="{escape(provenance)}"'


def _metadata_value(metadata: Any) -> str:
    if isinstance(metadata, dict):
        return escape(_fragment(metadata)[1:]) or "true"
    return "true"


def _fragment(hashes: dict[str, str]) -> str:
    """Give the best digest as a fragment (PEP 503 has room for one)."""
    for name in _HASH_ORDER:
        if name in hashes:
            return f"#{name}={escape(hashes[name])}"
    return ""
