"""A store in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from localpi.settings.paths import Paths
from localpi.simple.names import Sha256, check_filename, normalize
from localpi.store import Store, open_store
from localpi.store.accounts import UserRow
from localpi.store.blobs import Blobs
from localpi.store.indexes import IndexRow
from localpi.store.releases import FileRow


@pytest.fixture
def folders(tmp_path: Path) -> Paths:
    """Folders that are not there yet."""
    return Paths.under(tmp_path / "store")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """Package files under a folder of the test."""
    return Blobs(tmp_path / "files")


@pytest.fixture
def store(folders: Paths) -> Iterator[Store]:
    """An open store whose clock goes 1, 2, 3 … µs, with user ann and stages ann/dev and ann/prod."""
    ticks = count(1)
    store = open_store(folders, clock=lambda: next(ticks))
    store.accounts.add_user(UserRow(name="ann", pwhash="hash", created_us=0))
    for name in ("dev", "prod"):
        store.indexes.add(IndexRow(user="ann", name=name, type="stage", config={"bases": []}, created_us=0))
    yield store
    store.close()


@pytest.fixture
def upload(store: Store) -> Callable[..., FileRow]:
    """Store some bytes as an upload and make the row that would speak of them; rows get times in their order."""
    times = count(100)

    def store_file(filename: str, body: bytes, **columns: object) -> FileRow:
        with store.uploads.receive() as receiving:
            receiving.write(body)
            sha256 = receiving.finish()
        project, version = filename.removesuffix(".tar.gz").split("-")[:2]
        return make_row(
            filename, sha256, len(body), next(times), project=normalize(project), version=version, **columns
        )

    return store_file


def make_row(filename: str, sha256: Sha256, size: int, at_us: int, **columns: object) -> FileRow:
    """Make a row of ann/dev, where `columns` do not say otherwise."""
    values: dict[str, object] = {
        "index": "ann/dev",
        "filename": check_filename(filename),
        "sha256": sha256,
        "size": size,
        "filetype": "bdist_wheel",
        "uploaded_us": at_us,
        "uploaded_by": "ann",
    }
    return FileRow(**(values | columns))  # type: ignore[arg-type]  # as the test says
