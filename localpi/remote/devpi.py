"""What an import reads, wherever it comes from: users, indexes, releases and files of another devpi."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A release (`rel` "" and no file), or a file of one: `rel` is "releasefile", "doczip" or "toxresult".

    `fetch` gives the file on disk for as long as its context lasts; `sha256` "" where it is not known, `size` in bytes
    or None.
    """

    index: str
    name: str
    version: str
    rel: str = ""
    filename: str = ""
    sha256: str = ""
    md5: str = ""
    of: str = ""
    yanked: str | None = None
    """The reason, "" without one, None when it is not yanked."""
    size: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[Mapping[str, Any], ...] = ()
    fetch: Callable[[], AbstractContextManager[Path]] | None = None


class Source(Protocol):
    """Another devpi. `name` is what a person knows it by."""

    name: str
    lost: list[str]
    """What could not be read, one sentence each; grows while it is read."""

    def users(self) -> Mapping[str, Mapping[str, Any]]:
        """Return each user's facts by name, without the indexes; `pwhash` where it is known."""

    def indexes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the settings of each index, "user/name"."""

    def items(self, index: str) -> Iterator[Item]:
        """Give what an index holds itself: of each project releases, then files, then what is attached to those."""

    def mirrored(self) -> Mapping[str, tuple[str, ...]]:
        """Return the projects that are known of each mirror."""
