"""The index room as one value: what the web room calls and the daemon composes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from localpi.index.accounts import Accounts
from localpi.index.backup import Backups
from localpi.index.base_checks import BaseChecks
from localpi.index.cache import Cache, build_cache
from localpi.index.cache_verify import Verifier
from localpi.index.files import Files
from localpi.index.first_run import make_defaults
from localpi.index.mirroring import Mirroring, build_mirroring
from localpi.index.pages import Pages
from localpi.index.passwords import Passwords
from localpi.index.permissions import ROOT
from localpi.index.registry import Registry
from localpi.index.releasing import Releasing, build_releasing
from localpi.index.removal import Removal
from localpi.index.stamps import Stamps
from localpi.index.upload_room import UploadRoom
from localpi.index.uploads import Uploads
from localpi.index.users import Users
from localpi.index.whys import Whys
from localpi.reports import BaseHealth, CacheUse
from localpi.settings.pypi import PYPI_SIMPLE
from localpi.store.check import Problem, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.watch import Watch
    from localpi.settings.load import Settings
    from localpi.store import Store
    from localpi.upstream import Credentials, Upstream


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that localpi does with indexes."""

    registry: Registry
    users: Users
    accounts: Accounts
    pages: Pages
    files: Files
    uploads: Uploads
    removal: Removal
    releasing: Releasing
    stamps: Stamps
    store: Store
    watch: Watch
    mirroring: Mirroring
    whys: Whys
    base_checks: BaseChecks
    cache: Cache
    verifier: Verifier
    backups: Backups

    def bases(self) -> tuple[BaseHealth, ...]:
        """Return how each mirror is doing, in the order of their names."""
        return self.mirroring.bases()

    def serial(self) -> int:
        """Return the number of the last change to what is our own (devpi's serial)."""
        return self.store.changes.serial()

    def last_change_us(self) -> int:
        """Return when that was (integer microseconds UTC), 0 before the first."""
        return next((change.at_us for change in self.store.changes.recent(1)), 0)

    def identity(self) -> str:
        """Return 32 hex digits that tell this library from others, and stay over restarts, backup and restore."""
        root = self.store.accounts.user(ROOT)
        return uuid5(NAMESPACE_OID, f"localpi {root.created_us if root else 0}").hex

    def check(self, *, deep: bool = False) -> tuple[Problem, ...]:
        """Return what on disk contradicts itself; with `deep` every file is hashed again.

        A cached file that a crash left whole, but without its row, is taken in first: that is no contradiction.
        """
        self.store.adopt_orphans()
        return check(self.store, deep=deep)

    def cache_use(self) -> CacheUse:
        """Return what the cached files of mirrors take, pinned ones too."""
        files, size = self.store.cached.totals()
        return CacheUse(bytes=size, files=files, budget=self.cache.room.budget.max_size or None)


def build_library(
    store: Store,
    upstream: Upstream,
    credentials: Credentials,
    settings: Settings,
    *,
    owner_secret: str,
    now_us: Callable[[], int],
) -> Library:
    """Compose the room; on the first run make user root, `root/pypi` and `root/local`.

    `now_us` gives the time in integer µs UTC.
    """
    stamps = Stamps()
    passwords = Passwords()
    registry = Registry(store, now_us, stamps, secrets=credentials)
    make_defaults(store, registry, passwords, now_us, pypi_url=PYPI_SIMPLE, root_password=settings.root_password)

    mirroring = build_mirroring(store, upstream, stamps=stamps, registry=registry, settings=settings, now_us=now_us)
    pages = Pages(registry, store, mirroring, stamps)
    cache = build_cache(store, registry, stamps, settings, now_us)
    files = Files(registry=registry, store=store, upstream=upstream, mirroring=mirroring, cache=cache, now_us=now_us)
    uploads = Uploads(store, registry, stamps, now_us, room=UploadRoom(store, cache.room))
    return Library(
        registry=registry,
        users=Users(store, registry, passwords, now_us, open_registration=settings.open_registration),
        accounts=Accounts(store, passwords, now_us, owner_secret=owner_secret, login_ttl_s=settings.login_ttl),
        pages=pages,
        files=files,
        uploads=uploads,
        removal=Removal(store, registry, stamps),
        releasing=build_releasing(
            store,
            registry,
            pages=pages,
            files=files,
            uploads=uploads,
            upstream=upstream,
            passwords=passwords,
            stamps=stamps,
            now_us=now_us,
        ),
        stamps=stamps,
        store=store,
        watch=mirroring.watch,
        mirroring=mirroring,
        whys=Whys(registry, store, mirroring, pages),
        base_checks=BaseChecks(upstream, registry, store),
        cache=cache,
        verifier=Verifier(store, cache, files),
        backups=Backups(store, registry.holding),
    )
