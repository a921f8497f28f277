"""The tokens' rows: of each only the sha256 of its secret."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import Conflict

if TYPE_CHECKING:
    from localpi.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token; it is good while its time and, for a login, its user's `generation` last. `index` "user/index" or all.

    `kind` is "login" or "token".
    """

    id: str
    user: str
    secret_sha256: str
    kind: str
    scope: str
    created_us: int
    generation: int
    index: str | None = None
    expires_us: int | None = None
    description: str = ""


class Tokens:
    """Tokens in the own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: TokenRow) -> None:
        """Add a token; Conflict when its id is taken or its user is gone."""

        def add(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(
                    """INSERT INTO tokens (id, user, secret_sha256, kind, scope, index_name, created_us, expires_us,
                        generation, description) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                    (
                        token.id,
                        token.user,
                        token.secret_sha256,
                        token.kind,
                        token.scope,
                        token.index,
                        token.created_us,
                        token.expires_us,
                        token.generation,
                        token.description,
                    ),
                )
            except sqlite3.IntegrityError:
                raise Conflict(f"token {token.id} cannot be added") from None

        self._database.write(add)

    def get(self, token_id: str) -> TokenRow | None:
        """Give the token of that id, expired or not."""
        for row in self._database.read("SELECT * FROM tokens WHERE id = ?", (token_id,)):
            return _token(row)
        return None

    def of_user(self, user: str) -> tuple[TokenRow, ...]:
        """Give the tokens of a user, logins too, oldest first."""
        rows = self._database.read("SELECT * FROM tokens WHERE user = ? ORDER BY created_us, id", (user,))
        return tuple(_token(row) for row in rows)

    def revoke(self, token_id: str) -> bool:
        """Delete a token, and say whether there was one."""
        sql = "DELETE FROM tokens WHERE id = ?"
        return self._database.write(lambda connection: connection.execute(sql, (token_id,)).rowcount) > 0

    def purge(self, now_us: int) -> int:
        """Delete the tokens whose time is over, and say how many there were."""
        sql = "DELETE FROM tokens WHERE expires_us <= ?"
        return self._database.write(lambda connection: connection.execute(sql, (now_us,)).rowcount)


def _token(row: sqlite3.Row) -> TokenRow:
    values = dict(row)
    values["index"] = values.pop("index_name")
    return TokenRow(**values)
