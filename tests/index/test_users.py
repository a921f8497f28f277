"""Users, as devpi's client makes and changes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from localpi.errors import BadRequest, Conflict, LocalpiError, NotAllowed, NotAuthenticated, UserNotFound
from localpi.index.permissions import ANONYMOUS, OWNER, Principal
from made.rooms import MadeRooms

if TYPE_CHECKING:
    from localpi.store import Store

ALICE = Principal("alice", "user")


def test_user_is_made_changed_and_deleted(rooms: MadeRooms) -> None:
    """The answers are devpi's `userconfig`, without anything secret."""
    made = rooms.users.create(OWNER, "alice", {"password": "123", "email": "alice@example.com"})
    expected = {"email": "alice@example.com", "created": "2023-11-14T22:13:20Z", "indexes": {}, "username": "alice"}
    assert made == expected
    changed = rooms.users.modify(ALICE, "alice", expected | {"title": "Al", "nonsense": 1})
    assert changed == expected | {"title": "Al", "modified": "2023-11-14T22:13:20Z"}
    rooms.registry.create(ALICE, "alice/dev", {})
    assert list(rooms.users.get("alice")["indexes"]) == ["dev"]
    assert sorted(rooms.users.all()) == ["alice", "root"]
    assert sorted(rooms.users.all()["root"]["indexes"]) == ["local", "pypi"]
    rooms.users.delete(ALICE, "alice")
    with pytest.raises(UserNotFound, match="no user 'alice'"):
        rooms.users.get("alice")
    assert [index.name for index in rooms.registry.all()] == ["root/local", "root/pypi"]


CLOSED = "registration is closed: only root may create users (LOCALPI_OPEN_REGISTRATION=1 opens it)"


@pytest.mark.parametrize(
    ("who", "name", "raw", "error", "message"),
    [
        (ANONYMOUS, "bob", {"password": "1"}, NotAllowed, CLOSED),
        (ALICE, "bob", {"password": "1"}, NotAllowed, CLOSED),
        (OWNER, "alice", {"password": "1"}, Conflict, "user already exists"),
        (OWNER, "bob", {}, BadRequest, "password needs to be set"),
        (OWNER, "bob", {"password": 1}, BadRequest, "password needs to be set"),
        (OWNER, "bob", {"password": "1", "foo": 2}, BadRequest, "Unknown keys in user config: foo"),
        (OWNER, "bob", {"password": "1", "email": 2}, BadRequest, "email must be a text of at most 10000 characters"),
        (OWNER, "bob", {"password": "1" * 5000}, BadRequest, "a password has at most 4096 characters"),
        (OWNER, "__token__", {"password": "1"}, BadRequest, "username '__token__' is empty, too long or reserved."),
        (
            OWNER,
            "dave",
            {"password": "1", "custom_data": json.loads("[" * 300 + "]" * 300)},
            BadRequest,
            "'custom_data' nests too deep",
        ),
        (
            OWNER,
            "bad*name",
            {"password": "1"},
            BadRequest,
            "username 'bad*name' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.",
        ),
    ],
)
def test_creation_is_refused(  # noqa: PLR0917 - columns of the table
    rooms: MadeRooms, who: Principal, name: str, raw: dict[str, Any], error: type[LocalpiError], message: str
) -> None:
    """Users are made by root alone unless registration is open; what is wrong is said in devpi's words."""
    rooms.users.create(OWNER, "alice", {"password": "1"})
    with pytest.raises(error) as refused:
        rooms.users.create(who, name, raw)
    assert refused.value.message == message
    assert sorted(rooms.users.all()) == ["alice", "root"]


def test_refusal_says_how_registration_opens(rooms: MadeRooms) -> None:
    """The hint names the variable."""
    with pytest.raises(NotAllowed) as refused:
        rooms.users.create(ANONYMOUS, "bob", {"password": "1"})
    assert "LOCALPI_OPEN_REGISTRATION=1" in refused.value.hint


def test_open_registration_lets_anyone_in(store: Store) -> None:
    """With open registration anybody makes users, who make indexes, as with devpi."""
    rooms = MadeRooms(store, open_registration=True)
    rooms.users.create(ANONYMOUS, "bob", {"password": "1"})
    assert rooms.accounts.login("bob", "1")


@pytest.mark.parametrize("name", ["é", "a@b.c", "a-b_c.d", "x" * 100])
def test_devpis_names_are_taken(rooms: MadeRooms, name: str) -> None:
    """All that devpi takes as a name is one here."""
    assert rooms.users.create(OWNER, name, {"password": "1"})["username"] == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a\n", "+api", "a\u200b", "\u2028", "x" * 101])
def test_other_names_are_not(rooms: MadeRooms, name: str) -> None:
    """What cannot stand in a URL or a log line is no name."""
    with pytest.raises(BadRequest):
        rooms.users.create(OWNER, name, {"password": "1"})


def test_deletion_is_refused(rooms: MadeRooms) -> None:
    """Root stays, strangers may not, firm indexes and bases of others hold their user."""
    for name in ("alice", "bob"):
        rooms.users.create(OWNER, name, {"password": "1"})
    with pytest.raises(NotAllowed):
        rooms.users.delete(OWNER, "root")
    with pytest.raises(NotAllowed):
        rooms.users.delete(ALICE, "bob")
    with pytest.raises(UserNotFound):
        rooms.users.delete(OWNER, "nosuch")
    rooms.registry.create(ALICE, "alice/prod", {"volatile": False})
    with pytest.raises(NotAllowed, match="user 'alice' has non-volatile index: prod"):
        rooms.users.delete(OWNER, "alice")
    rooms.registry.modify(ALICE, "alice/prod", {"volatile": True})
    rooms.registry.create(OWNER, "bob/dev", {"bases": "alice/prod"})
    with pytest.raises(Conflict):
        rooms.users.delete(OWNER, "alice")
    assert sorted(rooms.users.all()) == ["alice", "bob", "root"]


def test_deleted_user_leaves_no_way_in(rooms: MadeRooms) -> None:
    """Tokens and remembered passwords of a deleted user do not open the account of a new one of that name."""
    rooms.users.create(OWNER, "alice", {"password": "1"})
    login, _ = rooms.accounts.login("alice", "1")
    rooms.users.delete(OWNER, "alice")
    rooms.users.create(OWNER, "alice", {"password": "2"})
    assert rooms.accounts.authenticate(f"Bearer {login}").rejected
    with pytest.raises(NotAuthenticated):
        rooms.accounts.login("alice", "1")
