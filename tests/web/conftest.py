"""The whole of the web room on a real store, a made upstream and the real loop."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from localpi.index.library import Library, build_library
from localpi.index.permissions import OWNER
from localpi.settings.load import load_settings
from localpi.settings.paths import Paths
from localpi.store import open_store
from localpi.upstream import Credentials, Reach, Upstream
from localpi.web.app import create_app
from made.loops import serving
from made.served import SECRET, SITE, Served
from made.upstream import MadeUpstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def upstream() -> Iterator[MadeUpstream]:
    """Run an index to mirror."""
    with MadeUpstream() as made:
        yield made


@pytest.fixture
def library(tmp_path: Path, upstream: MadeUpstream) -> Iterator[Library]:
    """Make a library whose root/pypi mirrors the made upstream; root has no password."""
    paths = Paths.under(tmp_path)
    store = open_store(paths)
    credentials = Credentials(tmp_path / "credentials.toml")
    speaker = Upstream(Reach(proxy=None, ca_bundle=None, environ={}), credentials, agent="localpi/test")
    made = build_library(
        store,
        speaker,
        credentials,
        load_settings(paths, {}, {}),
        owner_secret=SECRET,
        now_us=lambda: time.time_ns() // 1000,
    )
    made.registry.modify(OWNER, "root/pypi", {"mirror_url": upstream.url})
    yield made
    speaker.close()
    store.close()


@pytest.fixture
def serve(library: Library) -> Iterator[Callable[..., Served]]:
    """Serve the library on a socket, with changes to the site."""
    running: list[Any] = []

    def start(**changes: Any) -> Served:
        context = serving(create_app(library, replace(SITE, **changes)))  # type: ignore[arg-type]  # same face
        running.append(context)
        return Served(library, context.__enter__().address)

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """Serve it as on a person's machine: loopback, reading is open."""
    return serve()
