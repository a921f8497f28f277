"""Search by name and summary, as `pip search` asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import BadRequest, CannotKnow
from localpi.index.config import MirrorConfig
from localpi.index.mirror_index import mirror_index
from localpi.index.versions import newest
from localpi.index.views import of_mirror
from localpi.simple.render import load_page
from localpi.store.searching import find_releases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localpi.index.config import IndexConfig
    from localpi.index.pages import Pages
    from localpi.index.registry import Registry
    from localpi.simple.names import ProjectName
    from localpi.store import Store

MOST_HITS = 100
MOST_WORDS = 20
LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """A project: its newest version on `index`, and what it says of itself."""

    index: str
    project: str
    version: str
    summary: str


class Search:
    """Looks through what is here; upstreams are not asked."""

    def __init__(self, store: Store, registry: Registry, pages: Pages) -> None:
        self._store, self._registry, self._pages = store, registry, pages

    def find(self, index: str, names: Sequence[str], summaries: Sequence[str], *, both: bool) -> tuple[Hit, ...]:
        """Return the projects of an index and its bases whose name has one of `names`, or summary one of `summaries`.

        With `both` name and summary must fit, where both were asked for. Own projects come first, then those that were
        installed through mirrors; a project once, from the first index that has it. Raises `IndexNotFound`,
        `BadRequest` for too many or too long words.
        """
        words = [word.lower() for word in (*names, *summaries)]
        if not words or len(words) > MOST_WORDS or any(not 0 < len(word) <= LONGEST_WORD for word in words):
            raise BadRequest(f"a search has 1 to {MOST_WORDS} words of at most {LONGEST_WORD} characters")
        asked = _Asked([_plain(name) for name in names], [word.lower() for word in summaries], both)
        words += asked.names
        hits: dict[str, Hit] = {}
        for name, config in self._registry.order(index):
            for hit in self._of_index(name, config, asked, words):
                hits.setdefault(hit.project, hit)
                if len(hits) >= MOST_HITS:
                    return tuple(hits.values())
        return tuple(hits.values())

    def _of_index(self, name: str, config: IndexConfig, asked: _Asked, words: Sequence[str]) -> Iterator[Hit]:
        if isinstance(config, MirrorConfig):
            mirror = mirror_index(name, config)
            for project in self._store.pages.names(mirror.source):
                if asked.fits(project, ""):
                    try:
                        page = load_page(self._pages.body(mirror, project))
                    except CannotKnow:
                        continue
                    version = newest(of_mirror(page, ""))
                    if version is not None:
                        yield Hit(name, project, version, "")
            return
        found: dict[ProjectName, dict[str, str]] = {}
        for project, version, metadata in find_releases(self._store.own, name, words):
            found.setdefault(project, {})[version] = str(metadata.get("summary", ""))
        for project, by_version in found.items():
            version = newest(by_version)
            if version is not None and asked.fits(project, by_version[version]):
                yield Hit(name, project, version, by_version[version])


@dataclass(frozen=True, slots=True)
class _Asked:
    names: Sequence[str]
    summaries: Sequence[str]
    both: bool

    def fits(self, name: str, summary: str) -> bool:
        in_name = any(word in name for word in self.names)
        in_summary = any(word in summary.lower() for word in self.summaries)
        if self.both and self.names and self.summaries:
            return in_name and in_summary
        return in_name or in_summary


def _plain(name: str) -> str:
    """Return a part of a name as it stands in a normalised one."""
    return name.lower().replace("_", "-").replace(".", "-")
