"""Counters that say whether what was made from the data is still right."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localpi.simple.names import ProjectName


class Stamps:
    """One counter for the configuration of all indexes, one for each project; they live as long as the process.

    Take the stamp before reading what an answer is made from, keep it with the answer, and serve the answer for as
    long as `get` gives the same. Reading takes no lock: a dict read and an attribute are atomic.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._config = 0
        self._projects: dict[str, int] = {}

    def bump_config(self) -> None:
        """Say that users, indexes or their settings have changed: everything that was made is stale."""
        with self._lock:
            self._config += 1

    def bump(self, project: ProjectName) -> None:
        """Say that files or pages of the project have changed, on whatever index."""
        with self._lock:
            self._projects[project] = self._projects.get(project, 0) + 1

    def get(self, project: ProjectName) -> tuple[int, int]:
        """Return the counters of configuration and project."""
        return self._config, self._projects.get(project, 0)
