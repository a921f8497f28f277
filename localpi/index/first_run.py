"""What a new installation begins with: user root, mirror root/pypi, stage root/local on top of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.index.permissions import OWNER, ROOT
from localpi.store.accounts import UserRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.passwords import Passwords
    from localpi.index.registry import Registry
    from localpi.store import Store

MIRROR = "root/pypi"
LOCAL = "root/local"


def make_defaults(
    store: Store,
    registry: Registry,
    passwords: Passwords,
    clock: Callable[[], int],
    *,
    pypi_url: str,
    root_password: str | None,
) -> bool:
    """Make user and indexes unless there are some, and say whether anything was made.

    `pypi_url` is PyPI's simple root. `root_password`: None means that root cannot log in until a password is set,
    "" is an empty password (as devpi has it); it is read on the first run only.
    """
    if store.accounts.user(ROOT) is None:
        pwhash = None if root_password is None else passwords.make_hash(root_password)
        store.accounts.add_user(UserRow(name=ROOT, pwhash=pwhash, created_us=clock()))
    if registry.all():
        return False
    registry.create(OWNER, MIRROR, {"type": "mirror", "mirror_url": pypi_url, "volatile": False, "title": "PyPI"})
    registry.create(OWNER, LOCAL, {"bases": [MIRROR], "volatile": True})
    return True
