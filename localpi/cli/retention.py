"""Which releases have had their time. Pure: no I/O, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.simple.names import version_key

if TYPE_CHECKING:
    from collections.abc import Mapping


def choose_old(
    releases: Mapping[str, float], now_s: float, *, older_than_s: float | None = None, keep: int | None = None
) -> tuple[str, ...]:
    """Return the versions to delete, oldest version first.

    `releases`: version -> when its latest file came (seconds since the epoch). With `older_than_s` those whose latest
    file is older than that; with `keep` never one of the that many greatest versions; with both, what both say. With
    neither, nothing.
    """
    if older_than_s is None and keep is None:
        return ()
    ordered = sorted(releases, key=version_key)
    spared = set(ordered[max(0, len(ordered) - keep) :]) if keep is not None else set[str]()
    return tuple(
        version
        for version in ordered
        if version not in spared and (older_than_s is None or now_s - releases[version] > older_than_s)
    )
