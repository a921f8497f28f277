"""The names of projects in a list of an index (PEP 503, 691), or in as much of it as there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from localpi.errors import InvalidName
from localpi.simple.names import normalize
from localpi.simple.parse import is_json
from localpi.simple.tags import start_tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localpi.simple.names import ProjectName

_NAME: Final = re.compile(r'"name"\s*+:\s*+"([A-Za-z0-9._-]{1,200})"')


def read_names(body: bytes, content_type: str, *, whole: bool) -> tuple[ProjectName, ...]:
    """Give the names in the beginning of a list, each once, in its order; what is no name is passed over.

    Where that is not the `whole` list the last name may be cut, and stays out. Raises InvalidPage for a million tags.
    """
    text = body.decode("utf-8", errors="replace")
    found: Iterable[str] = _NAME.findall(text) if is_json(content_type) else _in_links(text)
    names: dict[ProjectName, None] = {}
    for name in found:
        try:
            names[normalize(name)] = None
        except InvalidName:
            continue
    read = tuple(names)
    return read if whole else read[:-1]


def _in_links(text: str) -> Iterable[str]:
    """Take the last folder of each link; links to files, upwards and with a query are none of projects."""
    for name, attrs in start_tags(text):
        href = attrs.get("href", "").strip()
        if name == "a" and href and not href.startswith(("#", "?", "..")) and "?" not in href:
            yield unquote(href.partition("#")[0].rstrip("/").rpartition("/")[2])
