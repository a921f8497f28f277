"""Who may do what, as a table."""

from __future__ import annotations

import pytest

from localpi.errors import LocalpiError, NotAllowed, NotAuthenticated
from localpi.index.config import StageConfig
from localpi.index.permissions import (
    ANONYMOUS,
    OWNER,
    REJECTED,
    Principal,
    demand_remove,
    demand_upload,
    may_manage,
    may_read,
    may_remove,
    may_upload,
)

ROOT = Principal("root", "user")
ALICE = Principal("alice", "user")
BOB = Principal("bob", "user")
UPLOAD_TOKEN = Principal("alice", "token", "upload")
READ_TOKEN = Principal("alice", "token", "read")
BOUND_TOKEN = Principal("alice", "token", "upload", "alice/other")
ROOT_TOKEN = Principal("root", "token", "upload")
EVERYONE = (OWNER, ROOT, ALICE, BOB, UPLOAD_TOKEN, READ_TOKEN, BOUND_TOKEN, ROOT_TOKEN, ANONYMOUS, REJECTED)


@pytest.mark.parametrize(
    ("acl", "expected"),
    [
        (("alice",), {OWNER, ALICE, UPLOAD_TOKEN}),
        ((), {OWNER}),
        (("root",), {OWNER, ROOT, ROOT_TOKEN}),
        ((":AUTHENTICATED:",), {OWNER, ROOT, ALICE, BOB, UPLOAD_TOKEN, ROOT_TOKEN}),
        ((":ANONYMOUS:",), {OWNER, ROOT, ALICE, BOB, UPLOAD_TOKEN, ROOT_TOKEN, ANONYMOUS, REJECTED}),
    ],
)
def test_who_uploads(acl: tuple[str, ...], expected: set[Principal]) -> None:
    """The list of the stage decides; tokens do not reach beyond their scope and index; root is not in it by itself."""
    config = StageConfig(acl_upload=acl)
    assert {who for who in EVERYONE if may_upload(who, "alice/dev", config)} == expected


def test_who_removes() -> None:
    """Those who upload remove, the index's owner and root do so in any case."""
    config = StageConfig(acl_upload=("bob",))
    assert {who for who in EVERYONE if may_remove(who, "alice/dev", config)} == {OWNER, ROOT, ALICE, BOB}


def test_who_manages() -> None:
    """Users and indexes are changed by themselves and root, never by tokens."""
    assert {who for who in EVERYONE if may_manage(who, "alice")} == {OWNER, ROOT, ALICE}


def test_who_reads() -> None:
    """On loopback anyone reads, elsewhere a valid credential is needed."""
    assert {who for who in EVERYONE if may_read(who, loopback=True)} == set(EVERYONE)
    assert {who for who in EVERYONE if may_read(who, loopback=False)} == set(EVERYONE) - {ANONYMOUS, REJECTED}


@pytest.mark.parametrize(
    ("who", "error"),
    [(ANONYMOUS, NotAuthenticated), (REJECTED, NotAuthenticated), (BOB, NotAllowed), (READ_TOKEN, NotAllowed)],
)
def test_refusals_say_whether_logging_in_helps(who: Principal, error: type[LocalpiError]) -> None:
    """Nobody known is asked to log in; somebody known is told no."""
    config = StageConfig(acl_upload=("alice",))
    for demand in (demand_upload, demand_remove):
        with pytest.raises(error):
            demand(who, "alice/dev", config)
