"""The users' rows."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localpi.errors import Conflict, UserNotFound
from localpi.store.changes import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.store.database import Database

CHANGEABLE = ("email", "title", "description", "custom_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A user. `pwhash` None: cannot log in; `generation` goes up with each password; `custom_data` is any JSON."""

    name: str
    pwhash: str | None
    created_us: int
    modified_us: int | None = None
    generation: int = 0
    email: str | None = None
    title: str | None = None
    description: str | None = None
    custom_data: Any = None


class Accounts:
    """Users in the own database; each change is in the history."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database, self._clock = database, clock

    def add_user(self, user: UserRow) -> None:
        """Add a user; Conflict when there is one of that name."""

        def add(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(
                    """INSERT INTO users (name, pwhash, generation, email, title, description, custom_data, created_us,
                        modified_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                    (
                        user.name,
                        user.pwhash,
                        user.generation,
                        user.email,
                        user.title,
                        user.description,
                        _dump(user.custom_data),
                        user.created_us,
                        user.modified_us,
                    ),
                )
            except sqlite3.IntegrityError:
                raise Conflict("user already exists") from None
            record(connection, "user-create", user.created_us, user=user.name)

        self._database.write(add)

    def user(self, name: str) -> UserRow | None:
        """Give the user of that name."""
        for row in self._database.read("SELECT * FROM users WHERE name = ?", (name,)):
            return _user(row)
        return None

    def users(self) -> tuple[UserRow, ...]:
        """Give all users, sorted by name."""
        return tuple(_user(row) for row in self._database.read("SELECT * FROM users ORDER BY name"))

    def change_user(self, name: str, *, modified_us: int | None = None, **changes: Any) -> UserRow:
        """Set some of email, title, description and custom_data; UserNotFound."""
        unknown = set(changes).difference(CHANGEABLE)
        if unknown:
            message = f"not to be changed: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        if "custom_data" in changes:
            changes["custom_data"] = _dump(changes["custom_data"])
        at_us = self._clock() if modified_us is None else modified_us

        def change(connection: sqlite3.Connection) -> None:
            columns = "".join(f", {column} = ?" for column in changes)
            _touch_user(connection, f"UPDATE users SET modified_us = ?{columns}", name, (at_us, *changes.values()))  # noqa: S608 - columns from CHANGEABLE
            record(connection, "user-modify", at_us, user=name, keys=sorted(changes))

        self._database.write(change)
        return self._require(name)

    def set_password(self, name: str, pwhash: str | None) -> UserRow:
        """Set the hash (None: no login), begin a new generation, and drop the login tokens; UserNotFound."""
        at_us = self._clock()

        def change(connection: sqlite3.Connection) -> None:
            _touch_user(
                connection,
                "UPDATE users SET modified_us = ?, pwhash = ?, generation = generation + 1",
                name,
                (at_us, pwhash),
            )
            connection.execute("DELETE FROM tokens WHERE user = ? AND kind = 'login'", (name,))
            record(connection, "user-modify", at_us, user=name, keys=["password"])

        self._database.write(change)
        return self._require(name)

    def delete_user(self, name: str) -> bool:
        """Delete a user and its tokens, and say whether there was one; Conflict while it has indexes."""
        at_us = self._clock()

        def delete(connection: sqlite3.Connection) -> bool:
            try:
                gone = connection.execute("DELETE FROM users WHERE name = ?", (name,)).rowcount > 0
            except sqlite3.IntegrityError:
                raise Conflict(f"user {name!r} has indexes") from None
            if gone:
                record(connection, "user-delete", at_us, user=name)
            return gone

        return self._database.write(delete)

    def _require(self, name: str) -> UserRow:
        user = self.user(name)
        if user is None:
            raise UserNotFound(name)
        return user


def _touch_user(connection: sqlite3.Connection, update: str, name: str, values: tuple[object, ...]) -> None:
    if not connection.execute(f"{update} WHERE name = ?", (*values, name)).rowcount:
        raise UserNotFound(name)


def _dump(custom_data: Any) -> str | None:
    return None if custom_data is None else json.dumps(custom_data)


def _user(row: sqlite3.Row) -> UserRow:
    values = dict(row)
    if values["custom_data"] is not None:
        values["custom_data"] = json.loads(values["custom_data"])
    return UserRow(**values)
