"""The system's keyring, asked in bounded time: a locked one opens a dialog and waits for the person."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

WITHIN_S: Final = 2.0
_AGAIN_S: Final = 60.0
_MOST: Final = 1000


def ask_keyring(url: str) -> tuple[str, str] | None:
    """(user, password) that the keyring has for a URL or its host, as pip looks for them; may wait for ever."""
    import keyring  # noqa: PLC0415 - 100 ms, and only mirrors that refuse us need it
    import keyring.errors  # noqa: PLC0415

    for service in (url, urlsplit(url).netloc):
        try:
            found = keyring.get_credential(service, None)
        except (keyring.errors.KeyringError, RuntimeError, OSError):
            return None
        if found is not None and found.password:
            return found.username or "", found.password
    return None


@dataclass(slots=True)
class _Question:
    asked_at: float
    done: threading.Event = field(default_factory=threading.Event)
    answer: tuple[str, str] | None = None


class KeyringAsker:
    """Asks in a thread per URL; an answer that comes late is there for the next one, a no is good for a minute."""

    def __init__(self, ask: Callable[[str], tuple[str, str] | None], within_s: float = WITHIN_S) -> None:
        self._ask, self._within_s = ask, within_s
        self._questions: dict[str, _Question] = {}
        self._lock = threading.Lock()

    def known(self, url: str) -> tuple[str, str] | None:
        """What an earlier question brought."""
        question = self._questions.get(url)
        return question.answer if question is not None else None

    def ask(self, url: str) -> tuple[str, str] | None:
        """The answer, or None when there is none in time."""
        now = time.monotonic()
        with self._lock:
            question = self._questions.get(url)
            if question is None or (question.done.is_set() and now - question.asked_at > _AGAIN_S):
                if len(self._questions) >= _MOST:
                    self._questions.clear()
                question = self._questions[url] = _Question(now)
                threading.Thread(target=self._run, args=(url, question), daemon=True, name="keyring").start()
        question.done.wait(self._within_s)
        return question.answer

    def _run(self, url: str, question: _Question) -> None:
        try:
            question.answer = self._ask(url)
        finally:
            question.done.set()
