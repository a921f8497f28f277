"""What a newer page may not take away, as a table."""

from __future__ import annotations

from typing import Any, cast

import pytest

from localpi.index.succession import Loss, gone_reason, losses, nothing_lost, with_kept
from localpi.simple.links import link_page
from localpi.simple.model import File, Page
from localpi.simple.render import render_json
from localpi.store.kept import KeptFile

A, B, C = "a" * 64, "b" * 64, "c" * 64
SINCE_US = 1_700_000_000_000_000


def file(name: str, sha256: str | None = A, **keys: Any) -> File:
    hashes = {"sha256": sha256} if sha256 else {}
    return cast("File", {"filename": name, "url": f"https://x.example/{name}", "hashes": hashes, **keys})


def page(*files: File, **keys: Any) -> Page:
    return cast("Page", {"meta": {"api-version": "1.0"}, "name": "x", "files": list(files), **keys})


ONE, TWO = file("x-1.0.tar.gz"), file("x-2.0.tar.gz", B)


@pytest.mark.parametrize(
    ("older", "newer", "lost"),
    [
        ([ONE], [ONE], ()),
        ([ONE], [ONE, TWO], ()),
        ([ONE, TWO], [TWO], (Loss("x-1.0.tar.gz", "gone", ONE),)),
        ([ONE], [file("x-1.0.tar.gz", C)], (Loss("x-1.0.tar.gz", "changed", ONE),)),
        ([ONE], [file("x-1.0.tar.gz", A, yanked="bad")], ()),
        # a hash that only comes or goes: nothing to compare
        ([file("x-1.0.tar.gz", None)], [ONE], ()),
        ([ONE], [file("x-1.0.tar.gz", None)], ()),
        # the old bytes under a new name do not make up for new bytes under the old one
        ([ONE], [file("x-1.0.tar.gz", C), file("x-1.1.tar.gz", A)], (Loss("x-1.0.tar.gz", "changed", ONE),)),
        ([ONE, TWO], [], (Loss("x-1.0.tar.gz", "gone", ONE), Loss("x-2.0.tar.gz", "gone", TWO))),
    ],
)
def test_losses(older: list[File], newer: list[File], lost: tuple[Loss, ...]) -> None:
    """Each file that is no more, or is another; and the quick look at rendered pages never says less."""
    assert lost == losses(older, newer)
    rendered = [render_json(link_page(page(*files), "root/pypi")) for files in (older, newer)]
    assert not lost or not nothing_lost(*rendered)


def test_kept_files_stay_listed() -> None:
    """Gone ones yanked with the date as long as they are here, changed ones as they were."""
    kept = (KeptFile("x-1.0.tar.gz", "gone", SINCE_US, dict(ONE)), KeptFile("x-2.0.tar.gz", "changed", 0, dict(TWO)))
    shown = with_kept(page(file("x-2.0.tar.gz", C)), kept, lambda *_: True)
    assert shown["files"] == [TWO, {**ONE, "yanked": "gone upstream since 2023-11-14"}]
    assert with_kept(page(file("x-2.0.tar.gz", C)), kept, lambda *_: False)["files"] == [TWO]
    assert gone_reason(SINCE_US) == "gone upstream since 2023-11-14"


def test_a_quarantined_project_offers_nothing() -> None:
    """What is kept of it is kept, and not shown."""
    kept = (KeptFile("x-1.0.tar.gz", "gone", SINCE_US, dict(ONE)),)
    quarantined = page(**{"project-status": {"status": "quarantined"}})
    assert with_kept(quarantined, kept, lambda *_: True)["files"] == []
