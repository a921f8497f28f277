"""A registry with users and indexes on a real store, for tests of what stands on it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from localpi.index.accounts import Accounts
from localpi.index.first_run import make_defaults
from localpi.index.passwords import Passwords
from localpi.index.registry import Registry
from localpi.index.removal import Removal
from localpi.index.stamps import Stamps
from localpi.index.uploads import Uploads
from localpi.index.users import Users

if TYPE_CHECKING:
    from localpi.store import Store

PYPI = "https://pypi.example/simple/"
ROOT_PASSWORD = "root secret"
OWNER_SECRET = "the owner's secret"
START_US = 1_700_000_000_000_000


@dataclass
class MadeClock:
    """A wall clock that goes on by a microsecond each time, and a monotonic one that a test sets."""

    now_us: int = START_US
    monotonic_s: float = 100.0
    ticks: itertools.count[int] = field(default_factory=itertools.count)

    def wall(self) -> int:
        """Return integer microseconds UTC."""
        return self.now_us + next(self.ticks)

    def monotonic(self) -> float:
        """Return seconds."""
        return self.monotonic_s


@dataclass
class MadeSecrets:
    """Credentials of upstreams, in memory."""

    kept: dict[str, tuple[str, str]] = field(default_factory=dict)
    in_keyring: set[str] = field(default_factory=set)

    def lookup(self, url: str) -> object | None:
        """Return what is kept for this very address."""
        return self.kept.get(url)

    def ask(self, url: str) -> object | None:
        """Return what the keyring has for it."""
        return ("keyring", "secret") if url in self.in_keyring else None

    def store(self, url: str, user: str, password: str) -> None:
        """Keep it."""
        self.kept[url] = (user, password)

    def forget(self, url: str) -> None:
        """Drop it."""
        self.kept.pop(url, None)


class MadeRooms:
    """Everything that is about own data, with cheap password hashes; root has `ROOT_PASSWORD`."""

    def __init__(
        self, store: Store, *, root_password: str | None = ROOT_PASSWORD, open_registration: bool = False
    ) -> None:
        self.store, self.clock, self.secrets, self.stamps = store, MadeClock(), MadeSecrets(), Stamps()
        self.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        wall = self.clock.wall
        self.registry = Registry(store, wall, self.stamps, secrets=self.secrets)
        self.users = Users(store, self.registry, self.passwords, wall, open_registration=open_registration)
        self.accounts = Accounts(store, self.passwords, wall, owner_secret=OWNER_SECRET, monotonic=self.clock.monotonic)
        self.uploads = Uploads(store, self.registry, self.stamps, wall)
        self.removal = Removal(store, self.registry, self.stamps)
        self.made = make_defaults(
            store, self.registry, self.passwords, wall, pypi_url=PYPI, root_password=root_password
        )
