"""Facts about the tools: what their files name, what beats that, and where they look besides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from localpi.setup.doctor_facts import ShadowFacts, Stray, ToolFacts
from localpi.wiring import ini_pieces, toml_text
from localpi.wiring.edits import NotEditable, decode
from localpi.wiring.files import look
from localpi.wiring.found import is_ours
from localpi.wiring.pip_files import pip_files
from localpi.wiring.places import places
from localpi.wiring.records import Records
from localpi.wiring.shadows import COMMANDS, find_shadows
from localpi.wiring.survey import survey
from localpi.wiring.wish import without_userinfo

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from localpi.settings.paths import Paths
    from localpi.wiring.survey import Wired

Tools = tuple[tuple[ToolFacts, ...], tuple[ShadowFacts, ...], tuple[Stray, ...]]


def gather_tools(
    paths: Paths, url: str, indexes: Container[str] | None, environ: Mapping[str, str], platform: str
) -> Tools:
    """Return tools, shadows and strays; never raises for what stands in files.

    `url` is the daemon's; `indexes` are those that it has, None when it could not be asked.
    """
    rows = survey(Records(paths), environ, platform)
    tools = tuple(_tool(row, url, indexes) for row in rows)
    ours = {tool.tool for tool in tools if tool.ours}
    strays: list[Stray] = []
    if "pip" in ours:
        strays += _pip_strays(environ, platform)
    if "uv" in ours:
        strays += _uv_strays(environ, platform)
    return tools, _shadows(rows, tools, environ, platform), tuple(strays)


def _tool(row: Wired, url: str, indexes: Container[str] | None) -> ToolFacts:
    named = row.url or ""
    ours = bool(named) and is_ours(named, url)
    if row.state == "wired" and named and not ours:  # wired to this port under a name that was asked for with --host
        ours = _port(named) == _port(url)
    found = re.match(r"/([^/+]+/[^/+]+)/", urlsplit(named).path) if ours else None
    index = found[1] if found else ""
    return ToolFacts(
        tool=row.tool,
        path=row.path,
        state=row.state,
        url=named,
        used=row.used,
        reason=row.reason,
        scope=row.scope,
        ours=ours,
        index=index,
        index_there=index in indexes if index and indexes is not None else None,
    )


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def _shadows(
    rows: tuple[Wired, ...], tools: tuple[ToolFacts, ...], environ: Mapping[str, str], platform: str
) -> tuple[ShadowFacts, ...]:
    """Return each shadow once, with the tools that are in it."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for row, tool in zip(rows, tools, strict=True):
        shadows = row.shadows
        if row.state == "by-hand" and tool.ours:  # `pip config set` and the like: it is meant all the same
            shadows = find_shadows(row.tool, Path(row.path), tool.url, environ, platform)
        for shadow in shadows:
            names = found.setdefault((shadow.where, shadow.what, shadow.beats), [])
            if row.tool not in names:
                names.append(row.tool)
    return tuple(ShadowFacts(tuple(names), *key) for key, names in found.items())


def _pip_strays(environ: Mapping[str, str], platform: str) -> Iterator[Stray]:
    """Yield `find-links` of every file that pip reads; further indexes are shadows already."""
    for file in pip_files(environ, platform):
        try:
            values = ini_pieces.read_values(decode(look(file.path).data or b""))
        except (NotEditable, OSError):
            continue
        for section in ("global", *COMMANDS):
            for url in values.get(section, {}).get("find-links", "").split():
                yield Stray("pip", str(file.path), "find-links", without_userinfo(url))


def _uv_strays(environ: Mapping[str, str], platform: str) -> Iterator[Stray]:
    """Yield what uv finds in the machine's files, whose lists it adds to the user's, and `find-links` of both."""
    user = places("uv", environ, platform)[0].path
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    for path in (user, *(Path(folder) / "uv" / "uv.toml" for folder in folders if folder), Path("/etc/uv/uv.toml")):
        try:
            values = toml_text.read_values(decode(look(path).data or b""))
        except (NotEditable, OSError):
            continue
        inner = values.get("pip")
        for table in (values, inner if isinstance(inner, dict) else {}):
            yield from _uv_table(table, path, machine=path != user)


def _uv_table(table: dict[str, Any], path: Path, *, machine: bool) -> Iterator[Stray]:
    keys = ("find-links", "extra-index-url") if machine else ("find-links",)
    for key in keys:
        urls = table.get(key)
        for url in urls if isinstance(urls, list) else []:
            yield Stray("uv", str(path), key, without_userinfo(str(url)))
    indexes = table.get("index") if machine else None
    for item in indexes if isinstance(indexes, list) else []:
        if isinstance(item, dict) and not item.get("default") and not item.get("explicit"):
            yield Stray("uv", str(path), "[[index]]", without_userinfo(str(item.get("url", ""))))
