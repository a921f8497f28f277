"""All that mirrors need, made and put together: what is known, what is fetched, how they are, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.index.announcing import Announcing
from localpi.index.clock import clock, utc
from localpi.index.fetching import Fetching
from localpi.index.health import Health
from localpi.index.journal import Journal
from localpi.index.keeping import Keeping
from localpi.index.known import KnownPages
from localpi.index.mirror_index import MirrorIndex, mirror_index
from localpi.index.mirrors import Mirrors
from localpi.index.modes import ALL, Modes
from localpi.index.presence import Presence
from localpi.index.watch import Watch
from localpi.reports import BaseHealth

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.registry import Registry
    from localpi.index.stamps import Stamps
    from localpi.settings.load import Settings
    from localpi.store import Store
    from localpi.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Mirroring:
    """Mirrors, their health and their history."""

    registry: Registry
    store: Store
    mirrors: Mirrors
    watch: Watch
    modes: Modes
    journal: Journal
    presence: Presence
    fetching: Fetching
    announcing: Announcing

    def all(self) -> tuple[MirrorIndex, ...]:
        """Return all mirrors, sorted by name."""
        return all_mirrors(self.registry)

    def bases(self) -> tuple[BaseHealth, ...]:
        """Return how each mirror is doing, in the order of their names; a failure counts once it is confirmed."""
        rows = []
        for mirror in self.all():
            health = self.watch.health(mirror)
            if not health.well and not health.confirmed:
                health = Health(offline=health.offline)
            since = utc(health.since_us) if health.since_us else None
            next_probe = None if health.well else self.watch.next_probe(mirror)
            rows.append(BaseHealth(mirror.name, health.state, health.reason, since, next_probe, health.offline))
        return tuple(rows)

    def latencies(self) -> dict[str, int]:
        """Return how long each mirror's last answer took, in ms; nothing of one that has not been asked yet."""
        took = {mirror.name: self.watch.took.get(mirror.source) for mirror in self.all()}
        return {name: round(seconds * 1000) for name, seconds in took.items() if seconds is not None}

    def notes(self) -> tuple[str, ...]:
        """Return what a person should know of: answers out of offline views, and warnings of the last weeks."""
        said = []
        for view in self.journal.views():
            count = len(view.projects)
            names = ", ".join(view.projects[:5]) + (", ..." if count > 5 else "")
            said.append(
                f"{count} project{'s were' if count != 1 else ' was'} answered from an offline view of {view.index} "
                f"since {clock(view.since_us)} ({names}): a lock made since then is worth a second look"
            )
        return (*said, *self.journal.warnings())

    def show_news(self) -> int:
        """Have the pages rendered anew that can say more by now than they do, and say how many: a chore."""
        news = set(self.announcing.take_news())
        for mirror in self.all():
            for source, project in news:
                if source == mirror.source:
                    self.fetching.drop(mirror, project)
        return len(news)

    def set_offline(self, mode: str, index: str = ALL) -> None:
        """Set by hand whether a mirror, or all, may be contacted; BadRequest, IndexNotFound.

        What may be contacted again is probed at once.
        """
        if index:
            self.registry.get(index)
        self.modes.set(mode, index)
        self.journal.note("state", f"offline is {mode} for {index or 'all mirrors'}, set by hand", index=index or None)
        for mirror in self.all():
            if not self.watch.health(mirror).filters:
                self.journal.end_view(mirror.name)
        self.watch.probe_now(f"offline {mode}")


def all_mirrors(registry: Registry) -> tuple[MirrorIndex, ...]:
    """Return all mirrors, sorted by name."""
    return tuple(mirror_index(index.name, index.mirror) for index in registry.all() if index.mirror is not None)


def build_mirroring(
    store: Store,
    upstream: Upstream,
    *,
    stamps: Stamps,
    registry: Registry,
    settings: Settings,
    now_us: Callable[[], int],
) -> Mirroring:
    """Make all of it; `now_us` gives the time in integer µs UTC."""
    journal = Journal(store, now_us)
    modes = Modes(store, stamps, now_us, setting=settings.offline)
    presence = Presence(store)
    known = KnownPages(store.pages)

    def beside(name: str) -> tuple[MirrorIndex, ...]:
        """Name the other mirrors of the indexes that have this one behind them."""
        names: set[str] = set()
        for index in registry.all():
            order = {base for base, _ in registry.order(index.name)} if index.stage is not None else set()
            names |= order if name in order else set()
        return tuple(mirror for mirror in all_mirrors(registry) if mirror.name in names - {name})

    watch = Watch(
        upstream,
        lambda: all_mirrors(registry),
        now_us,
        stamps=stamps,
        modes=modes,
        journal=journal,
        known_page=lambda mirror: store.pages.smallest(mirror.source),
        background=settings.background != "off",
    )
    announcing = Announcing(store, beside)
    fetching = Fetching(
        store=store,
        upstream=upstream,
        stamps=stamps,
        watch=watch,
        keeping=Keeping(store, journal, presence, beside, now_us),
        presence=presence,
        known=known,
        announcing=announcing,
        now_us=now_us,
    )
    mirrors = Mirrors(
        store=store,
        stamps=stamps,
        watch=watch,
        presence=presence,
        known=known,
        fetching=fetching,
        now_us=now_us,
    )
    return Mirroring(registry, store, mirrors, watch, modes, journal, presence, fetching, announcing)
