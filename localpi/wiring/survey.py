"""How every tool is wired at the moment, for `wire --status` and doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.wiring import ini_pieces, toml_text
from localpi.wiring.edits import NotEditable, decode
from localpi.wiring.files import look
from localpi.wiring.places import TOOLS, Place, is_used, places
from localpi.wiring.shadows import Shadow, find_shadows
from localpi.wiring.wish import SECTION, without_userinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.wiring.records import Record, Records

KEYS = {
    "pip": (("global",), "index-url"),
    "uv": (("pip",), "index-url"),
    "pdm": (("pypi",), "url"),
    "poetry": (("repositories", SECTION), "url"),
    "twine": ((SECTION,), "repository"),
    "pixi": (("pypi-config",), "index-url"),
}
"""Where each tool's file names the index."""


@dataclass(frozen=True, slots=True)
class Wired:
    """One file of one tool."""

    tool: str
    scope: str
    path: str
    state: str
    """`wired`, `drifted` (edited since), `by-hand` (names an index, no record), `unwired` or `broken`."""
    url: str | None
    """What the file names, without user and password."""
    used: bool
    """Whether the tool is installed or has a configuration."""
    reason: str = ""
    """Why it is broken."""
    shadows: tuple[Shadow, ...] = ()


def survey(records: Records, environ: Mapping[str, str], platform: str) -> tuple[Wired, ...]:
    """Return how each tool stands, and every other file that was wired; never raises for a broken file."""
    rows = []
    seen = set()
    for tool in TOOLS:
        place = places(tool, environ, platform)[0]
        seen.add(place.path)
        rows.append(_look_at(place, records.get(place.path), environ, platform))
    for record in records.all():
        if record.path not in seen and record.tool == "pip":
            place = Place("pip", record.path, "ini", places("pip", environ, platform)[0].plan, scope=record.scope)
            rows.append(_look_at(place, record, environ, platform))
    return tuple(rows)


def _look_at(place: Place, record: Record | None, environ: Mapping[str, str], platform: str) -> Wired:
    used = is_used(place.tool, environ, platform)
    shown = str(place.path)
    section, key = KEYS[place.tool]
    try:
        data = look(place.path).data
        text = decode(data or b"")
        if place.form == "ini":
            url = ini_pieces.read_values(text).get(section[0], {}).get(key)
        else:
            url = toml_text.value_at(toml_text.read_values(text), section, key)
    except (NotEditable, OSError) as error:
        return Wired(place.tool, place.scope, shown, "broken", None, used, str(error))
    url = url if isinstance(url, str) else None
    kept = record is not None and any(change.key == key and change.value == url for change in record.changes)
    ours = kept or (record is not None and data == record.after)
    state = "by-hand" if url else "unwired"
    if record is not None:
        state = "wired" if ours else "drifted"
    shadows = find_shadows(place.tool, place.path, url, environ, platform) if url and ours else ()
    return Wired(place.tool, place.scope, shown, state, url and without_userinfo(url), used, "", shadows)
