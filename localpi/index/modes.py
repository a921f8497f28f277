"""What was set by hand with `localpi offline`: for one mirror, or for all; kept over restarts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from localpi.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.stamps import Stamps
    from localpi.store import Store

MODES = ("on", "off", "auto")
ALL = ""


class Modes:
    """Modes by index name: a mirror's own, else that of all, else the setting `offline`. Reading takes no lock."""

    def __init__(self, store: Store, stamps: Stamps, now_us: Callable[[], int], *, setting: str) -> None:
        self._store, self._stamps, self._now_us = store, stamps, now_us
        self._setting = (setting, now_us())
        self._changing = threading.Lock()
        self._modes = store.offline.all()

    def of(self, index: str) -> tuple[str, int]:
        """Return the mode of a mirror and since when, µs UTC."""
        modes = self._modes
        return modes.get(index) or modes.get(ALL) or self._setting

    def set(self, mode: str, index: str = ALL) -> None:
        """Set the mode of a mirror, or of all: then what single ones had is over. Raises BadRequest."""
        if mode not in MODES:
            raise BadRequest(f"offline is one of {', '.join(MODES)}")
        with self._changing:
            kept = {} if index == ALL else dict(self._modes)
            kept.pop(index, None)
            rest = (kept.get(ALL) or self._setting)[0] if index != ALL else self._setting[0]
            if mode != rest:  # what it would be without a row needs none: the setting may change later
                kept[index] = (mode, self._now_us())
            self._store.offline.replace(kept)
            self._modes = kept
        self._stamps.bump_config()
