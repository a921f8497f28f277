"""Wheels whose core metadata cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localpi.store import Store, open_store
from localpi.store import unusable as room

if TYPE_CHECKING:
    import pytest

    from localpi.settings.paths import Paths

SOURCE = "https://mirror.example/simple/"


def test_they_are_known_at_once_and_after_a_restart(store: Store, folders: Paths) -> None:
    """Noted twice is noted once; those of mirrors that are no more can be forgotten."""
    assert not store.unusable
    for source in (SOURCE, SOURCE, "https://gone.example/"):
        store.unusable.add_later(source, "0123456789abcdef", "a-1.0-py3-none-any.whl")
    assert store.unusable.has(SOURCE, "0123456789abcdef", "a-1.0-py3-none-any.whl")
    assert not store.unusable.has(SOURCE, "0123456789abcdee", "a-1.0-py3-none-any.whl")
    store.close()
    for keeps in (True, False):
        again = open_store(folders)
        assert again.unusable.has("https://gone.example/", "0123456789abcdef", "a-1.0-py3-none-any.whl") == keeps
        again.unusable.forget_others((SOURCE,))
        assert again.unusable.has(SOURCE, "0123456789abcdef", "a-1.0-py3-none-any.whl")
        assert again.unusable
        again.close()


def test_the_oldest_go_when_there_are_too_many(store: Store, folders: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory and on disk."""
    monkeypatch.setattr(room, "MOST", 3)
    for number in range(5):
        store.unusable.add_later(SOURCE, "key", f"a-{number}.whl")
    store.close()
    again = open_store(folders)
    for found in (store.unusable, again.unusable):
        assert [found.has(SOURCE, "key", f"a-{number}.whl") for number in range(5)] == [False, False, True, True, True]
    assert again.cache.read("SELECT count(*) AS rows FROM unusable")[0]["rows"] == 3
    again.close()
