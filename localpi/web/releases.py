"""Projects and releases as devpi's client lists them: versions with links, made of the project page. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localpi.errors import InvalidName
from localpi.simple.names import parse_filename

if TYPE_CHECKING:
    from localpi.simple.model import File, Page


def list_releases(page: Page, root: str, *, only: str | None = None) -> dict[str, dict[str, Any]]:
    """Return version -> what is known of it, with devpi's `+links` (DEVPI 2, list).

    `root` is the daemon's absolute URL without a final slash; `only` ("user/index") leaves out what other indexes own.
    Files whose names have no version (old formats) are left out. Versions stand as the page has them.
    """
    releases: dict[str, dict[str, Any]] = {}
    for file in page["files"]:
        if only is not None and not file["url"].startswith(f"/{only}/"):
            continue
        try:
            version = parse_filename(file["filename"]).version
        except InvalidName:
            continue
        release = releases.setdefault(version, {"name": page["name"], "version": version, "+links": []})
        if "requires-python" in file:
            release.setdefault("requires_python", file["requires-python"])
        if file.get("yanked"):
            release["yanked"] = file["yanked"]
        release["+links"].append(_link(file, root))
    return releases


def _link(file: File, root: str) -> dict[str, Any]:
    link: dict[str, Any] = {"rel": "releasefile", "href": root + file["url"], "hashes": dict(file["hashes"])}
    if sha256 := file["hashes"].get("sha256"):
        link["hash_spec"] = f"sha256={sha256}"
    return link
