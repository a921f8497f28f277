"""Password hashes: argon2id with devpi's cost, so that hashes moved from devpi verify. One check costs about 0.1 s."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from localpi.errors import BadRequest, Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PASSWORD = 4096
_AT_ONCE = 2  # 64 MB and a core each
_WAITING = 2  # workers that may wait for a turn; the rest of a flood is turned away at once


@dataclass(frozen=True, slots=True)
class Passwords:
    """Makes and verifies hashes, two at a time, so that a flood of guesses leaves workers to everyone else."""

    hasher: PasswordHasher = field(default_factory=lambda: PasswordHasher(3, 65536, 4))  # time, KiB, lanes
    wait_s: float = 5.0
    _turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE))
    _queue: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE + _WAITING))

    def make_hash(self, password: str) -> str:
        """Return the hash of a password; the empty one is a password too.

        Raises `BadRequest` when it is too long, `Conflict` when no turn came within `wait_s` seconds.
        """
        if len(password) > MAX_PASSWORD:
            raise BadRequest(f"a password has at most {MAX_PASSWORD} characters")
        with self._turn() as came:
            if not came:
                raise Conflict("too many passwords are being set or checked: try again")
            return self.hasher.hash(password)

    def verify(self, pwhash: str | None, password: str) -> bool:
        """Say whether the password has this hash; no hash (nobody may log in) verifies nothing.

        False also when no turn came within `wait_s` seconds.
        """
        if not pwhash or len(password) > MAX_PASSWORD:
            return False
        with self._turn() as came:
            if not came:
                return False
            try:
                return self.hasher.verify(pwhash, password)
            except (VerificationError, InvalidHashError):
                return False

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Wait for a turn, and say whether it came; when others wait already it does not."""
        if not self._queue.acquire(blocking=False):
            yield False
            return
        try:
            came = self._turns.acquire(timeout=self.wait_s)
            try:
                yield came
            finally:
                if came:
                    self._turns.release()
        finally:
            self._queue.release()
