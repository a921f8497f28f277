"""Damaged files, set aside in `quarantine/` beside the good ones: for a look, until the next `cache gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.store.durable import make_folder

if TYPE_CHECKING:
    from localpi.simple.names import Sha256
    from localpi.store.blobs import Blobs


def set_aside(blobs: Blobs, sha256: Sha256) -> bool:
    """Move a file there; whether there was one."""
    target = blobs.root.with_name("quarantine") / sha256
    make_folder(target.parent)
    try:
        blobs.path(sha256).replace(target)
    except FileNotFoundError:
        return False
    return True


def empty_quarantine(blobs: Blobs) -> int:
    """Delete what was set aside, and say how many files there were."""
    found = tuple(blobs.root.with_name("quarantine").glob("*"))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
