"""The room's one way in: pages, files and probes of mirrors, each within a deadline.

Requests and urllib3 cost 150 ms to import, so they come with the first request, or with `warm`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from localpi.upstream.deadline import Reaper
from localpi.upstream.lookup import Address, Lookups, system_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.upstream.credentials import Credentials
    from localpi.upstream.files import OpenedFile
    from localpi.upstream.mirror import Mirror, Reach
    from localpi.upstream.outcomes import Fetched, Missing, NotModified, Progress, Reachable, Unreachable
    from localpi.upstream.pieces import Peeked, Piece, Unranged
    from localpi.upstream.publication import Publication, Published
    from localpi.upstream.wire import Wire

OPEN_S = 15.0
"""The longest that a file's headers may take, redirects included."""

PUBLISH_S = 600.0
"""The longest that one file may take to another index."""

KNOWN_PROJECT = "pip"
"""What a probe asks for where it is not told: a page, for a portal can pass any other test and fail this one."""


class Upstream:
    """Speaks to mirrors; remembers nothing but its connections. Safe to use from many threads."""

    def __init__(
        self,
        reach: Reach,
        credentials: Credentials,
        *,
        agent: str,
        resolve: Callable[[str, int], list[Address]] = system_addresses,
    ) -> None:
        self._reach, self._credentials, self._agent = reach, credentials, agent
        self._lookups = Lookups(resolve)
        self._reaper = Reaper()
        self._made: Wire | None = None
        self._lock = threading.Lock()

    def fetch_page(
        self,
        mirror: Mirror,
        project: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        fresh: bool = False,
        deadline_s: float,
        progress: Progress | None = None,
    ) -> Fetched | NotModified | Missing | Unreachable:
        """The page of a project, within `deadline_s` seconds for all of it.

        With `etag` or `last_modified` of the page at hand it is asked for on condition; `fresh` makes caches on the
        way look again. `progress` grows with what has come. Never raises for what the network does.
        """
        from localpi.upstream.pages import fetch_page  # noqa: PLC0415 - see the module

        wire = self._wire()
        with self._reaper.deadline(deadline_s) as deadline:
            return fetch_page(
                wire,
                mirror,
                project,
                etag=etag,
                last_modified=last_modified,
                fresh=fresh,
                deadline=deadline,
                progress=progress,
            )

    def open_file(
        self,
        mirror: Mirror,
        url: str,
        *,
        offset: int = 0,
        validator: str | None = None,
        deadline_s: float = OPEN_S,
    ) -> OpenedFile | Missing | Unreachable:
        """A file that a page of the mirror links to, from `offset` on if the server can and the file is the same.

        `deadline_s` is for the headers; reading has its own bounds, and raises `Broken`. Whoever gets an
        `OpenedFile` closes it.
        """
        from localpi.upstream.files import OpenedFile, open_file  # noqa: PLC0415 - see the module

        wire = self._wire()
        deadline = self._reaper.deadline(deadline_s)
        deadline.__enter__()
        opened: OpenedFile | Missing | Unreachable | None = None
        try:
            opened = open_file(wire, mirror, url, offset=offset, validator=validator, deadline=deadline)
        finally:
            if not isinstance(opened, OpenedFile):
                deadline.__exit__()
        return opened

    def read_range(
        self, mirror: Mirror, url: str, *, first: int | None, length: int, deadline_s: float = OPEN_S
    ) -> Piece | Unranged | Missing | Unreachable:
        """`length` bytes of a file that a page of the mirror links to, from `first` on or (None) the last ones."""
        from localpi.upstream.ranges import read_range  # noqa: PLC0415 - see the module

        wire = self._wire()
        with self._reaper.deadline(deadline_s) as deadline:
            return read_range(wire, mirror, url, first=first, length=length, deadline=deadline)

    def peek(self, mirror: Mirror, *, most: int, deadline_s: float) -> Peeked | Missing | Unreachable:
        """The first `most` bytes of the mirror's list of projects; the rest is not read."""
        from localpi.upstream.peek import peek  # noqa: PLC0415 - see the module

        wire = self._wire()
        with self._reaper.deadline(deadline_s) as deadline:
            return peek(wire, mirror, most=most, deadline=deadline)

    def as_given(self, url: str, username: str, password: str) -> Upstream:
        """Another one that shows this credential to `url` and all below it, and keeps it nowhere; close it."""
        from localpi.upstream.credentials import Basic  # noqa: PLC0415 - only checks of new bases need it
        from localpi.upstream.given import Given  # noqa: PLC0415

        given = Given(url, Basic(username, password), self._credentials)
        other = Upstream(self._reach, given, agent=self._agent)
        other._lookups = self._lookups
        return other

    def probe(self, mirror: Mirror, deadline_s: float, *, project: str = "") -> Reachable | Unreachable:
        """Whether the mirror answers with its page of `project`, or an honest 404, and what came instead."""
        from localpi.upstream.probe import probe  # noqa: PLC0415 - see the module

        return probe(self, mirror, project or KNOWN_PROJECT, deadline_s)

    def publish(self, publication: Publication, *, deadline_s: float = PUBLISH_S) -> Published | Unreachable:
        """Send an upload form to another index, within `deadline_s` seconds for all of it; it is sent once."""
        from localpi.upstream.publish import publish  # noqa: PLC0415 - see the module

        wire = self._wire()
        with self._reaper.deadline(deadline_s) as deadline:
            return publish(wire, publication, deadline)

    def touch(self, mirror: Mirror, within_s: float) -> Reachable | Unreachable:
        """A bare TCP connect, to the proxy if there is one: no answer means down, an answer means slow at worst."""
        return self._wire().touch(mirror, within_s)

    def has_credential(self, mirror: Mirror) -> bool:
        """Whether a credential is sent to the mirror; does not wait for a keyring."""
        return self._credentials.lookup(mirror.url) is not None

    def warm(self) -> None:
        """Import and build what the first request would."""
        from localpi.upstream import files, pages  # noqa: F401, PLC0415 - importing them is the purpose

        self._wire().warm()

    def drop_pools(self) -> None:
        """Forget all idle connections: the network has changed."""
        with self._lock:
            wire = self._made
        if wire is not None:
            wire.drop_pools()

    def close(self) -> None:
        """End what is under way and close all connections."""
        self._reaper.close()
        self.drop_pools()

    def _wire(self) -> Wire:
        from localpi.upstream.wire import Wire  # noqa: PLC0415 - see the module

        with self._lock:
            if self._made is None:
                self._made = Wire(self._reach, self._credentials, self._lookups, agent=self._agent)
            return self._made
