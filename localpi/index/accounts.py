"""Who asks: passwords, login tokens, API tokens, the owner's secret."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

from localpi.errors import BadRequest, NotAuthenticated, NotFound, UserNotFound
from localpi.index.credentials import TOKEN_USER, join_token, read_headers, split_token
from localpi.index.permissions import ANONYMOUS, OWNER, REJECTED, Principal, demand_manage, may_manage
from localpi.store.tokens import TokenRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.credentials import Shown
    from localpi.index.passwords import Passwords
    from localpi.store import Store
    from localpi.store.accounts import UserRow

log = logging.getLogger(__name__)

MEMO_S = 300.0
MEMO_SIZE = 1024
MAX_TOKENS = 1000  # of one user, logins and others each
MAX_DESCRIPTION = 500


class Accounts:
    """Says who shows a credential, and gives out tokens.

    A password that was right is remembered for five minutes under an HMAC with a key of this process (a check costs
    0.1 s, this some µs), together with the hash that it had: a new password, salted anew, is another one.
    """

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        clock: Callable[[], int],
        *,
        owner_secret: str | None,
        login_ttl_s: int = 36_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is needed; `clock` gives integer microseconds UTC, `login_ttl_s` the life of a login."""
        self._store, self._passwords, self._clock, self._monotonic = store, passwords, clock, monotonic
        self._owner_secret = owner_secret.encode() if owner_secret else b""
        self._login_ttl_s = login_ttl_s
        self._key = secrets.token_bytes(32)
        self._memo: OrderedDict[bytes, tuple[str, float]] = OrderedDict()  # -> hash, until
        self._memo_lock = threading.Lock()

    def authenticate(self, authorization: str | None, devpi_auth: str | None = None) -> Principal:
        """Return who shows these headers; never raises for them.

        A credential that is not valid makes an anonymous principal with `rejected` set: devpi's clients read with
        stale tokens and must get what everyone gets.
        """
        try:
            shown = read_headers(authorization, devpi_auth)
        except ValueError:
            return REJECTED
        if shown is None:
            return ANONYMOUS
        if shown.user is None and self._is_owner(shown.secret):
            return OWNER
        token = split_token(shown.secret)
        if token is not None:
            return self._check_token(shown.user, *token)
        return self._check_password(shown)

    def login(self, user: str, password: str) -> tuple[str, int]:
        """Return a new login token and its life in seconds; raises `NotAuthenticated` with devpi's sentence."""
        row = self._store.accounts.user(user)
        if row is None or not self._passwords.verify(row.pwhash, password):
            error = NotAuthenticated(f"user {user[:100]!r} could not be authenticated")
            if row is not None and not row.pwhash:
                error.hint = f"it has no password yet: localpi user passwd {row.name}"
            raise error
        return self._login_token(row), self._login_ttl_s

    def renew_login(self, user: str) -> str:
        """Return a new login token of a user whose password has just been verified or set."""
        return self._login_token(self._user(user))

    def create_token(
        self,
        principal: Principal,
        user: str,
        *,
        scope: str = "upload",
        index: str | None = None,
        expires_s: int | None = None,
        description: str = "",
    ) -> tuple[str, TokenRow]:
        """Return a new token, readable this once, and what is kept of it.

        `scope` is "read" or "upload", `index` ("user/index") the only one it may upload to, `expires_s` its life
        (None: until revoked). Raises `NotAllowed`, `UserNotFound`, `IndexNotFound`, `BadRequest`.
        """
        demand_manage(principal, user, f"no permission to create tokens of {user}")
        row = self._user(user)
        if scope not in ("read", "upload"):
            raise BadRequest(f"the scope of a token is read or upload, not {scope[:40]!r}")
        if index is not None and self._store.indexes.get(index) is None:
            raise BadRequest(f"no index {index[:200]!r} to bind a token to")
        if expires_s is not None and not 0 < expires_s <= 100 * 366 * 86_400:
            raise BadRequest("a token expires after 1 second to 100 years")
        if len(description) > MAX_DESCRIPTION:
            raise BadRequest(f"a description has at most {MAX_DESCRIPTION} characters")
        if sum(token.kind == "token" for token in self._store.tokens.of_user(user)) >= MAX_TOKENS:
            raise BadRequest(f"{user} has {MAX_TOKENS} tokens already")
        made = self._add_token(row, "token", scope, index=index, life_s=expires_s, description=description)
        log.info("token %s (%s) of %s created by %s", made[1].id, scope, user, principal.name)
        return made

    def tokens(self, principal: Principal, user: str) -> tuple[TokenRow, ...]:
        """Return the tokens of a user, logins left out. Raises `NotAllowed`, `UserNotFound`."""
        demand_manage(principal, user, f"no permission to list tokens of {user}")
        self._user(user)
        return tuple(token for token in self._store.tokens.of_user(user) if token.kind == "token")

    def revoke(self, principal: Principal, token_id: str) -> None:
        """End a token now. Raises `NotFound` (also for those that are none of the principal's business)."""
        token = self._store.tokens.get(token_id)
        if token is None or not may_manage(principal, token.user):
            raise NotFound(f"no token {token_id[:40]!r}")
        self._store.tokens.revoke(token_id)
        log.info("token %s of %s revoked by %s", token_id, token.user, principal.name)

    def set_password(self, principal: Principal, user: str, password: str) -> None:
        """Set a password; logins made with the old one end. Raises `NotAllowed`, `UserNotFound`, `BadRequest`."""
        demand_manage(principal, user, f"no permission to modify user {user}")
        self._user(user)
        self._store.accounts.set_password(user, self._passwords.make_hash(password))
        log.info("password of %s set by %s", user, principal.name)

    def purge(self) -> None:
        """Forget tokens that have expired."""
        self._store.tokens.purge(self._clock())

    def _is_owner(self, secret: str) -> bool:
        return bool(self._owner_secret) and hmac.compare_digest(secret.encode(), self._owner_secret)

    def _user(self, name: str) -> UserRow:
        row = self._store.accounts.user(name)
        if row is None:
            raise UserNotFound(name[:200])
        return row

    def _login_token(self, row: UserRow) -> str:
        """Return a login of the generation that was verified, which a new password meanwhile has ended."""
        logins = [token for token in self._store.tokens.of_user(row.name) if token.kind == "login"]
        for token in logins[: max(0, len(logins) - MAX_TOKENS + 1)]:
            self._store.tokens.revoke(token.id)
        return self._add_token(row, "login", "all", life_s=self._login_ttl_s)[0]

    def _add_token(
        self,
        row: UserRow,
        kind: Literal["login", "token"],
        scope: str,
        *,
        life_s: int | None,
        index: str | None = None,
        description: str = "",
    ) -> tuple[str, TokenRow]:
        token_id, secret, now_us = secrets.token_hex(6), secrets.token_urlsafe(32), self._clock()
        token = TokenRow(
            id=token_id,
            user=row.name,
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            kind=kind,
            scope=scope,
            index=index,
            created_us=now_us,
            expires_us=None if life_s is None else now_us + life_s * 1_000_000,
            generation=row.generation,
            description=description,
        )
        self._store.tokens.add(token)
        return join_token(token_id, secret), token

    def _check_token(self, user: str | None, token_id: str, secret: str) -> Principal:
        token = self._store.tokens.get(token_id)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        if token is None or not hmac.compare_digest(digest, token.secret_sha256):
            return REJECTED
        if token.expires_us is not None and token.expires_us <= self._clock():
            return REJECTED
        if user not in (None, TOKEN_USER, token.user):
            return REJECTED
        row = self._store.accounts.user(token.user)
        if row is None:
            return REJECTED
        if token.kind == "login":
            return Principal(row.name, "user") if token.generation == row.generation else REJECTED
        return Principal(row.name, "token", "read" if token.scope == "read" else "upload", token.index)

    def _check_password(self, shown: Shown) -> Principal:
        row = self._store.accounts.user(shown.user) if shown.user else None
        if row is None or not row.pwhash:
            return REJECTED
        name = len(row.name).to_bytes(2, "big") + row.name.encode() + shown.secret.encode()
        key = hmac.digest(self._key, name, "sha256")
        if self._remembered(key, row.pwhash):
            return Principal(row.name, "user")
        if not self._passwords.verify(row.pwhash, shown.secret):
            return REJECTED
        with self._memo_lock:
            self._memo[key] = (row.pwhash, self._monotonic() + MEMO_S)
            while len(self._memo) > MEMO_SIZE:
                self._memo.popitem(last=False)
        return Principal(row.name, "user")

    def _remembered(self, key: bytes, pwhash: str) -> bool:
        with self._memo_lock:
            known = self._memo.get(key)
            if known is None:
                return False
            if known[0] == pwhash and self._monotonic() < known[1]:
                return True
            del self._memo[key]
            return False
