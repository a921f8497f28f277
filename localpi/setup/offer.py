"""The index that pip already uses, offered as a base: an intranet's, mostly, that ours should stand in front of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import LocalpiError
from localpi.settings.pypi import PYPI_SIMPLE
from localpi.wiring.found import FoundIndex, is_ours, pip_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.remote.daemon import Daemon


@dataclass(frozen=True, slots=True)
class Offer:
    """A mirror that could be made of it, and the index that it would be a base of."""

    found: FoundIndex
    mirror: str
    """`root/NAME`, not taken yet."""
    index: str
    bases: tuple[str, ...]
    """The bases of `index` afterwards: the new one in front."""

    @property
    def command(self) -> str:
        """What a person can type instead; without user and password."""
        asks = " --credentials" if self.found.shown != self.found.url else ""
        return f"localpi base add {self.mirror.rpartition('/')[2]} {self.found.shown} --index {self.index}{asks}"


def find_offer(daemon: Daemon, index: str, environ: Mapping[str, str], platform: str) -> Offer | None:
    """Return what to offer; None when pip uses its default, PyPI, this daemon, or an index that is a mirror here."""
    found = pip_index(environ, platform)
    if found is None or is_ours(found.url, daemon.url) or _same(found.shown, PYPI_SIMPLE):
        return None
    indexes = {
        f"{user}/{name}": config
        for user, row in daemon.front().items()
        for name, config in (row.get("indexes") or {}).items()
    }
    stage = indexes.get(index)
    mirrored = any(_same(found.shown, str(config.get("mirror_url", ""))) for config in indexes.values())
    if mirrored or stage is None or "bases" not in stage:
        return None
    mirror = _free_name(f"root/{found.name}", set(indexes))
    return Offer(found, mirror, index, (mirror, *stage["bases"]))


def accept(daemon: Daemon, offer: Offer) -> None:
    """Make the mirror and put it in front; raises RemoteError, and leaves no mirror behind that is no base."""
    config = {"type": "mirror", "mirror_url": offer.found.url}
    daemon.api("PUT", f"/{offer.mirror}", config)
    try:
        daemon.api("PATCH", f"/{offer.index}", [f"bases={','.join(offer.bases)}"])
    except LocalpiError:
        daemon.api("DELETE", f"/{offer.mirror}", force="")
        raise


def _same(one: str, other: str) -> bool:
    return one.rstrip("/").lower() == other.rstrip("/").lower()


def _free_name(wanted: str, taken: set[str]) -> str:
    return next(name for name in (wanted, *(f"{wanted}-{count}" for count in range(2, 1000))) if name not in taken)
