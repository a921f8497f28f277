"""A store in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localpi.store.blobs import Blobs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """Package files under a folder of the test."""
    return Blobs(tmp_path / "files")
