"""Credentials: where they come from, where they go, and where they never show."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from localpi.upstream import Basic, Credentials, Fetched, Mirror, Unreachable, Upstream, netrc_path
from localpi.upstream.keyrings import KeyringAsker
from made.bounds import within
from made.faults import RedirectTo
from made.upstream import MadeUpstream
from made.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

URL = "https://repo.example/team/simple/"


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    """An empty file of credentials, and a netrc."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine netrc.example login me password n3trc\ndefault login any password d3fault\n")
    netrc.chmod(0o600)
    return Credentials(tmp_path / "config" / "credentials.toml", netrc=netrc)


@pytest.fixture
def private() -> Iterator[MadeUpstream]:
    """An upstream that wants me:secret."""
    with MadeUpstream(credential=("me", "secret")) as upstream:
        upstream.add(*make_wheel("acme", "1.0"))
        yield upstream


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, "long"),
        ("https://repo.example/team/simple", "long"),
        ("https://repo.example/team/simple/acme/", "long"),
        ("https://REPO.example:443/team/", "short"),
        ("https://repo.example/team/simpler/", "short"),
        ("https://repo.example/teams/", None),
        ("https://repo.example/", None),
        ("http://repo.example/team/simple/", None),
        ("https://repo.example:8443/team/simple/", None),
        ("https://sub.repo.example/team/simple/", None),
        ("https://netrc.example/simple/", "n3trc"),
        ("https://other.example/simple/", None),
    ],
)
def test_the_closest_url_wins(credentials: Credentials, url: str, expected: str | None) -> None:
    """Keyed by origin and whole path segments; netrc after the file, its default for nobody."""
    credentials.store("https://repo.example/team", "me", "short")
    credentials.store(URL, "me", "long")
    found = credentials.lookup(url)
    assert found == (Basic("me", expected) if expected else None)


def test_the_file(credentials: Credentials, tmp_path: Path) -> None:
    """It is the owner's alone, survives odd passwords, is read again when it changed, and forgets."""
    path = tmp_path / "config" / "credentials.toml"
    password = "q\"'\\\n ü€😀"
    credentials.store(URL, "me", "before")
    credentials.store("https://user:gone@repo.example/team/simple/#x", "me", password)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    other = Credentials(path)
    assert other.lookup(URL) == Basic("me", password)
    other.store("https://second.example/", "a", "b")
    assert credentials.lookup("https://second.example/simple/") == Basic("a", "b")
    credentials.forget(URL)
    assert (credentials.lookup(URL), other.lookup(URL)) == (None, None)
    assert [item.name for item in path.parent.iterdir()] == ["credentials.toml"]


def test_forgetting_what_was_never_kept(credentials: Credentials, tmp_path: Path) -> None:
    """It writes nothing, and entries that make no sense are left where they are."""
    path = tmp_path / "config" / "credentials.toml"
    credentials.forget(URL)
    assert not path.exists()
    path.parent.mkdir()
    path.write_text(f'["mine"]\nnote = "x"\n\n["{URL}"]\nusername = "me"\npassword = "p"\n')
    credentials.forget(URL)
    assert path.read_text() == '["mine"]\nnote = "x"\n\n'


def test_a_file_that_others_may_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is made the owner's, and the log says so without its contents."""
    path = tmp_path / "credentials.toml"
    path.write_text(f'["{URL}"]\nusername = "me"\npassword = "hush"\n')
    path.chmod(0o644)
    assert Credentials(path).lookup(URL) == Basic("me", "hush")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "hush" not in caplog.text
    assert "read by others" in caplog.text


@pytest.mark.parametrize(
    "text", ["not toml", '["no url"]\nusername = "a"\npassword = "hush"', f'["{URL}"]\npassword="hush"', 'a = "hush"']
)
def test_a_file_that_makes_no_sense(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Bad entries are skipped and reported without what is in them."""
    path = tmp_path / "credentials.toml"
    path.write_text(text)
    path.chmod(0o600)
    assert Credentials(path).lookup(URL) is None
    assert caplog.records
    assert "hush" not in caplog.text


def test_netrc_that_makes_no_sense(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A netrc that cannot be parsed is none."""
    (tmp_path / "netrc").write_text("machine a login b passwort hush\n")
    assert Credentials(tmp_path / "none.toml", netrc=tmp_path / "netrc").lookup("https://a/") is None
    assert "hush" not in caplog.text


def test_where_netrc_is(tmp_path: Path) -> None:
    """$NETRC, else in the home folder."""
    assert netrc_path({"NETRC": "/etc/netrc"}, tmp_path).as_posix() == "/etc/netrc"
    assert netrc_path({}, tmp_path) == tmp_path / ".netrc"


def test_the_keyring_is_asked_after_a_401(
    make_client: Callable[..., Upstream], private: MadeUpstream, tmp_path: Path
) -> None:
    """Only a mirror that refuses us costs a look into the keyring, once."""
    asked: list[str] = []

    def ask(url: str) -> tuple[str, str]:
        asked.append(url)
        return "me", "secret"

    client = make_client(credentials=Credentials(tmp_path / "none.toml", keyring=ask))
    for _ in range(2):
        assert isinstance(client.fetch_page(Mirror("root/private", private.url), "acme", deadline_s=10), Fetched)
    assert asked == [private.url]
    assert [request.headers.get("authorization") for request in private.asked()] == [
        None,
        "Basic bWU6c2VjcmV0",
        "Basic bWU6c2VjcmV0",
    ]


def test_a_keyring_that_waits_for_the_person() -> None:
    """The wait is bounded; an answer that came late is there for the next one."""
    unlocked = threading.Event()

    def ask(url: str) -> tuple[str, str]:
        unlocked.wait(60)
        return "me", url

    asker = KeyringAsker(ask, within_s=0.3)
    with within(0.3):
        assert asker.ask(URL) is None
    assert asker.known(URL) is None
    unlocked.set()
    assert asker.ask(URL) == ("me", URL)
    assert asker.known(URL) == ("me", URL)


def test_wrong_credentials(make_client: Callable[..., Upstream], private: MadeUpstream, tmp_path: Path) -> None:
    """A refused credential is `auth`, and neither reason, repr nor log shows it."""
    credentials = Credentials(tmp_path / "credentials.toml")
    credentials.store(private.url, "me", "wr0ng")
    outcome = make_client(credentials=credentials).fetch_page(
        Mirror("root/private", private.url), "acme", deadline_s=10
    )
    assert isinstance(outcome, Unreachable)
    assert outcome.kind == "auth"
    assert "wr0ng" not in repr(outcome) + repr(credentials.lookup(private.url))


def test_credentials_do_not_leave_their_origin(
    make_client: Callable[..., Upstream],
    private: MadeUpstream,
    made: MadeUpstream,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A redirect to another port is another origin; at DEBUG no log line has a secret either."""
    caplog.set_level(logging.DEBUG)
    credentials = Credentials(tmp_path / "credentials.toml")
    credentials.store(private.url, "me", "secret")
    credentials.store(made.url, "me", "other")
    private.fail(RedirectTo(f"http://sneaky:user@127.0.0.1:{made.port}/files/x.whl"), at="/files/x.whl")
    client = make_client(credentials=credentials)
    client.open_file(Mirror("root/private", private.url), private.file_url("x.whl"))
    [request] = made.asked()
    assert "authorization" not in request.headers
    assert "secret" not in caplog.text
    assert "bWU6c2VjcmV0" not in caplog.text
