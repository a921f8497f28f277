"""Moving house: devpi-server, devpi-export, `localpi import`; and back with `localpi export`, devpi-import."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made.daemon import Daemon
from made.devpi import DevpiClient, DevpiServer
from made.upstream import MadeUpstream
from made.wheels import make_sdist, make_wheel

pytestmark = [pytest.mark.network, pytest.mark.long, pytest.mark.timeout(600)]

RESULT = {"toxversion": "4", "testenvs": {"py": {"test": [{"retcode": 0}]}}}


def localpi(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "localpi", *arguments],
        env=daemon.environ, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


def fill(devpi: DevpiClient, url: str, folder: Path) -> None:
    """Make users, indexes and releases with all that a devpi-server can hold."""
    folder.mkdir()
    for made in (make_wheel("hello-pkg", "1.0"), make_sdist("hello-pkg", "1.0"), make_wheel("hello-pkg", "1.1rc1")):
        (folder / made[0]).write_bytes(made[1])
    with zipfile.ZipFile(folder / "hello_pkg-1.0.doc.zip", "w") as archive:
        archive.writestr("index.html", "<h1>docs</h1>")
    devpi.do("use", url)
    devpi.do("user", "-c", "bob", "password=456", "email=bob@example.com", "title=Bob")
    devpi.log_in(url, "alice", "123", "dev")
    devpi.do("index", "-c", "stable", "bases=alice/dev", "volatile=False", "acl_upload=alice,bob", "title=For all")
    devpi.do("index", "-c", "mirror", "type=mirror", "mirror_url=http://127.0.0.1:9/simple/", "mirror_cache_expiry=60")
    devpi.do("index", "dev", "bases=alice/mirror", "mirror_whitelist=hello-pkg")
    devpi.do("use", "alice/dev")
    names = sorted(path.name for path in folder.iterdir())
    devpi.do("upload", *names, cwd=folder)
    found = json.loads(devpi.do("getjson", "hello-pkg"))["result"]["1.0"]["+links"]
    wheel = next(link["href"] for link in found if link["href"].endswith(".whl"))
    (folder / "result.json").write_text(json.dumps(RESULT))
    send_result(wheel)
    devpi.do("push", "hello-pkg==1.0", "alice/stable")


def send_result(url: str) -> None:
    from urllib.request import Request, urlopen  # noqa: PLC0415 - for this alone

    body = json.dumps(RESULT).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as answer:
        assert answer.status == 200


def view(get: Callable[[str], Any]) -> dict[str, Any]:
    """Give what a server says of itself, without what belongs to the server."""
    users = get("/")
    for facts in users.values():
        facts.pop("created", None)
        facts.pop("modified", None)
        for config in facts["indexes"].values():
            config.pop("resolution", None)
    indexes = [f"{user}/{name}" for user, facts in users.items() for name in facts["indexes"] if user == "alice"]
    projects = {name: get(f"/{name}")["projects"] for name in indexes if name != "alice/mirror"}
    releases = {
        f"{name}/{project}": readable(get(f"/{name}/{project}?ignore_bases="))
        for name, held in projects.items()
        for project in held
    }
    return {"users": {name: facts for name, facts in users.items() if name != "root"}, "releases": releases}


def readable(releases: dict[str, Any]) -> dict[str, Any]:
    for release in releases.values():
        release.pop("name")  # as its last form had it, at devpi that of documentation too
        for link in release["+links"]:
            for key in ("href", "for_href"):
                if key in link:
                    link[key] = "/".join(link[key].split("/")[3:])
        release["+links"].sort(key=lambda link: link["href"])
    return releases


def reader(url: str) -> Callable[[str], Any]:
    from urllib.request import Request, urlopen  # noqa: PLC0415 - for this alone

    def get(path: str) -> Any:
        with urlopen(Request(url + path, headers={"Accept": "application/json"}), timeout=30) as answer:
            return json.load(answer)["result"]

    return get


def bytes_of(url: str, releases: dict[str, Any]) -> None:
    """Hold every file to its hash."""
    from urllib.request import urlopen  # noqa: PLC0415 - for this alone

    for release in (one for versions in releases.values() for one in versions.values()):
        for link in release["+links"]:
            with urlopen(f"{url}/{link['href']}", timeout=30) as answer:
                assert hashlib.sha256(answer.read()).hexdigest() == link["hashes"]["sha256"]


def test_a_dump_comes_in_and_goes_out_again(
    tmp_path: Path, devpi: Callable[..., DevpiClient], server_programs: Path, upstream: MadeUpstream
) -> None:
    """Same users, indexes, files, hashes and logs; old passwords log in, here and in the devpi it goes back to."""
    with DevpiServer(server_programs, tmp_path / "devpi-server") as server:
        fill(devpi(), server.url, tmp_path / "files")
        before = view(reader(server.url))
    dump = server.export(tmp_path / "dump")
    with Daemon(tmp_path / "localpi") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        told = localpi(daemon, "import", str(dump), "--json")
        assert told.returncode == 0, told
        first = json.loads(told.stdout)
        assert (first["users"], first["indexes"], first["not_taken"]) == (2, 3, [])
        assert any("root's empty password" in note for note in first["notes"])
        after = view(reader(daemon.url))
        assert after == before
        bytes_of(daemon.url, after["releases"])
        for user, password, status in (("alice", "123", 200), ("bob", "456", 200), ("alice", "456", 401)):
            login = daemon.request("POST", "/+login", json_body={"user": user, "password": password})
            assert login.status == status
        assert daemon.get("/alice/stable").json()["result"]["resolution"] == "merge"
        assert daemon.request("POST", "/+login", json_body={"user": "root", "password": ""}).status == 401
        assert daemon.get("/alice/stable/hello-pkg/1.0/+d/").body == b"<h1>docs</h1>"
        again = json.loads(localpi(daemon, "import", str(dump), "--json").stdout)
        assert (again["users"], again["indexes"], again["files"], again["kept"]) == (0, 0, 0, first["files"])
        exported = localpi(daemon, "export", str(tmp_path / "back"))
        assert exported.returncode == 0, exported
        assert daemon.request("GET", "/+admin/check?deep", headers=daemon.owner).json()["problems"] == []
    back = DevpiServer(server_programs, tmp_path / "devpi-again")
    back.import_dump(tmp_path / "back")
    with back:
        restored = view(reader(back.url))
        assert {name: restored["users"][name] for name in before["users"]} == before["users"]
        assert restored["releases"].keys() == before["releases"].keys()
        bytes_of(back.url, restored["releases"])
        devpi("again").do("use", back.url)
        devpi("again").do("login", "alice", "--password", "123")


def test_a_running_server_is_read_over_its_api(
    tmp_path: Path, devpi: Callable[..., DevpiClient], devpi_server: DevpiServer, upstream: MadeUpstream
) -> None:
    """All but the passwords, which nobody is told; broken off in the middle, it goes on where it was."""
    fill(devpi(), devpi_server.url, tmp_path / "files")
    before = view(reader(devpi_server.url))
    with Daemon(tmp_path / "localpi") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        told = localpi(daemon, "import", devpi_server.url, "--json")
        assert told.returncode == 0, told
        assert any("localpi user passwd alice" in note for note in json.loads(told.stdout)["notes"])
        assert view(reader(daemon.url)) == before
        assert daemon.request("POST", "/+login", json_body={"user": "alice", "password": "123"}).status == 401
        assert daemon.request("DELETE", "/alice/dev/hello-pkg/1.0", headers=daemon.owner).status == 200
        assert localpi(daemon, "import", devpi_server.url).returncode == 0
        assert view(reader(daemon.url))["releases"] == before["releases"]
        refused = localpi(daemon, "import", str(devpi_server.folder))
        assert refused.returncode == 2
        assert f"devpi-export --serverdir {devpi_server.folder}" in refused.stderr


def test_a_damaged_dump_says_what_is_missing(
    tmp_path: Path, devpi: Callable[..., DevpiClient], server_programs: Path, upstream: MadeUpstream
) -> None:
    """A changed file, one that is gone, an unknown setting, bases in a circle: all else is taken, exit 1 tells it."""
    with DevpiServer(server_programs, tmp_path / "devpi-server") as server:
        fill(devpi(), server.url, tmp_path / "files")
        devpi().do("index", "alice/mirror", "title=M")
        devpi().do("index", "alice/dev", "bases+=alice/stable")
    dump = server.export(tmp_path / "dump")
    sdist = next(dump.rglob("dev/**/hello_pkg-1.0.tar.gz"))
    sdist.write_bytes(sdist.read_bytes()[:-1] + b"x")
    shutil.rmtree(next(dump.rglob("dev/hello-pkg/1.1rc1")))
    data = json.loads((dump / "dataindex.json").read_text())
    data["indexes"]["alice/dev"]["indexconfig"]["constraints"] = "hello-pkg<2"
    (dump / "dataindex.json").write_text(json.dumps(data))
    with Daemon(tmp_path / "localpi") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        told = localpi(daemon, "import", str(dump), "--json")
        assert told.returncode == 1, told
        lost = "\n".join(json.loads(told.stdout)["not_taken"])
        for part in ("hello_pkg-1.0.tar.gz: sha256 is", "is not in the dump", "setting constraints", "circle"):
            assert part in lost
        held = daemon.get("/alice/dev/hello-pkg?ignore_bases=").json()["result"]
        names = [link["href"].rpartition("/")[2] for link in held["1.0"]["+links"] if link["rel"] != "toxresult"]
        assert names == ["hello_pkg-1.0-py3-none-any.whl", "hello-pkg-1.0.doc.zip"]
        assert daemon.request("GET", "/+admin/check?deep", headers=daemon.owner).json()["problems"] == []
