"""All that is done with releases besides taking them in and away, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.index.docs import Docs
from localpi.index.exporting import Exporting
from localpi.index.file_facts import Facts
from localpi.index.importing import Importing
from localpi.index.publishing import Publishing
from localpi.index.push import Pushing
from localpi.index.search import Search
from localpi.index.toxresults import ToxResults
from localpi.index.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.files import Files
    from localpi.index.pages import Pages
    from localpi.index.passwords import Passwords
    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.index.uploads import Uploads
    from localpi.store import Store
    from localpi.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Releasing:
    """Looking at releases, moving them, and what is attached to them."""

    views: Views
    facts: Facts
    docs: Docs
    toxresults: ToxResults
    pushing: Pushing
    publishing: Publishing
    search: Search
    importing: Importing
    exporting: Exporting


def build_releasing(
    store: Store,
    registry: Registry,
    *,
    pages: Pages,
    files: Files,
    uploads: Uploads,
    upstream: Upstream,
    passwords: Passwords,
    stamps: Stamps,
    now_us: Callable[[], int],
) -> Releasing:
    """Compose them; `now_us` gives the time in integer µs UTC."""
    pushing = Pushing(store, registry, stamps, now_us)
    return Releasing(
        views=Views(pages, store),
        facts=Facts(store, registry),
        docs=Docs(store, registry, uploads, stamps, now_us),
        toxresults=ToxResults(store, registry, stamps, now_us),
        pushing=pushing,
        publishing=Publishing(store, pages, files, pushing, upstream, room=uploads.room),
        search=Search(store, registry, pages),
        importing=Importing(store, registry, passwords, stamps, now_us),
        exporting=Exporting(store, registry),
    )
