"""What is known of each upstream page without its body: a look at a page that is fresh reads no database."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localpi.simple.names import ProjectName
    from localpi.store.pages import Pages, StoredPage

MOST = 8192


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one page.

    `head`: the stored page without its body, or None. `asked_at`: when the upstream last said something, well or not
    (monotonic seconds). `failure`: what went wrong then, "" when nothing did.
    """

    head: StoredPage | None
    asked_at: float = 0.0
    failure: str = ""


class KnownPages:
    """The MOST recently used of them, by source and project. Thread-safe."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()

    def recall(self, source: str, project: ProjectName) -> Known:
        """Return what is known, from the store the first time."""
        with self._lock:
            known = self._known.get((source, project))
            if known is not None:
                self._known.move_to_end((source, project))
                return known
        known = Known(self._pages.head(source, project))
        with self._lock:
            return self._known.setdefault((source, project), known)

    def remember(self, source: str, project: ProjectName, known: Known) -> None:
        """Keep what is known now."""
        with self._lock:
            self._known[source, project] = known
            self._known.move_to_end((source, project))
            while len(self._known) > MOST:
                self._known.popitem(last=False)
