"""Cached files selected and added up for people. Pure: rows in, rows out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from localpi.errors import BadRequest, InvalidName
from localpi.reports import CacheRow
from localpi.simple.names import is_sha256, normalize, parse_filename

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from localpi.store.cached import CachedFile

GROUPS = ("project", "release", "file", "index", "user")
MOST_NAMES = 1000
NO_INDEX = "(no index)"
METADATA = ".metadata"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files are meant.

    `names`: each a project, `project==version`, a file name or a sha256; none of them is all. `index`: those of its
    mirrors alone. `unused_s`: those that were not used for so many seconds.
    """

    names: tuple[str, ...] = ()
    index: str = ""
    unused_s: int = 0

    def __str__(self) -> str:
        said = " ".join(self.names) or "there"
        return said + (f" on {self.index}" if self.index else "")

    @property
    def is_all(self) -> bool:
        """Whether everything is meant."""
        return self == Selection()

    def of(self, files: Iterable[CachedFile], sources: Collection[str] | None, now_us: int) -> tuple[CachedFile, ...]:
        """Return those of the files that are meant; `sources` are the index's, None for all. BadRequest."""
        if len(self.names) > MOST_NAMES:
            raise BadRequest(f"at most {MOST_NAMES} names at once")
        tests = [_matcher(name) for name in self.names]
        before = now_us - self.unused_s * 1_000_000 if self.unused_s else None
        return tuple(
            file
            for file in files
            if (sources is None or file.source in sources)
            and (before is None or file.used_us < before)
            and (not tests or any(test(file) for test in tests))
        )


def group(
    by: str,
    files: Iterable[CachedFile],
    names: Mapping[str, tuple[str, ...]],
    pinned: Collection[str],
    gone: Collection[str],
) -> tuple[CacheRow, ...]:
    """Add files up, the largest sum first.

    `names`: the mirrors of each source; `pinned` and `gone` are hashes. Bytes that have two names count once a row.
    """
    groups: dict[str, dict[str, CachedFile]] = {}
    for file in files:
        for key in _keys(by, file, names.get(file.source, ())):
            held = groups.setdefault(key, {})
            before = held.get(file.sha256)
            if before is None or before.used_us < file.used_us:
                held[file.sha256] = file
    rows = [_row(key, tuple(held.values()), names, pinned, gone) for key, held in groups.items()]
    return tuple(sorted(rows, key=lambda row: (-row.bytes, row.name)))


def version_of(filename: str) -> str:
    """Return the version of a wheel or sdist by its name, "" when it is neither."""
    try:
        return parse_filename(filename.removesuffix(METADATA)).version
    except InvalidName:
        return ""


def _matcher(name: str) -> Callable[[CachedFile], bool]:
    if is_sha256(name):
        return lambda file: file.sha256 == name
    project, equals, version = name.partition("==")
    try:
        if equals:
            wanted, parsed = normalize(project.strip()), Version(version.strip())
            return lambda file: file.project == wanted and _same(version_of(file.filename), parsed)
        if name.endswith((".whl", ".gz", ".zip", ".bz2", ".xz", ".egg")):
            return lambda file: file.filename.removesuffix(METADATA) == name
        wanted = normalize(name)
    except (InvalidVersion, InvalidName):
        raise BadRequest(f"{name[:100]!r} is no project, project==version, file name or sha256") from None
    return lambda file: file.project == wanted


def _same(version: str, wanted: Version) -> bool:
    try:
        return bool(version) and Version(version) == wanted
    except InvalidVersion:
        return False


def _keys(by: str, file: CachedFile, indexes: tuple[str, ...]) -> tuple[str, ...]:
    match by:
        case "release":
            return (f"{file.project}=={version_of(file.filename) or '?'}",)
        case "file":
            return (file.filename,)
        case "index":
            return indexes or (NO_INDEX,)
        case "user":
            return tuple(dict.fromkeys(index.partition("/")[0] for index in indexes)) or (NO_INDEX,)
    return (file.project,)


def _row(
    name: str,
    files: tuple[CachedFile, ...],
    names: Mapping[str, tuple[str, ...]],
    pinned: Collection[str],
    gone: Collection[str],
) -> CacheRow:
    used = datetime.fromtimestamp(max(file.used_us for file in files) // 1_000_000, UTC)
    return CacheRow(
        name=name,
        indexes=tuple(sorted({index for file in files for index in names.get(file.source, ())})),
        files=len(files),
        bytes=sum(file.size for file in files),
        last_used=used.isoformat().replace("+00:00", "Z"),
        pinned=sum(file.sha256 in pinned for file in files),
        last_copies=sum(file.sha256 in gone for file in files),
    )
