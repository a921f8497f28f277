"""Which of the versions that are there somebody means. Pure: no I/O, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from localpi.errors import ReleaseNotFound
from localpi.simple.names import version_key

if TYPE_CHECKING:
    from collections.abc import Collection


def spelled(project: str, versions: Collection[str], asked: str) -> str:
    """Return the version as it was uploaded: the very text, else one that PEP 440 holds equal. ReleaseNotFound."""
    if asked in versions:
        return asked
    try:
        wanted = Version(asked)
        return next(known for known in versions if _parsed(known) == wanted)
    except (InvalidVersion, StopIteration):
        raise ReleaseNotFound(project, asked[:100]) from None


def newest(versions: Collection[str], *, stable: bool = False) -> str | None:
    """Return the greatest version, with `stable` the greatest that is no pre-release; None when there is none."""
    wanted = [version for version in versions if not (stable and _is_unstable(version))]
    return max(wanted, key=version_key, default=None)


def _is_unstable(version: str) -> bool:
    parsed = _parsed(version)
    return parsed is None or parsed.is_prerelease


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None
