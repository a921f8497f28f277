"""Names of users and indexes. Pure: no I/O, no clock.

devpi's rule: any characters except ASCII symbols other than `-.@_`, blanks and control characters. Ours besides:
at most 100 characters, printable, and neither "." nor ".." (they would vanish from a URL).
"""

from __future__ import annotations

import re

from localpi.errors import BadRequest, IndexNotFound

MAX_NAME = 100
_BLOCKED = re.compile(r"[\x00-\x20\x7f!\"#$%&'()*+,/:;<=>?\[\\\]^`{|}~]")
_RESERVED = (".", "..", "__token__")


def check_user_name(name: str) -> str:
    """Return the name; raises `BadRequest` with devpi's sentence."""
    return _check("username", name)


def check_index_name(name: str) -> str:
    """Return the part of an index's name behind the slash; raises `BadRequest` with devpi's sentence."""
    return _check("indexname", name)


def split_index(index: str) -> tuple[str, str]:
    """Return user and name of "user/name"; raises `IndexNotFound` for what cannot be one."""
    user, slash, name = index.partition("/")
    if not (slash and user and name) or "/" in name:
        raise IndexNotFound(index[: 2 * MAX_NAME])
    return user, name


def _check(kind: str, name: str) -> str:
    if not name or len(name) > MAX_NAME or name in _RESERVED:
        raise BadRequest(f"{kind} {name[:MAX_NAME]!r} is empty, too long or reserved.")
    if _BLOCKED.search(name) or not name.isprintable():
        raise BadRequest(
            f"{kind} '{name if name.isprintable() else ascii(name)[1:-1]}' contains characters that aren't allowed. "
            "Any ascii symbol besides -.@_ is blocked."
        )
    return name
