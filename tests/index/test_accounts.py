"""Who asks: the owner's secret, passwords, logins, tokens."""

from __future__ import annotations

import base64
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from localpi.errors import BadRequest, Conflict, LocalpiError, NotAllowed, NotAuthenticated, NotFound, UserNotFound
from localpi.index.passwords import Passwords
from localpi.index.permissions import ANONYMOUS, OWNER, REJECTED, Principal
from made.rooms import OWNER_SECRET, MadeRooms

if TYPE_CHECKING:
    from localpi.store import Store

ALICE = Principal("alice", "user")
DAY_US = 86_400_000_000


def pair(user: str, secret: str) -> str:
    """Encode as the headers do."""
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def basic(user: str, secret: str) -> str:
    """Make a Basic header."""
    return "Basic " + pair(user, secret)


@pytest.fixture
def people(rooms: MadeRooms) -> MadeRooms:
    """Make alice with password "pä:ss" and bob with an empty one."""
    rooms.users.create(OWNER, "alice", {"password": "pä:ss"})
    rooms.users.create(OWNER, "bob", {"password": ""})
    return rooms


def test_who_a_password_shows(people: MadeRooms) -> None:
    """The right password shows its user, in either header; anything else is rejected."""
    ask = people.accounts.authenticate
    assert ask(None) == ANONYMOUS
    assert ask(f"Bearer {OWNER_SECRET}") == OWNER
    assert ask(basic("alice", "pä:ss")) == ALICE
    assert ask(None, pair("alice", "pä:ss")) == ALICE
    assert ask(basic("bob", "")) == Principal("bob", "user")
    for wrong in (basic("alice", "x"), basic("alice", ""), basic("nosuch", ""), basic("", ""), "Bearer x", "Basic !"):
        assert ask(wrong) == REJECTED


@pytest.mark.parametrize(("password", "expected"), [(None, REJECTED), ("", Principal("root", "user"))])
def test_root_without_a_password(store: Store, password: str | None, expected: Principal) -> None:
    """An empty password is one; without any root cannot log in, until one is set."""
    rooms = MadeRooms(store, root_password=password)
    assert rooms.accounts.authenticate(basic("root", "")) == expected
    rooms.accounts.set_password(OWNER, "root", "new")
    assert rooms.accounts.authenticate(basic("root", "new")) == Principal("root", "user")
    assert rooms.accounts.authenticate(basic("root", "")) == REJECTED


def test_login_as_devpis_client_does(people: MadeRooms) -> None:
    """A login token stands for its user everywhere a password does, and ends after ten hours."""
    token, life_s = people.accounts.login("alice", "pä:ss")
    assert life_s == 36_000
    ask = people.accounts.authenticate
    assert ask(None, pair("alice", token)) == ALICE
    assert ask(basic("alice", token)) == ALICE
    assert ask(basic("__token__", token)) == ALICE
    assert ask(f"Bearer {token}") == ALICE
    assert ask(basic("bob", token)) == REJECTED
    assert ask(f"Bearer {token}x") == REJECTED
    people.clock.now_us += 36_001 * 1_000_000
    assert ask(f"Bearer {token}") == REJECTED
    with pytest.raises(NotAuthenticated, match="user 'alice' could not be authenticated"):
        people.accounts.login("alice", "wrong")


def test_new_password_ends_logins_and_memory(people: MadeRooms) -> None:
    """After a new password neither the old one nor a login made with it is good; API tokens stay."""
    login, _ = people.accounts.login("alice", "pä:ss")
    token, _ = people.accounts.create_token(ALICE, "alice")
    ask = people.accounts.authenticate
    assert ask(basic("alice", "pä:ss")) == ALICE
    people.accounts.set_password(ALICE, "alice", "new")
    assert [ask(basic("alice", "pä:ss")), ask(f"Bearer {login}")] == [REJECTED, REJECTED]
    assert ask(basic("alice", "new")) == ALICE
    assert ask(f"Bearer {token}") == Principal("alice", "token", "upload")


def test_api_tokens(people: MadeRooms) -> None:
    """A token has a scope, an index and an end; it is listed without its secret and can be revoked."""
    token, row = people.accounts.create_token(
        ALICE, "alice", scope="read", index="root/local", expires_s=86_400, description="ci"
    )
    assert token.startswith(f"lp1_{row.id}_")
    assert people.accounts.authenticate(basic("__token__", token)) == Principal("alice", "token", "read", "root/local")
    assert people.accounts.tokens(ALICE, "alice") == (row,)
    assert token.rpartition("_")[2] not in str(row)
    with pytest.raises(NotFound):
        people.accounts.revoke(Principal("bob", "user"), row.id)
    people.accounts.revoke(OWNER, row.id)
    assert people.accounts.authenticate(basic("__token__", token)) == REJECTED
    with pytest.raises(NotFound):
        people.accounts.revoke(OWNER, row.id)


def test_expired_tokens_are_purged(people: MadeRooms) -> None:
    """A token past its end is rejected at once and forgotten at the next purge."""
    token, _ = people.accounts.create_token(ALICE, "alice", expires_s=60)
    lasting = people.accounts.create_token(ALICE, "alice")[1]
    people.clock.now_us += 61 * 1_000_000
    assert people.accounts.authenticate(f"Bearer {token}") == REJECTED
    people.accounts.purge()
    assert people.accounts.tokens(ALICE, "alice") == (lasting,)


@pytest.mark.parametrize(
    ("who", "user", "wanted", "error"),
    [
        (ALICE, "bob", {}, NotAllowed),
        (Principal("alice", "token", "upload"), "alice", {}, NotAllowed),
        (OWNER, "nosuch", {}, UserNotFound),
        (ALICE, "alice", {"scope": "all"}, BadRequest),
        (ALICE, "alice", {"index": "no/such"}, BadRequest),
        (ALICE, "alice", {"expires_s": 0}, BadRequest),
        (ALICE, "alice", {"description": "x" * 501}, BadRequest),
    ],
)
def test_tokens_are_refused(
    people: MadeRooms, who: Principal, user: str, wanted: dict[str, Any], error: type[LocalpiError]
) -> None:
    """Nobody makes tokens for others, nor tokens with tokens, nor ones that make no sense."""
    with pytest.raises(error):
        people.accounts.create_token(who, user, **wanted)
    assert people.accounts.tokens(OWNER, "alice") == ()


class CountingHasher:
    """Counts checks; the password is its own hash."""

    def __init__(self) -> None:
        self.checks = 0
        self.at_once = 0
        self.most = 0
        self.lock = threading.Lock()
        self.go = threading.Event()

    def verify(self, pwhash: str, password: str) -> bool:
        """Count, and wait for the test's sign."""
        with self.lock:
            self.checks += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.go.wait(20)
        with self.lock:
            self.at_once -= 1
        if pwhash != password:
            raise VerifyMismatchError
        return True

    def hash(self, password: str) -> str:
        """Return the password, at the test's sign."""
        self.go.wait(20)
        return password


def test_password_is_remembered_for_five_minutes(people: MadeRooms) -> None:
    """A verified password costs no second check until five minutes are over; a wrong one is checked each time."""
    checks: list[str] = []
    verify = people.passwords.hasher.verify

    class Watching(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's name
            checks.append(str(password))
            return verify(hash, password)

    people.accounts._passwords = replace(people.passwords, hasher=Watching())
    for _ in range(3):
        assert people.accounts.authenticate(basic("alice", "pä:ss")) == ALICE
    assert checks == ["pä:ss"]
    people.accounts.authenticate(basic("alice", "x"))
    people.accounts.authenticate(basic("alice", "x"))
    assert checks == ["pä:ss", "x", "x"]
    people.clock.monotonic_s += 301
    assert people.accounts.authenticate(basic("alice", "pä:ss")) == ALICE
    assert checks == ["pä:ss", "x", "x", "pä:ss"]


def test_flood_of_guesses_is_turned_away() -> None:
    """Two checks run at once, two more wait, the rest is told no at once."""
    hasher = CountingHasher()
    passwords = Passwords(hasher)  # type: ignore[arg-type] # the same face
    answers: queue.Queue[bool] = queue.Queue()
    threads = [threading.Thread(target=lambda: answers.put(passwords.verify("p", "p"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    assert [answers.get(timeout=20) for _ in range(8)] == [False] * 8
    hasher.go.set()
    assert [answers.get(timeout=20) for _ in range(4)] == [True] * 4
    for thread in threads:
        thread.join(20)
    assert (hasher.checks, hasher.most) == (4, 2)


def test_flood_of_new_passwords_is_turned_away() -> None:
    """Open registration lets anyone make us hash; that many at once leave workers to everyone else."""
    hasher = CountingHasher()
    passwords = Passwords(hasher)  # type: ignore[arg-type] # the same face
    answers: queue.Queue[str] = queue.Queue()

    def make() -> None:
        try:
            answers.put(passwords.make_hash("p"))
        except Conflict:
            answers.put("busy")

    threads = [threading.Thread(target=make) for _ in range(12)]
    for thread in threads:
        thread.start()
    assert [answers.get(timeout=20) for _ in range(8)] == ["busy"] * 8
    hasher.go.set()
    assert [answers.get(timeout=20) for _ in range(4)] == ["p"] * 4
    for thread in threads:
        thread.join(20)


def test_devpis_hashes_verify() -> None:
    """A hash with devpi's cost, made by another program, verifies; what is no hash verifies nothing."""
    made = PasswordHasher(3, 65536, 4).hash("pw")
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    passwords = Passwords()
    assert [passwords.verify(h, "pw") for h in (made, "", None, "nonsense", made[:-4])] == [True] + [False] * 4
