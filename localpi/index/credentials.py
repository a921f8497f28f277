"""What a request shows as its credential, read from its headers. Pure: no I/O, no clock.

RFC 7617 (Basic), RFC 6750 (Bearer); devpi's client sends `X-Devpi-Auth: base64(user:token or password)`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

TOKEN_PREFIX = "lp1"  # noqa: S105 - what tokens begin with
TOKEN_USER = "__token__"  # noqa: S105 - the user name that goes with any token
MAX_HEADER = 8192


@dataclass(frozen=True, slots=True)
class Shown:
    """A user (None with a bearer token) and a secret: a password or a token."""

    user: str | None
    secret: str


def read_headers(authorization: str | None, devpi_auth: str | None) -> Shown | None:
    """Return what was shown, None when nothing was; raises `ValueError` for what cannot be read.

    `X-Devpi-Auth` goes first: in front of devpi, `Authorization` belongs to a proxy.
    """
    if devpi_auth:
        return _read_pair(devpi_auth)
    if not authorization:
        return None
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() == "bearer" and len(rest) <= MAX_HEADER:
        return Shown(None, rest.strip())
    if scheme.lower() == "basic":
        return _read_pair(rest)
    raise ValueError("neither Basic nor Bearer")


def split_token(secret: str) -> tuple[str, str] | None:
    """Return id and secret of `lp1_{id}_{secret}`, None for what is no token."""
    prefix, _, rest = secret.partition("_")
    token_id, _, token_secret = rest.partition("_")
    return (token_id, token_secret) if prefix == TOKEN_PREFIX and token_id and token_secret else None


def join_token(token_id: str, secret: str) -> str:
    """Return the text of a token as its user keeps it."""
    return f"{TOKEN_PREFIX}_{token_id}_{secret}"


def _read_pair(encoded: str) -> Shown:
    if len(encoded) > MAX_HEADER:
        raise ValueError("too long")
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    try:
        pair = raw.decode()
    except UnicodeDecodeError:
        pair = raw.decode("latin-1")  # what RFC 7617 clients without charset may send
    user, colon, secret = pair.partition(":")
    if not colon:
        raise ValueError("no colon between user and password")
    return Shown(user, secret)
