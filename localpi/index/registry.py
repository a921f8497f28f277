"""The indexes: what they are, in which order they answer, who may change them."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from localpi.errors import Conflict, IndexNotFound, InvalidIndexConfig, NotAllowed, UserNotFound
from localpi.index.config import MirrorConfig, StageConfig, apply_patch, parse_config, to_json
from localpi.index.config_values import told
from localpi.index.holding import Holding
from localpi.index.names import check_index_name, split_index
from localpi.index.order import find_cycle, resolution_order
from localpi.index.permissions import demand_manage, is_root
from localpi.store.indexes import IndexRow
from localpi.upstream.credentials import covers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from localpi.index.config import IndexConfig
    from localpi.index.permissions import Principal
    from localpi.index.stamps import Stamps
    from localpi.store import Store

log = logging.getLogger(__name__)

MAX_INDEXES = 10_000


class Secrets(Protocol):
    """Where credentials of upstreams are kept (`localpi.upstream`'s Credentials)."""

    def lookup(self, url: str) -> object | None:
        """Return the credential that would go to this address."""

    def ask(self, url: str) -> object | None:
        """Return what else there is for this address, which is looked for when it refuses us; 2 s at most."""

    def store(self, url: str, user: str, password: str) -> object:
        """Keep a credential for everything below this address."""

    def forget(self, url: str) -> object:
        """Drop the credential of exactly this address; one in the person's own keyring or netrc stays."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its name "user/index" and its settings."""

    name: str
    config: IndexConfig

    @property
    def user(self) -> str:
        """Return the user it belongs to."""
        return self.name.partition("/")[0]

    @property
    def stage(self) -> StageConfig | None:
        """Return the settings of a stage, None for a mirror."""
        return self.config if isinstance(self.config, StageConfig) else None

    @property
    def mirror(self) -> MirrorConfig | None:
        """Return the settings of a mirror, None for a stage."""
        return self.config if isinstance(self.config, MirrorConfig) else None


@dataclass(frozen=True, slots=True)
class _Reading:
    """The indexes of one reading of the database, and the orders made from it so far."""

    indexes: dict[str, Index] = field(default_factory=dict)
    orders: dict[str, tuple[tuple[str, IndexConfig], ...]] = field(default_factory=dict)

    def config(self, index: str) -> IndexConfig | None:
        """Return the settings of an index, None where there is none."""
        found = self.indexes.get(index)
        return found.config if found else None


class Registry:
    """All indexes, in memory; read anew after each change, which bumps the configuration's stamp."""

    def __init__(
        self, store: Store, clock: Callable[[], int], stamps: Stamps, *, secrets: Secrets | None = None
    ) -> None:
        """Read the indexes. `clock` gives integer microseconds UTC; without `secrets` userinfo is refused."""
        self.holding = Holding(store)
        self._store, self._clock, self._stamps, self._secrets = store, clock, stamps, secrets
        self._changing = threading.Lock()
        self._reading = _Reading()
        self.reload()

    def reload(self) -> None:
        """Read all indexes from the database and say that the configuration changed."""
        names = {f"{row.user}/{row.name}": row for row in self._store.indexes.all()}
        self._reading = _Reading(
            {name: Index(name, parse_config(row.user, row.config)[0]) for name, row in names.items()}
        )
        self._stamps.bump_config()

    def get(self, index: str) -> Index:
        """Return the index "user/name"; raises `IndexNotFound`."""
        found = self._reading.indexes.get(index)
        if found is None:
            raise IndexNotFound(index[:200])
        return found

    def all(self) -> tuple[Index, ...]:
        """Return all indexes, sorted by name."""
        return tuple(sorted(self._reading.indexes.values(), key=lambda index: index.name))

    def order(self, index: str) -> tuple[tuple[str, IndexConfig], ...]:
        """Return names and settings of all indexes behind this one, in the order in which they answer.

        Raises `IndexNotFound`.
        """
        reading = self._reading
        order = reading.orders.get(index)
        if order is None:
            names = resolution_order(index, reading.config)
            if not names:
                raise IndexNotFound(index[:200])
            order = reading.orders[index] = tuple((name, reading.indexes[name].config) for name in names)
        return order

    def create(self, principal: Principal, index: str, raw: Mapping[str, Any]) -> Index:
        """Make an index from devpi's keys.

        Raises `NotAllowed`, `UserNotFound`, `Conflict`, `BadRequest`, `InvalidIndexConfig`.
        """
        user, name = split_index(index)
        demand_manage(principal, user, f"no permission to create index {index}")
        if self._store.accounts.user(user) is None:
            raise UserNotFound(user)
        check_index_name(name)
        with self._changing:
            if index in self._reading.indexes:
                raise Conflict(f"index '{index}' exists")
            if len(self._reading.indexes) >= MAX_INDEXES:
                raise InvalidIndexConfig(f"there are {MAX_INDEXES} indexes already")
            config, userinfo = parse_config(user, raw)
            self._check_bases(index, config)
            self._keep_userinfo(principal, config, userinfo)
            row = IndexRow(user=user, name=name, type=config.type, config=to_json(config), created_us=self._clock())
            self._store.indexes.add(row)
            self.reload()
        log.info("index %s (%s) created by %s", index, config.type, principal.name)
        return self.get(index)

    def modify(
        self,
        principal: Principal,
        index: str,
        patch: Sequence[str] | Mapping[str, Any],
        *,
        error_on_noop: bool = False,
    ) -> Index:
        """Change settings as devpi's PATCH says (`apply_patch`).

        Raises `NotAllowed`, `IndexNotFound`, `InvalidIndexConfig`; with `error_on_noop` also when nothing changes.
        """
        demand_manage(principal, split_index(index)[0], f"no permission to modify index {index}")
        with self._changing:
            before = self.get(index)
            config, userinfo = apply_patch(before.config, patch)
            if config == before.config and userinfo is None:
                if error_on_noop:
                    raise InvalidIndexConfig("The requested modifications resulted in no changes.")
                return before
            self._check_bases(index, config)
            url_before = before.mirror.mirror_url if before.mirror else ""
            if userinfo or (isinstance(config, MirrorConfig) and config.mirror_url != url_before):
                self._keep_userinfo(principal, config, userinfo)
            self._store.indexes.replace_config(index, to_json(config))
            self.reload()
            self._forget_unused((before,))
        log.info("index %s changed by %s", index, principal.name)
        return self.get(index)

    def delete(self, principal: Principal, index: str) -> None:
        """Delete an index and its files.

        Raises `NotAllowed` (for a non-volatile one too), `IndexNotFound`, `Conflict` when it is a base of others.
        """
        demand_manage(principal, split_index(index)[0], f"no permission to delete index {index}")
        if not self.get(index).config.volatile:
            refused = NotAllowed(f"index {index} non-volatile, cannot delete")
            refused.hint = f"if it may go with all that it holds: localpi index set {index} volatile=true"
            raise refused
        self.delete_all((index,))
        log.info("index %s deleted by %s", index, principal.name)

    def delete_all(self, names: Sequence[str]) -> None:
        """Delete these indexes and their files, permission and volatility aside.

        Raises `Conflict`, before anything is deleted, when one of them is a base of an index that is not among them.
        """
        with self._changing:
            for other in self.all():
                bases = other.stage.bases if other.stage and other.name not in names else ()
                for base in bases:
                    if base in names:
                        error = Conflict(f"index {base} is a base of {other.name}")
                        error.hint = f"localpi index set {other.name} bases-={base}"
                        raise error
            gone = tuple(index for index in self.all() if index.name in names)
            hashes = [sha256 for name in names for sha256 in self._store.indexes.delete(name)]
            self.reload()
            self._forget_unused(gone)
        self.holding.let_go(hashes)

    def _check_bases(self, index: str, config: IndexConfig) -> None:
        if not isinstance(config, StageConfig):
            return
        missing = [base for base in config.bases if base not in self._reading.indexes and base != index]
        if missing:
            raise InvalidIndexConfig(", ".join(f"base index '{told(base)}' does not exist" for base in missing[:8]))
        cycle = find_cycle(index, config, self._reading.config)
        if cycle:
            raise InvalidIndexConfig("the bases would go in a circle: " + " → ".join(cycle[:10]))

    def _forget_unused(self, before: Sequence[Index]) -> None:
        """Drop the credentials of addresses that no mirror is at, or below, any more."""
        if self._secrets is None:
            return
        used = [index.mirror.simple_url for index in self.all() if index.mirror]
        for url in {index.mirror.simple_url for index in before if index.mirror}:
            if any(covers(url, other) for other in used):
                continue
            try:
                self._secrets.forget(url)
            except (OSError, ValueError) as error:
                log.warning("the credential for %s could not be deleted: %s", url, error)

    def _keep_userinfo(self, principal: Principal, config: IndexConfig, userinfo: str | None) -> None:
        """Move the userinfo of a new `mirror_url` to where credentials are kept; root's alone (DESIGN: Safety).

        A user's mirror at an address that root's credentials open would show everyone what they protect.
        """
        if not isinstance(config, MirrorConfig) or self._secrets is None:
            if userinfo:
                raise InvalidIndexConfig("'mirror_url' must not hold a user and password here")
            return
        if is_root(principal):
            if userinfo:
                user, _, password = userinfo.partition(":")
                self._secrets.store(config.simple_url, unquote(user), unquote(password))
            return
        if userinfo:
            raise NotAllowed("only root may give a mirror a user and password")
        if self._secrets.lookup(config.simple_url) or self._secrets.ask(config.simple_url):
            raise NotAllowed("only root may make a mirror of an address that needs credentials")
