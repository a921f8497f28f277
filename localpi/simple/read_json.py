"""PEP 691: a JSON page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from localpi.errors import InvalidName, InvalidPage
from localpi.simple.entries import clean_file, is_shallow
from localpi.simple.model import HONEST_VERSION, PAGE_KEYS, Page
from localpi.simple.names import belonging, normalize
from localpi.simple.urls import Joiner

if TYPE_CHECKING:
    from localpi.simple.model import File
    from localpi.simple.names import ProjectName

MAX_FILES: Final = 200_000
_MAX_VERSIONS: Final = 200_000
_MAX_VERSION: Final = 200


def read_json(body: bytes, project: ProjectName, url: str) -> Page:
    """Parse a JSON page of that project; `url` is where it came from. Raises InvalidPage."""
    page = _load(body)
    _check_api(page)
    name = page.get("name")
    try:
        named = normalize(name) if isinstance(name, str) else None
    except InvalidName:
        named = None
    if named != project:
        raise InvalidPage(f"it is the page of {str(name)[:80]!r}, not of {project!r}")
    raw_files = page.get("files")
    if not isinstance(raw_files, list):
        raise InvalidPage("its files are not a list")
    page["name"] = project
    page["files"] = _clean_files(raw_files, Joiner(url), project)
    _clean_optional(page)
    return cast("Page", page)


def _load(body: bytes) -> dict[str, Any]:
    try:
        page = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidPage(f"it is not JSON: {error}") from error
    if not isinstance(page, dict):
        raise InvalidPage("it is not a JSON object")
    return page


def _check_api(page: dict[str, Any]) -> None:
    """Refuse another major version (PEP 629: "clients MUST NOT attempt to use it")."""
    meta = page.get("meta")
    version = meta.get("api-version", HONEST_VERSION) if isinstance(meta, dict) else None
    if not isinstance(version, str) or not is_spoken(version):
        raise InvalidPage(f"it speaks version {str(version)[:20]!r} of the Simple API, not 1")


def is_spoken(version: str) -> bool:
    """Say whether the major version of a page is 1; a greater minor one is for us as 1.4 (PEP 629)."""
    major, _, minor = version.partition(".")
    return major == "1" and (minor.isdecimal() or not minor) and len(minor) < 5


def _clean_files(raw_files: list[Any], joiner: Joiner, project: ProjectName) -> list[File]:
    if len(raw_files) > MAX_FILES:
        raise InvalidPage(f"it lists {len(raw_files):,} files; the limit is {MAX_FILES:,}")
    belongs = belonging(project)
    files: dict[str, File] = {}
    for raw in raw_files:
        if (file := clean_file(raw, joiner)) is not None and belongs(file["filename"]):
            files.setdefault(file["filename"], file)
    if raw_files and not files:
        raise InvalidPage(f"none of its files has a usable URL and a name that one of {project!r} has")
    return list(files.values())


def _clean_optional(page: dict[str, Any]) -> None:
    versions = page.get("versions")
    if isinstance(versions, list) and len(versions) <= _MAX_VERSIONS:
        page["versions"] = [v for v in versions if isinstance(v, str) and 0 < len(v) <= _MAX_VERSION]
    else:
        page.pop("versions", None)
    status = page.get("project-status")
    if not (isinstance(status, dict) and isinstance(status.get("status"), str) and is_shallow(status)):
        page.pop("project-status", None)
    elif not isinstance(status.get("reason", ""), str) or not status.get("reason"):
        status.pop("reason", None)
    for key in page.keys() - PAGE_KEYS:
        if not is_shallow(page[key]):
            del page[key]
    page["meta"] = {key: value for key, value in page["meta"].items() if is_shallow(value)}
    page["meta"].setdefault("api-version", HONEST_VERSION)
