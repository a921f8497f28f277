"""The composition root: every room made, and handed to those that need it. Nothing else in the house makes a room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localpi import __version__
from localpi.daemon.chores import Chore
from localpi.daemon.network import EVERY_S, Network
from localpi.index.library import build_library
from localpi.settings.running import ensure_owner_secret
from localpi.store import open_store
from localpi.store.store import now_us
from localpi.upstream import Credentials, Reach, Upstream, ask_keyring, netrc_path
from localpi.web.app import create_app
from localpi.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localpi.index.library import Library
    from localpi.settings.load import Settings
    from localpi.settings.paths import Paths
    from localpi.store import Store
    from localpi.web.app import Application

AGENT = f"localpi/{__version__}"
WARM_AFTER_S = 0.3
"""By then `up` has had its answer; imports before it would compete with it."""


@dataclass(frozen=True, slots=True)
class House:
    """What is open while the daemon runs."""

    store: Store
    upstream: Upstream
    library: Library
    application: Application
    network: Network

    def chores(self) -> tuple[Chore, ...]:
        """Return what is to be done beside serving."""
        return (
            Chore("warm", self.upstream.warm, WARM_AFTER_S),  # requests, urllib3, the CAs: 150 ms
            Chore("network", self.network.look, EVERY_S, EVERY_S),
            Chore("adopt", self.store.adopt_orphans, 2.0),
            Chore("budget", self.library.cache.room.enforce, 5.0, 600.0),
            Chore("use", self.library.cache.uses.flush, 60.0, 60.0),
            Chore("news", self.library.mirroring.show_news, 60.0, 60.0),
            Chore("tokens", lambda: self.store.tokens.purge(now_us()), 10.0, 3600.0),
        )

    def close(self) -> None:
        """End what is under way and write what is left; the last thing before the lock goes."""
        self.library.verifier.stop()
        self.library.watch.close()
        self.upstream.close()
        self.library.cache.uses.flush()
        self.store.close()


def compose(
    settings: Settings,
    paths: Paths,
    environ: Mapping[str, str],
    *,
    addresses: Sequence[tuple[str, int]],
    reading_open: bool,
) -> House:
    """Open the store and make the rooms; NewerDatabase, StoreBroken, DiskFull.

    `addresses` are those that are listened on, the first the one that is told; `reading_open` says whether reading
    needs no credential on any of them.
    """
    secret = ensure_owner_secret(paths)
    credentials = Credentials(paths.credentials_file, netrc=netrc_path(environ, Path.home()), keyring=ask_keyring)
    reach = Reach(
        settings.upstream_proxy or None,
        settings.upstream_ca_bundle or None,
        dict(environ),
        no_proxy=",".join(settings.upstream_no_proxy),
    )
    store = open_store(paths)
    try:
        upstream = Upstream(reach, credentials, agent=AGENT)
        library = build_library(store, upstream, credentials, settings, owner_secret=secret, now_us=now_us)
        application = create_app(library, _site(settings, addresses, reading_open=reading_open))
    except BaseException:
        store.close()
        raise
    files = (paths.credentials_file, netrc_path(environ, Path.home()))
    return House(store, upstream, library, application, Network(library.watch, files))


def _site(settings: Settings, addresses: Sequence[tuple[str, int]], *, reading_open: bool) -> Site:
    host, port = addresses[0]
    return Site(
        version=__version__,
        host=host,
        port=port,
        default_index=settings.default_index,
        listen_hosts=tuple(dict.fromkeys((settings.host, *(address for address, _ in addresses)))),
        allowed_hosts=settings.allowed_hosts,
        outside_url=settings.outside_url,
        max_upload=settings.upload_max_size,
        login_ttl_s=settings.login_ttl,
        reading_open=reading_open,
    )
