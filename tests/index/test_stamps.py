"""The counters behind ready answers."""

from __future__ import annotations

import threading

from localpi.index.stamps import Stamps
from localpi.simple.names import normalize


def test_stamps_change_with_what_they_stand_for() -> None:
    """A project's change touches its own stamp alone, a change of settings every one."""
    stamps, one, other = Stamps(), normalize("one"), normalize("other")
    before = stamps.get(one), stamps.get(other)
    stamps.bump(one)
    assert stamps.get(one) != before[0]
    assert stamps.get(other) == before[1]
    stamps.bump_config()
    assert stamps.get(other) != before[1]


def test_no_bump_is_lost_between_threads() -> None:
    """Counters that many threads bump count every bump."""
    stamps, project = Stamps(), normalize("one")

    def work() -> None:
        for _ in range(2000):
            stamps.bump(project)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stamps.get(project) == (0, 8000)
