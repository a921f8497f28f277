from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localpi.store.blobs import Blobs
from made.loops import Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def served() -> Iterator[Serving]:
    """A loop that serves, with eight workers."""
    with serving() as running:
        yield running


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """An empty store of files."""
    return Blobs(tmp_path / "files")
