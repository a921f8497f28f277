"""A store in a folder of its own, and the rooms that stand on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localpi.settings.paths import Paths
from localpi.store import Store, open_store
from made.rooms import MadeRooms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open an empty store."""
    store = open_store(Paths.under(tmp_path))
    yield store
    store.close()


@pytest.fixture
def rooms(store: Store) -> MadeRooms:
    """Make what a first run makes, on an empty store."""
    return MadeRooms(store)
