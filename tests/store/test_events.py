"""Events, modes set by hand and kept files, over restarts."""

from __future__ import annotations

from pathlib import Path

from localpi.settings.paths import Paths
from localpi.store import open_store
from localpi.store.events import KEPT, Event
from localpi.store.kept import KeptFile


def test_events_survive_a_restart_newest_first(tmp_path: Path) -> None:
    """What happened is told in the order that it happened, by kind where that is asked."""
    store = open_store(Paths.under(tmp_path))
    down = Event(1, "state", "root/pypi", None, "root/pypi is down")
    refused = Event(2, "refused", "root/local", "acme", "no project 'acme' on root/local")
    store.events.add_later(down)
    store.events.add_later(refused)
    store.close()

    store = open_store(Paths.under(tmp_path))
    assert (refused, down) == store.events.recent(10)
    assert (down,) == store.events.recent(10, kind="state")
    store.close()


def test_old_events_go(tmp_path: Path) -> None:
    """The table does not grow for ever."""
    store = open_store(Paths.under(tmp_path))
    store.own.write(
        lambda connection: connection.executemany(
            "INSERT INTO events (at_us, kind, text) VALUES (?, 'state', '')", ((at,) for at in range(KEPT + 250))
        )
    )
    for _ in range(100):
        store.events.add_later(Event(9, "state", None, None, "last"))
    store.own.flush()
    (row,) = store.own.read("SELECT count(*) FROM events")
    store.close()
    assert KEPT <= row[0] <= KEPT + 100


def test_modes_survive_a_restart(tmp_path: Path) -> None:
    """What was set by hand is set after a restart; what is replaced is gone."""
    store = open_store(Paths.under(tmp_path))
    store.offline.replace({"": ("on", 1)})
    store.offline.replace({"root/pypi": ("off", 2)})
    store.close()

    store = open_store(Paths.under(tmp_path))
    assert store.offline.all() == {"root/pypi": ("off", 2)}
    store.close()


def test_kept_files_survive_a_restart_and_go_when_replaced(tmp_path: Path) -> None:
    """They are seen at once, and are there again after a restart."""
    entry = {"filename": "a-1.0.tar.gz", "url": "https://x.example/a-1.0.tar.gz", "hashes": {"sha256": "0" * 64}}
    gone = KeptFile("a-1.0.tar.gz", "gone", 5, entry)
    changed = KeptFile("a-2.0.tar.gz", "changed", 6, {**entry, "filename": "a-2.0.tar.gz"})
    store = open_store(Paths.under(tmp_path))
    store.kept.replace_later("source", "a", (changed, gone))
    assert (gone, changed) == store.kept.of("source", "a")
    store.close()

    store = open_store(Paths.under(tmp_path))
    assert ((gone, changed), (1, 1)) == (store.kept.of("source", "a"), store.kept.totals("source"))
    store.kept.replace_later("source", "a", ())
    store.close()

    store = open_store(Paths.under(tmp_path))
    assert store.kept.of("source", "a") == ()
    store.close()
