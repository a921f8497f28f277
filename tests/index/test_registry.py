"""The indexes: first run, changes, refusals, orders, secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from localpi.errors import (
    BadRequest,
    Conflict,
    IndexNotFound,
    InvalidIndexConfig,
    LocalpiError,
    NotAllowed,
    UserNotFound,
)
from localpi.index.config import MirrorConfig, StageConfig, to_json
from localpi.index.permissions import ANONYMOUS, OWNER, Principal
from localpi.simple.names import normalize
from made.rooms import PYPI, MadeRooms

if TYPE_CHECKING:
    from localpi.store import Store

ALICE = Principal("alice", "user")
FOO = normalize("foo")


@pytest.fixture
def alice(rooms: MadeRooms) -> Principal:
    """Make the user alice."""
    rooms.users.create(OWNER, "alice", {"password": "123"})
    return ALICE


def test_first_run_makes_two_indexes(rooms: MadeRooms) -> None:
    """A new installation has PyPI's mirror and a volatile stage on top of it."""
    assert rooms.made
    assert {index.name: index.config for index in rooms.registry.all()} == {
        "root/local": StageConfig(acl_upload=("root",), bases=("root/pypi",)),
        "root/pypi": MirrorConfig(mirror_url=PYPI, title="PyPI", volatile=False),
    }
    assert [name for name, _ in rooms.registry.order("root/local")] == ["root/local", "root/pypi"]


def test_second_run_makes_nothing(rooms: MadeRooms, store: Store) -> None:
    """What was deleted on purpose does not come back, and root's password stays."""
    rooms.registry.delete(OWNER, "root/local")
    again = MadeRooms(store, root_password="another")
    assert not again.made
    assert [index.name for index in again.registry.all()] == ["root/pypi"]
    assert again.accounts.login("root", "root secret")


def test_index_is_created_changed_and_deleted(rooms: MadeRooms, alice: Principal) -> None:
    """Each change is there at once, bumps the stamp, and is there after a restart."""
    before = rooms.stamps.get(FOO)
    made = rooms.registry.create(alice, "alice/dev", {"bases": "root/local"})
    assert to_json(made.config)["bases"] == ["root/local"]
    assert [name for name, _ in rooms.registry.order("alice/dev")] == ["alice/dev", "root/local", "root/pypi"]
    changed = rooms.registry.modify(alice, "alice/dev", ["bases=root/pypi", "volatile=no"])
    assert changed.config == StageConfig(acl_upload=("alice",), bases=("root/pypi",), volatile=False)
    assert MadeRooms(rooms.store).registry.get("alice/dev") == changed
    with pytest.raises(NotAllowed, match="index alice/dev non-volatile, cannot delete"):
        rooms.registry.delete(alice, "alice/dev")
    rooms.registry.modify(OWNER, "alice/dev", {"volatile": True})
    rooms.registry.delete(alice, "alice/dev")
    with pytest.raises(IndexNotFound, match=r"The stage alice/dev could not be found\."):
        rooms.registry.get("alice/dev")
    with pytest.raises(IndexNotFound):
        rooms.registry.order("alice/dev")
    assert rooms.stamps.get(FOO)[0] == before[0] + 4


@pytest.mark.parametrize(
    ("who", "index", "raw", "error", "message"),
    [
        (ALICE, "bob/x", {}, NotAllowed, "no permission to create index bob/x"),
        (ANONYMOUS, "alice/x", {}, NotAllowed, "no permission to create index alice/x"),
        (Principal("alice", "token", "upload"), "alice/x", {}, NotAllowed, "no permission to create index alice/x"),
        (OWNER, "x/y", {}, UserNotFound, "no user 'x'"),
        (OWNER, "root/pypi", {}, Conflict, "index 'root/pypi' exists"),
        (OWNER, "root/a b", {}, BadRequest, "indexname 'a b' contains characters that aren't allowed."),
        (OWNER, "root/..", {}, BadRequest, "indexname '..' is empty, too long or reserved."),
        (OWNER, "root", {}, IndexNotFound, "The stage root could not be found."),
        (ALICE, "alice/x", {"bases": "no/such"}, InvalidIndexConfig, "base index 'no/such' does not exist"),
        (ALICE, "alice/x", {"bases": "alice/x"}, InvalidIndexConfig, "in a circle: alice/x → alice/x"),
        (ALICE, "alice/x", {"type": "mirror"}, InvalidIndexConfig, "an index of type mirror needs a mirror_url"),
    ],
)
def test_creation_is_refused(  # noqa: PLR0917 - columns of the table
    rooms: MadeRooms, alice: Principal, who: Principal, index: str, raw: dict[str, Any], error: type[LocalpiError],
    message: str,
) -> None:  # fmt: skip
    """What may not or cannot be made is refused in devpi's words, and nothing is left behind."""
    before = rooms.registry.all()
    with pytest.raises(error) as refused:
        rooms.registry.create(who, index, raw)
    assert message in refused.value.message
    assert rooms.registry.all() == before
    assert alice


def test_circles_and_missing_bases_are_refused(rooms: MadeRooms, alice: Principal) -> None:
    """No change of bases makes a circle, and a base cannot be deleted from below others."""
    rooms.registry.create(alice, "alice/a", {})
    rooms.registry.create(alice, "alice/b", {"bases": "alice/a"})
    with pytest.raises(InvalidIndexConfig, match="circle: alice/a → alice/b → alice/a"):
        rooms.registry.modify(alice, "alice/a", ["bases+=alice/b"])
    with pytest.raises(Conflict, match="index alice/a is a base of alice/b") as refused:
        rooms.registry.delete(alice, "alice/a")
    assert refused.value.hint == "localpi index set alice/b bases-=alice/a"


def test_noop_is_an_error_when_asked_for(rooms: MadeRooms) -> None:
    """A change that changes nothing bumps nothing, and is an error with `error_on_noop`."""
    before = rooms.stamps.get(FOO)
    rooms.registry.modify(OWNER, "root/local", ["volatile=yes"])
    with pytest.raises(InvalidIndexConfig):
        rooms.registry.modify(OWNER, "root/local", ["volatile=yes"], error_on_noop=True)
    assert rooms.stamps.get(FOO) == before


@pytest.mark.parametrize("index", ["no/such", "root/nosuch", "nosuch", "a/b/c", ""])
def test_unknown_index(rooms: MadeRooms, index: str) -> None:
    """What is no index is not found, whatever it looks like."""
    for ask in (rooms.registry.get, rooms.registry.order, lambda name: rooms.registry.modify(OWNER, name, [])):
        with pytest.raises(IndexNotFound):
            ask(index)


def test_roots_mirror_credentials_are_moved_away(rooms: MadeRooms) -> None:
    """User and password of a mirror's address go where credentials are kept and are shown nowhere."""
    raw = {"type": "mirror", "mirror_url": "https://me:p%40ss@h.example/simple"}
    made = rooms.registry.create(OWNER, "root/intranet", raw)
    assert to_json(made.config)["mirror_url"] == "https://h.example/simple"
    assert rooms.secrets.kept == {"https://h.example/simple/": ("me", "p@ss")}
    rooms.registry.modify(OWNER, "root/intranet", ["mirror_url=https://me:new@h.example/simple"])
    assert rooms.secrets.kept == {"https://h.example/simple/": ("me", "new")}
    assert "new" not in str([row.config for row in rooms.store.indexes.all()])


def test_a_credential_goes_with_the_last_mirror_that_uses_it(rooms: MadeRooms, alice: Principal) -> None:
    """Deleting a mirror, or leading it elsewhere, leaves no secret behind; one that another mirror needs stays."""
    registry, kept = rooms.registry, rooms.secrets.kept
    for name, url in (
        ("one", "//me:p@h.example/simple/"),
        ("below", "//h.example/simple/x/"),
        ("two", "//a:b@x.example/s"),
    ):
        registry.create(OWNER, f"root/{name}", {"type": "mirror", "mirror_url": f"https:{url}"})
    assert set(kept) == {"https://h.example/simple/", "https://x.example/s/"}
    registry.modify(OWNER, "root/two", ["title=another"])
    registry.modify(OWNER, "root/two", ["mirror_url=https://x.example/s/"])
    registry.delete(OWNER, "root/one")
    assert set(kept) == {"https://h.example/simple/", "https://x.example/s/"}
    registry.modify(OWNER, "root/two", ["mirror_url=https://y.example/s"])
    assert set(kept) == {"https://h.example/simple/"}
    registry.create(alice, "alice/open", {"type": "mirror", "mirror_url": "https://z.example/"})
    kept["https://z.example/"] = ("me", "p")
    rooms.users.delete(OWNER, "alice")
    assert set(kept) == {"https://h.example/simple/"}


def test_users_mirrors_get_no_credentials(rooms: MadeRooms, alice: Principal) -> None:
    """A user makes mirrors of what is open, not of what root's credentials open, nor gives credentials."""
    rooms.secrets.kept["https://h.example/simple/"] = ("me", "p")
    open_one = {"type": "mirror", "mirror_url": "https://open.example/simple/"}
    assert rooms.registry.create(alice, "alice/open", open_one).mirror
    rooms.secrets.in_keyring.add("https://keyring.example/simple/")
    for url in ("https://h.example/simple/", "https://me:p@other.example/", "https://keyring.example/simple"):
        with pytest.raises(NotAllowed):
            rooms.registry.create(alice, "alice/m", {"type": "mirror", "mirror_url": url})
        with pytest.raises(NotAllowed):
            rooms.registry.modify(alice, "alice/open", [f"mirror_url={url}"])
    assert rooms.registry.modify(alice, "alice/open", open_one | {"title": "t"}).config.title == "t"
