"""Who may do what. Pure: no I/O, no clock.

devpi's rules (view_auth.py): users and indexes belong to root and to themselves, `acl_upload` says who may upload,
root is not in it unless named. Tokens do what their scope says and never administrate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from localpi.errors import NotAllowed, NotAuthenticated

if TYPE_CHECKING:
    from localpi.index.config import StageConfig

ROOT = "root"
ANYONE = ":ANONYMOUS:"
ANYONE_KNOWN = ":AUTHENTICATED:"

Kind = Literal["owner", "user", "token", "anonymous"]
Scope = Literal["read", "upload", "all"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and how far the credential that was shown reaches."""

    name: str | None
    kind: Kind
    scope: Scope = "all"
    index: str | None = None  # the one index that a token is bound to
    rejected: bool = False  # a credential was shown and is not valid; reads go on as anonymous


ANONYMOUS = Principal(None, "anonymous", "read")
REJECTED = Principal(None, "anonymous", "read", rejected=True)
OWNER = Principal(ROOT, "owner")


def is_root(principal: Principal) -> bool:
    """Say whether the principal administrates everything."""
    return principal.name == ROOT and principal.scope == "all" and principal.kind in ("owner", "user")


def may_manage(principal: Principal, user: str) -> bool:
    """Say whether the principal may change this user and the indexes below it."""
    own = principal.name == user and principal.scope == "all" and principal.kind in ("owner", "user")
    return own or is_root(principal)


def may_read(principal: Principal, *, loopback: bool) -> bool:
    """Say whether the principal may read pages and files: anyone on loopback, any valid credential elsewhere."""
    return loopback or principal.kind != "anonymous"


def may_upload(principal: Principal, index: str, config: StageConfig) -> bool:
    """Say whether the principal may put files on the stage `index` ("user/index")."""
    if principal.scope not in ("upload", "all") and principal.kind != "anonymous":
        return False
    if principal.index is not None and principal.index != index:
        return False
    if ANYONE in config.acl_upload or principal.kind == "owner":
        return True
    if principal.name is None:
        return False
    return ANYONE_KNOWN in config.acl_upload or principal.name in config.acl_upload


def may_add_toxresult(principal: Principal, index: str, config: StageConfig) -> bool:
    """Say whether the principal may add results of test runs on the stage: anyone, unless its acl says otherwise."""
    if principal.index is not None and principal.index != index:
        return False
    if ANYONE in config.acl_toxresult_upload or principal.kind == "owner":
        return True
    if principal.name is None or principal.scope not in ("upload", "all"):
        return False
    return ANYONE_KNOWN in config.acl_toxresult_upload or principal.name in config.acl_toxresult_upload


def may_remove(principal: Principal, index: str, config: StageConfig) -> bool:
    """Say whether the principal may delete and yank on the stage: who uploads, the index's owner, root."""
    if principal.kind == "token" and principal.index is not None and principal.index != index:
        return False
    return may_upload(principal, index, config) or may_manage(principal, index.partition("/")[0])


def demand_manage(principal: Principal, user: str, refusal: str) -> None:
    """Raise `NotAllowed` with the sentence unless the principal may manage the user's things."""
    if not may_manage(principal, user):
        raise NotAllowed(refusal)


def demand_upload(principal: Principal, index: str, config: StageConfig) -> None:
    """Raise `NotAuthenticated` for those nobody knows, `NotAllowed` for those who may not upload."""
    if may_upload(principal, index, config):
        return
    if principal.kind == "anonymous":
        what = "the credential is not valid" if principal.rejected else f"uploading to {index} needs a credential"
        raise NotAuthenticated(what)
    raise NotAllowed("no permission to submit")


def demand_remove(principal: Principal, index: str, config: StageConfig) -> None:
    """Raise `NotAuthenticated` or `NotAllowed` unless the principal may delete and yank on the stage."""
    if may_remove(principal, index, config):
        return
    if principal.kind == "anonymous":
        what = "the credential is not valid" if principal.rejected else f"changing {index} needs a credential"
        raise NotAuthenticated(what)
    raise NotAllowed(f"no permission to delete on {index}")
