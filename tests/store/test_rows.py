"""Users, tokens, indexes and the history."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localpi.errors import Conflict, IndexNotFound, UserNotFound
from localpi.store import Store
from localpi.store.accounts import UserRow
from localpi.store.changes import ChangeRow
from localpi.store.indexes import IndexRow
from localpi.store.tokens import TokenRow

BOB = UserRow(name="bob", pwhash=None, created_us=5, email="b@example.org", custom_data={"a": [1, None]})
TOKEN = TokenRow(
    id="t1",
    user="ann",
    secret_sha256="5e" * 32,
    kind="token",
    scope="upload",
    created_us=3,
    generation=0,
    index="ann/dev",
    expires_us=100,
    description="laptop",
)


def kinds(store: Store) -> list[str]:
    return [change.kind for change in reversed(store.changes.recent(100))]


def test_users_come_back_as_they_were(store: Store) -> None:
    """Every column, sorted by name."""
    store.accounts.add_user(BOB)
    ann = UserRow(name="ann", pwhash="hash", created_us=0)
    assert (store.accounts.user("bob"), store.accounts.user("eve")) == (BOB, None)
    assert store.accounts.users() == (ann, BOB)
    with pytest.raises(Conflict):
        store.accounts.add_user(BOB)


def test_a_user_is_changed(store: Store) -> None:
    """Only what is named changes, at the time given or the clock's."""
    store.accounts.add_user(BOB)
    changed = store.accounts.change_user("bob", title="Bob", custom_data=None, modified_us=9)
    assert changed == replace(BOB, title="Bob", custom_data=None, modified_us=9)
    assert store.accounts.change_user("bob", email=None) == replace(changed, email=None, modified_us=1)
    with pytest.raises(UserNotFound):
        store.accounts.change_user("eve", title="Eve")
    with pytest.raises(ValueError, match="pwhash"):
        store.accounts.change_user("bob", pwhash="stolen")


def test_a_new_password_ends_the_logins(store: Store) -> None:
    """A new generation; login tokens go, others stay."""
    login = replace(TOKEN, id="t2", kind="login", index=None, expires_us=None)
    store.tokens.add(TOKEN)
    store.tokens.add(login)
    assert store.tokens.of_user("ann") == (TOKEN, login)
    user = store.accounts.set_password("ann", "new")
    assert (user.pwhash, user.generation, store.tokens.of_user("ann")) == ("new", 1, (TOKEN,))
    with pytest.raises(UserNotFound):
        store.accounts.set_password("eve", "x")


def test_a_deleted_user_takes_its_tokens_along(store: Store) -> None:
    """Not while it has indexes; the rows of the tokens go with it."""
    store.tokens.add(TOKEN)
    with pytest.raises(Conflict):
        store.accounts.delete_user("ann")
    for name in ("ann/dev", "ann/prod"):
        store.indexes.delete(name)
    assert (store.accounts.delete_user("ann"), store.accounts.delete_user("ann")) == (True, False)
    assert (store.accounts.user("ann"), store.tokens.get("t1")) == (None, None)


def test_tokens_are_added_revoked_and_purged(store: Store) -> None:
    """Ids are unique, users must exist, time ends those that have an end."""
    forever = replace(TOKEN, id="t2", expires_us=None)
    store.tokens.add(TOKEN)
    store.tokens.add(forever)
    for wrong in (TOKEN, replace(TOKEN, id="t3", user="eve")):
        with pytest.raises(Conflict):
            store.tokens.add(wrong)
    assert (store.tokens.get("t1"), store.tokens.get("t9")) == (TOKEN, None)
    assert (store.tokens.purge(99), store.tokens.purge(100), store.tokens.of_user("ann")) == (0, 1, (forever,))
    assert (store.tokens.revoke("t2"), store.tokens.revoke("t2")) == (True, False)


def test_indexes_come_back_as_they_were(store: Store) -> None:
    """Configuration is JSON; names are unique per user; users must exist."""
    row = IndexRow(user="ann", name="m", type="mirror", config={"mirror_url": "x", "volatile": True}, created_us=7)
    store.indexes.add(row)
    assert (store.indexes.get("ann/m"), store.indexes.get("ann/none")) == (row, None)
    assert [index.full_name for index in store.indexes.all()] == ["ann/dev", "ann/m", "ann/prod"]
    with pytest.raises(Conflict):
        store.indexes.add(row)
    with pytest.raises(UserNotFound):
        store.indexes.add(replace(row, user="eve"))


def test_an_index_gets_another_configuration(store: Store) -> None:
    """All of it at once."""
    store.indexes.replace_config("ann/dev", {"bases": ["ann/prod"]})
    found = store.indexes.get("ann/dev")
    assert found is not None
    assert found.config == {"bases": ["ann/prod"]}
    for call in (lambda: store.indexes.replace_config("ann/no", {}), lambda: store.indexes.delete("ann/no")):
        with pytest.raises(IndexNotFound):
            call()


def test_every_change_is_in_the_history(store: Store) -> None:
    """Serials go up by one for each, newest first, without secrets."""
    assert store.changes.serial() == 3
    store.accounts.set_password("ann", "a secret")
    store.indexes.replace_config("ann/dev", {"bases": []})
    store.indexes.delete("ann/dev")
    assert kinds(store) == ["user-create", *["index-create"] * 2, "user-modify", "index-modify", "index-delete"]
    assert (store.changes.serial(), len(store.changes.recent(2))) == (6, 2)
    assert store.changes.recent(3)[2] == ChangeRow(
        serial=4,
        at_us=1,
        index=None,
        project=None,
        kind="user-modify",
        filename=None,
        detail={"user": "ann", "keys": ["password"]},
    )


def test_what_is_refused_is_not_in_the_history(store: Store) -> None:
    """A change that did not happen leaves no trace."""
    serial = store.changes.serial()
    with pytest.raises(Conflict):
        store.accounts.add_user(UserRow(name="ann", pwhash=None, created_us=0))
    with pytest.raises(IndexNotFound):
        store.indexes.delete("ann/no")
    assert store.changes.serial() == serial
