"""The users: who they are, who may make and change them. devpi's rules and messages (DEVPI 1.3, 2)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from localpi.errors import BadRequest, Conflict, NotAllowed, UserNotFound
from localpi.index.config import to_json
from localpi.index.config_values import custom
from localpi.index.file_times import format_second
from localpi.index.names import check_user_name
from localpi.index.permissions import ROOT, demand_manage, is_root
from localpi.store.accounts import UserRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from localpi.index.passwords import Passwords
    from localpi.index.permissions import Principal
    from localpi.index.registry import Index, Registry
    from localpi.store import Store

log = logging.getLogger(__name__)

MAX_USERS = 10_000
MAX_TEXT = 10_000
_TEXTS = ("email", "title", "description")
_KNOWN = (*_TEXTS, "custom_data", "password")


class Users:
    """All users; what is secret of them is in no answer."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        passwords: Passwords,
        clock: Callable[[], int],
        *,
        open_registration: bool = False,
    ) -> None:
        """Keep what is needed; `clock` gives integer microseconds UTC.

        `open_registration`: anyone who reaches the daemon may create users, as with devpi.
        """
        self._store, self._registry, self._passwords, self._clock = store, registry, passwords, clock
        self._open = open_registration

    def get(self, name: str) -> dict[str, Any]:
        """Return devpi's `userconfig` of a user, with its indexes; raises `UserNotFound`."""
        return self._shown(self._row(name), self._registry.all())

    def all(self) -> dict[str, dict[str, Any]]:
        """Return devpi's `list:userconfig`: the `userconfig` of every user by name."""
        own: dict[str, list[Index]] = {}
        for index in self._registry.all():
            own.setdefault(index.user, []).append(index)
        return {row.name: self._shown(row, own.get(row.name, ())) for row in self._store.accounts.users()}

    def create(self, principal: Principal, name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Make a user from devpi's keys, `password` among them, and return its `userconfig`.

        Raises `NotAllowed`, `BadRequest`, `Conflict`.
        """
        if not (self._open or is_root(principal)):
            error = NotAllowed(
                "registration is closed: only root may create users (LOCALPI_OPEN_REGISTRATION=1 opens it)"
            )
            error.hint = f"localpi user create {name}; or LOCALPI_OPEN_REGISTRATION=1 lets anyone (who reaches it)"
            raise error
        check_user_name(name)
        unknown = [key for key in raw if key not in _KNOWN]
        if unknown:
            raise BadRequest(f"Unknown keys in user config: {', '.join(key[:40] for key in unknown[:8])}")
        if not isinstance(raw.get("password"), str):
            raise BadRequest("password needs to be set")
        accounts = self._store.accounts
        if accounts.user(name) is not None:
            raise Conflict("user already exists")
        if len(accounts.users()) >= MAX_USERS:
            raise BadRequest(f"there are {MAX_USERS} users already")
        fields = _read_fields(raw)
        row = UserRow(name=name, pwhash=self._passwords.make_hash(raw["password"]), created_us=self._clock(), **fields)
        accounts.add_user(row)
        log.info("user %s created by %s", name, principal.name)
        return self.get(name)

    def modify(self, principal: Principal, name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Change what a user says about itself and return its `userconfig`; unknown keys are ignored, as by devpi.

        A `password` is not taken here (`Accounts.set_password`). Raises `NotAllowed`, `UserNotFound`, `BadRequest`.
        """
        demand_manage(principal, name, f"no permission to modify user {name}")
        self._row(name)
        fields = _read_fields(raw)
        if fields:
            self._store.accounts.change_user(name, **fields, modified_us=self._clock())
            log.info("user %s changed by %s", name, principal.name)
        return self.get(name)

    def delete(self, principal: Principal, name: str) -> None:
        """Delete a user with its indexes and their files.

        Raises `NotAllowed` (root, or a non-volatile index), `UserNotFound`, `Conflict` when one of the indexes is a
        base of another user's.
        """
        demand_manage(principal, name, f"no permission to delete user {name}")
        self._row(name)
        if name == ROOT:
            raise NotAllowed("user 'root' cannot be deleted")
        own = tuple(index for index in self._registry.all() if index.user == name)
        firm = [index.name.partition("/")[2] for index in own if not index.config.volatile]
        if firm:
            raise NotAllowed(f"user '{name}' has non-volatile index: {', '.join(firm)}")
        self._registry.delete_all(tuple(index.name for index in own))
        self._store.accounts.delete_user(name)
        log.info("user %s deleted by %s", name, principal.name)

    def _shown(self, row: UserRow, indexes: Sequence[Index]) -> dict[str, Any]:
        own = {index.name.partition("/")[2]: to_json(index.config) for index in indexes if index.user == row.name}
        return _to_json(row) | {"indexes": own, "username": row.name}

    def _row(self, name: str) -> UserRow:
        row = self._store.accounts.user(name)
        if row is None:
            raise UserNotFound(name[:200])
        return row


def _read_fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    for key in _TEXTS:
        value = raw.get(key)
        if value is not None and (not isinstance(value, str) or len(value) > MAX_TEXT):
            raise BadRequest(f"{key} must be a text of at most {MAX_TEXT} characters")
    custom("custom_data", raw.get("custom_data"))
    return {key: raw[key] for key in (*_TEXTS, "custom_data") if key in raw}


def _to_json(row: UserRow) -> dict[str, Any]:
    told = {"email": row.email, "title": row.title, "description": row.description, "custom_data": row.custom_data}
    result = {key: value for key, value in told.items() if value is not None}
    result["created"] = format_second(row.created_us)
    if row.modified_us is not None:
        result["modified"] = format_second(row.modified_us)
    return result
