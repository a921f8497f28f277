"""The offline view of a page, as a table."""

from __future__ import annotations

from typing import cast

import pytest

from localpi.index.offline_view import offline_view
from localpi.simple.model import File, Page

WHEEL = {"filename": "x-1.0-py3-none-any.whl", "url": "/+f/1", "hashes": {}, "core-metadata": {"sha256": "0" * 64}}
SDIST = {"filename": "x-2.0.post1.tar.gz", "url": "/+f/2", "hashes": {}}
PAGE = cast("Page", {"meta": {}, "name": "x", "versions": ["1.0", "2.0-1", "3.0"], "files": [WHEEL, SDIST]})


@pytest.mark.parametrize(
    ("here", "files", "versions"),
    [
        (set(), [], []),
        ({WHEEL["filename"]}, [{key: WHEEL[key] for key in ("filename", "url", "hashes")}], ["1.0"]),
        ({WHEEL["filename"], f"{WHEEL['filename']}.metadata"}, [WHEEL], ["1.0"]),
        ({f"{WHEEL['filename']}.metadata"}, [], []),
        ({SDIST["filename"]}, [SDIST], ["2.0-1"]),
    ],
)
def test_only_what_is_here_is_listed(here: set[str], files: list[object], versions: list[str]) -> None:
    """Files without bytes go, core metadata without bytes goes, and with them the versions; the page given stays."""

    def is_here(file: File, metadata: bool) -> bool:
        return file["filename"] + (".metadata" if metadata else "") in here

    shown = offline_view(PAGE, is_here)
    assert (shown["files"], shown["versions"]) == (files, versions)
    assert PAGE["files"] == [WHEEL, SDIST]
