"""`localpi base`: a URL is looked at before it becomes a base; one daemon for all tests here."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localpi.remote.indexes import RemoteBases
from localpi.remote.told import CheckedBase
from localpi.settings.paths import Paths
from made.corpus import Shows
from made.daemon import Daemon
from made.faults import LoginPage, Status
from made.loops import wait_for
from made.upstream import MadeUpstream
from made.wheels import make_wheel

Run = Callable[..., Any]
POOR = Shows(metadata=False, sizes=False, upload_times=False)
RICH_FACTS = ["speaks JSON", "lists 2 projects", "gives sha256 hashes", "has core metadata", "takes range requests",
              "tells sizes and upload times"]  # fmt: skip
POOR_FACTS = ["speaks HTML only", "lists 2 projects", "gives sha256 hashes",
              "has no core metadata: it is read out of the wheels",
              "takes no range requests: a wheel is fetched whole for its metadata",
              "tells no upload times: uv's --exclude-newer cannot be used"]  # fmt: skip


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run a daemon whose root/pypi is a made upstream with a public project."""
    with MadeUpstream() as pypi, Daemon(tmp_path_factory.mktemp("localpi")) as running:
        pypi.add(*make_wheel("acme-http", "1.0"), project="acme-http")
        running.mirror("root/pypi", pypi.url)
        yield running


@pytest.fixture
def acme() -> Iterator[MadeUpstream]:
    """Run an index with two projects."""
    with MadeUpstream() as made:
        made.add(*make_wheel("acme-app", "1.0", filler=10_000), project="acme-app")
        made.add(*make_wheel("acme-lib", "1.0", filler=10_000), project="acme-lib")
        yield made


@dataclass(frozen=True, slots=True)
class Base:
    """`localpi base` against the daemon; `ran` is the last command."""

    daemon: Daemon
    run: Run

    def __call__(self, *arguments: str, stdin: str = "") -> Any:
        return self.run("base", *arguments, stdin=stdin, LOCALPI_HOME=str(self.daemon.home))

    def bases_of(self, index: str = "root/local") -> list[str]:
        config = self.daemon.get(f"/{index}").json()["result"]
        return [str(name) for name in config["bases"]]


@pytest.fixture
def base(daemon: Daemon, run: Run) -> Iterator[Base]:
    """Give the command, and take away what a test has added."""
    yield Base(daemon, run)
    desk = RemoteBases(Paths.under(daemon.home))
    for row in desk.base_rows():
        if row.health.index != "root/pypi":
            desk.remove_base(row.health.index)


@pytest.mark.parametrize("poor", [False, True])
def test_check_says_what_an_index_has(base: Base, acme: MadeUpstream, *, poor: bool) -> None:
    """JSON or HTML, its list, hashes, metadata, ranges, sizes and times; names that look like its own."""
    if poor:
        acme.json, acme.shows, acme.ranges = False, POOR, False
    ran = base("check", acme.url, "--json")
    assert ran.code == 0
    (found,) = ran.json["checks"]
    assert found["facts"] == (POOR_FACTS if poor else RICH_FACTS)
    assert (found["url"], found["good"], found["seen"], found["claims"]) == (acme.url, True, 2, ["acme-*"])
    assert len(acme.asked()) == 3


def test_check_finds_the_index_below_a_server(base: Base, acme: MadeUpstream) -> None:
    """People know the server's address better than that of its simple index."""
    ran = base("check", acme.origin, "--json")
    assert (ran.code, ran.json["checks"][0]["url"]) == (0, acme.url)


def test_a_long_list_is_not_downloaded(base: Base, acme: MadeUpstream) -> None:
    """The first bytes tell enough, and nothing is claimed of what was seen in part."""
    for number in range(20_000):
        acme.add(f"p{number:05}-1.0.tar.gz", b"")
    acme.add(*make_wheel("pip", "26.0"))
    (found,) = base("check", acme.url, "--json").json["checks"]
    assert (found["good"], found["whole"], found["page"], found["claims"]) == (True, False, "pip", [])
    assert 2 < found["seen"] < 20_000


@pytest.mark.parametrize(
    ("spoil", "code", "reason"),
    [
        (lambda made: made.refuse(), 5, "cannot be connected to"),
        (lambda made: setattr(made, "credential", ("me", "secret")), 4, "401"),
        (lambda made: made.fail(LoginPage()), 1, "a login page"),
        (lambda made: made.fail(Status(404)), 1, "it answers, and neither lists projects there"),
        (lambda made: made.fail(Status(503)), 5, "answers 503"),
    ],
    ids=["refuses", "credentials", "portal", "nothing", "503"],
)
def test_what_is_no_base_is_not_added(
    base: Base, acme: MadeUpstream, spoil: Callable[[MadeUpstream], None], code: int, reason: str
) -> None:
    """The exit code tells why, the sentence too, and nothing has changed."""
    spoil(acme)
    ran = base("add", "acme", acme.url)
    assert (ran.code, ran.out) == (code, "")
    assert reason in ran.err
    assert "→" in ran.err
    assert base.bases_of() == ["root/pypi"]
    assert base.daemon.get("/root/acme").status == 404


def test_add_puts_it_in_front_and_suggests_claims(base: Base, acme: MadeUpstream) -> None:
    """Nothing is asked without a terminal: the command that claims is printed, and it works."""
    ran = base("add", "acme", acme.url)
    assert ran.code == 0
    assert "it is the first base of root/local" in ran.err
    assert "localpi base set acme --claims 'acme-*'" in ran.err
    assert base.bases_of() == ["root/acme", "root/pypi"]
    assert base.daemon.page("acme-lib").status == 200
    assert base("set", "acme", "--claims", "acme-*").code == 0
    row = next(row for row in base("list", "--json").json["bases"] if row["index"] == "root/acme")
    assert (row["claims"], row["used_by"], row["url"]) == (["acme-*"], ["root/local"], acme.url)
    assert "acme-*" in base("list").out


def test_names_that_another_base_has_are_not_suggested_as_a_family(base: Base, acme: MadeUpstream) -> None:
    """`acme-http` is known of the public mirror: a claim on acme-* would take it from there."""
    assert base.daemon.page("acme-http", "root/pypi").status == 200
    acme.add(*make_wheel("acme-http", "2.0"), project="acme-http")
    (found,) = base("check", acme.url, "--json").json["checks"]
    assert found["claims"] == ["acme-app", "acme-lib"]
    assert "has names that other bases have too: acme-http" in found["facts"]


def test_add_with_everything(base: Base, acme: MadeUpstream) -> None:
    """Claims, place, redirects and credentials at once; the password is in no answer and no file but its own."""
    acme.credential = ("me", "s3:cret")
    base.daemon.index("root/other", bases=["root/pypi"])
    ran = base("add", "acme", acme.url, "--index", "root/other", "--append", "--pass-through", "--claims", "acme-*",
               "--credentials", "--json", stdin="me:s3:cret\n")  # fmt: skip
    assert ran.code == 0, ran.err
    assert (ran.json["added"], ran.json["index"], ran.json["of"]) == (True, "root/acme", "root/other")
    assert base.bases_of("root/other") == ["root/pypi", "root/acme"]
    config = base.daemon.get("/root/acme").json()["result"]
    assert (config["mirror_use_external_urls"], config["claims"], config["mirror_url"]) == (True, ["acme-*"], acme.url)
    kept = [path for path in base.daemon.home.rglob("*") if path.is_file() and b"s3:cret" in path.read_bytes()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600]
    assert base.daemon.page("acme-app", "root/acme").status == 200


def test_check_has_a_base_that_is_back_found_at_once(base: Base, acme: MadeUpstream) -> None:
    """A person knows better than a server that asked to be left alone for ten minutes."""
    assert base("add", "acme", acme.url).code == 0
    acme.fail(Status(503, {"Retry-After": "600"}))
    for number in range(3):
        assert base.daemon.page(f"acme-{number}", "root/acme").status == 424
    assert "root/acme" in base("list").out
    assert "down since" in base("list").out
    acme.heal()
    done = base("check", "acme")
    assert (done.code, "it counts as down; looked at again now" in done.err) == (0, True), done
    wait_for(lambda: "down since" not in base("list").out)


def test_credentials_in_the_url_are_tried_and_kept(base: Base, acme: MadeUpstream) -> None:
    """As people paste them."""
    acme.credential = ("me", "secret")
    assert base("add", "acme", acme.origin.replace("//", "//me:secret@")).code == 0
    assert base.daemon.page("acme-app").status == 200
    assert base("check", "acme").code == 0


def test_set_place_and_remove(base: Base, acme: MadeUpstream) -> None:
    """A base can go behind the others, stop being one of an index, and go altogether."""
    assert base("add", "acme", acme.url, "--claims", "acme-*").code == 0
    assert base("set", "acme", "--append").code == 0
    assert base.bases_of() == ["root/pypi", "root/acme"]
    assert base("set", "acme", "--index", "root/local", "--claims", "").code == 0
    assert base.bases_of() == ["root/acme", "root/pypi"]
    assert "claims" not in base.daemon.get("/root/acme").json()["result"]
    assert base("remove", "acme", "--index", "root/local").code == 0
    assert base.bases_of() == ["root/pypi"]
    assert base("remove", "acme", "--index", "root/local").code == 4
    assert base("remove", "acme").code == 0
    assert base("remove", "acme").code == 4
    assert base("set", "pypi").code == 2


def test_mistakes_cost_nothing(base: Base, acme: MadeUpstream) -> None:
    """A name that is taken, an index without bases, a URL that is none: said before anything is asked."""
    taken = base("add", "pypi", acme.url)
    assert (taken.code, "localpi base set pypi" in taken.err) == (4, True)
    assert base("add", "acme", acme.url, "--index", "root/pypi").code == 2
    assert base("add", "acme", "ftp://acme.example/simple").code == 2
    assert base("add", "acme", acme.url, "--credentials", stdin="nothing of use\n").code == 2
    assert base("check", "nix").code == 4
    assert acme.asked() == ()


def test_a_private_index_without_a_list(base: Base, acme: MadeUpstream) -> None:
    """A name that it should have is tried where it lists none."""
    acme.lists = False
    assert base("add", "acme", acme.url).code == 1
    assert base("add", "acme", acme.url, "--claims", "acme-app", "--claims", "acme-*").code == 0


def test_the_desk_gets_the_same(base: Base, acme: MadeUpstream) -> None:
    """The terminal UI asks through the same door."""
    desk = RemoteBases(Paths.under(base.daemon.home))
    found = desk.check_base(acme.origin, "", "")
    assert found == CheckedBase(acme.url, good=True, facts=tuple(RICH_FACTS), claims=("acme-*",))
    acme.credential = ("me", "secret")
    refused = desk.check_base(acme.url, "", "")
    assert (refused.good, refused.needs_credentials, refused.reachable) == (False, True, True)
    assert desk.check_base(acme.url, "me", "secret").good


def test_checks_are_for_the_owner(daemon: Daemon) -> None:
    """Nobody else makes the daemon ask addresses."""
    answer = daemon.request("POST", "/+admin/bases/check", json_body={"url": "http://127.0.0.1:1/"})
    assert answer.status == 401
    assert daemon.request("GET", "/+admin/bases/check/x", headers=daemon.owner).status == 404


def test_claims_are_asked_for_at_a_terminal(base: Base, acme: MadeUpstream, tmp_path: Path) -> None:
    """Enter takes the suggestion."""
    command = f"{sys.executable} -m localpi base add acme {acme.url}"
    environ = {**os.environ, "LOCALPI_HOME": str(base.daemon.home), "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        ["script", "-qec", command, str(tmp_path / "typescript")],
        env=environ, input=b"\n", capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    assert b"Claim acme-*" in ran.stdout
    assert base.daemon.get("/root/acme").json()["result"]["claims"] == ["acme-*"]
