"""Command by command: devpi's client says of localpi what it says of a real devpi-server."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from made.daemon import Daemon
from made.devpi import DevpiClient, DevpiServer, Ran
from made.wheels import make_sdist, make_wheel

pytestmark = [pytest.mark.network, pytest.mark.long, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Step:
    """One command. `same`: "text" the whole output, "status" exit code and HTTP statuses, "code" the exit code."""

    command: tuple[str, ...]
    same: str = "text"


def text(*command: str) -> Step:
    return Step(command)


def status(*command: str) -> Step:
    return Step(command, "status")


def code(*command: str) -> Step:
    return Step(command, "code")


WHEEL_10, SDIST_10 = "hello_pkg-1.0-py3-none-any.whl", "hello_pkg-1.0.tar.gz"
WHEEL_11, OTHER_10 = "hello_pkg-1.1-py3-none-any.whl", "other/hello_pkg-1.0-py3-none-any.whl"
DOCS = "hello_pkg-1.0.doc.zip"

STORY = (
    text("login", "root", "--password", ""),
    text("user", "-c", "alice", "password=123", "email=a@example.com"),
    text("user", "-c", "alice", "password=1"),
    status("user", "-c", "bad*name", "password=1"),
    status("user", "-c", "carol", "password=1", "foo=bar"),
    text("user", "-c", "bob", "password=456"),
    text("login", "alice", "--password", "wrong"),
    text("login", "alice", "--password", "123"),
    text("index", "-c", "dev"),
    text("index", "-c", "stable", "bases=alice/dev", "volatile=False"),
    text("index", "-c", "stable"),
    text("index", "-c", "b!d"),
    text("index", "-c", "x", "bases=no/such"),
    text("index", "-c", "m", "type=mirror", "mirror_url=http://127.0.0.1:9/simple/", "mirror_cache_expiry=60"),
    text("index", "--no-projects", "m"),
    text("use", "alice/m"),
    code("upload", WHEEL_10),
    text("use", "alice/dev"),
    text("upload", WHEEL_10, SDIST_10, DOCS),
    text("list"),
    code("list", "-v"),  # devpi tells the name as the last form had it, also that of documentation
    text("list", "-v", "--all", "hello-pkg"),
    code("list", "Hello.Pkg"),  # redirected to the name with a slash, there to that without one
    text("list", "--ignore-bases", "hello-pkg"),
    status("list", "nosuch"),
    text("push", "hello-pkg==1.0", "alice/stable"),
    text("push", "hello-pkg==1.0", "alice/stable"),
    text("push", "--no-docs", "hello-pkg==1.0", "alice/stable"),
    text("push", "hello-pkg==9", "alice/stable"),
    text("push", "nosuch==1.0", "alice/stable"),
    text("push", "hello-pkg==1.0", "bob/none"),
    status("push", "hello-pkg==1.0", "alice/m"),
    text("list", "--index", "alice/stable", "-v", "hello-pkg"),
    text("upload", "--index", "alice/stable", WHEEL_11),
    text("upload", "--index", "alice/stable", WHEEL_11),
    text("upload", "--index", "alice/stable", OTHER_10),
    text("use", "-l", "-u", "alice"),
    text("use", "--urls"),
    text("user"),
    text("user", "-m", "alice", "title=Al"),
    text("user", "alice"),
    status("user", "nosuch"),
    text("index"),
    text("index", "dev"),
    text("index", "dev", "title=Hi", "description=a b"),
    text("index", "dev", "title-="),
    text("index", "dev", "acl_upload+=bob"),
    text("index", "dev", "acl_upload-=nosuch"),
    text("index", "dev", "acl_upload-=bob"),
    text("index", "dev", "mirror_whitelist+=*"),
    text("index", "dev", "foo=bar"),
    text("index", "dev", "volatile=maybe"),
    text("index", "dev", "volatile-="),
    status("index", "dev", "type=mirror"),
    text("index", "-l"),
    text("index", "nosuch"),
    text("index", "--delete", "-y", "stable"),
    text("remove", "-y", "--index", "alice/stable", "hello-pkg==1.0"),
    text("remove", "-f", "-y", "--index", "alice/stable", "hello-pkg==1.1"),
    code("remove", "-y", "hello-pkg==5"),
    text("getjson", "/alice/stable?no_projects="),
    status("getjson", "nosuch"),
    text("refresh", "hello-pkg"),
    text("logoff"),
    status("upload", WHEEL_11),
    text("push", "hello-pkg==1.0", "alice/stable"),
    text("login", "bob", "--password", "456"),
    text("upload", WHEEL_11),
    text("push", "hello-pkg==1.0", "alice/stable"),
    text("index", "-c", "alice/x"),
    status("index", "alice/dev", "title=x"),
    status("user", "--delete", "-y", "alice"),
    status("user", "-m", "alice", "title=x"),
    status("remove", "-y", "hello-pkg"),
    text("user", "--delete", "-y", "bob"),
    text("login", "alice", "--password", "123"),
    text("user", "--delete", "-y", "alice"),
    text("remove", "-f", "-y", "--index", "alice/stable", "hello-pkg"),
    text("remove", "-y", "hello-pkg"),
    text("list"),
    text("index", "stable", "volatile=True"),
    text("index", "--delete", "-y", "stable"),
    text("index", "--delete", "-y", "dev"),
    text("user", "--delete", "-y", "alice"),
)


def make_files(folder: Path) -> None:
    """Write the files of the story."""
    (folder / "other").mkdir(parents=True)
    for made in (make_wheel("hello-pkg", "1.0"), make_sdist("hello-pkg", "1.0"), make_wheel("hello-pkg", "1.1")):
        (folder / made[0]).write_bytes(made[1])
    other = make_wheel("hello-pkg", "1.0", extra={"hello_pkg/more.py": b"more = 1\n"})
    (folder / "other" / other[0]).write_bytes(other[1])
    with zipfile.ZipFile(folder / DOCS, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.html"), "<h1>docs</h1>")


def play(devpi: DevpiClient, url: str, cwd: Path) -> list[Ran]:
    devpi.do("use", url)
    return [devpi(*step.command, cwd=cwd) for step in STORY]


def test_every_command_says_the_same(
    tmp_path: Path, devpi: Callable[..., DevpiClient], as_devpi: Daemon, devpi_server: DevpiServer
) -> None:
    """The same story on both: exit codes, statuses, and for the most part every word."""
    make_files(tmp_path / "files")
    theirs = play(devpi("theirs"), devpi_server.url, tmp_path / "files")
    ours = play(devpi("ours"), as_devpi.url, tmp_path / "files")
    different = []
    for step, their, our in zip(STORY, theirs, ours, strict=True):
        fits = their.code == our.code
        if step.same == "status":
            fits = fits and their.statuses == our.statuses
        elif step.same == "text":
            fits = fits and sorted(their.plain.splitlines()) == sorted(our.plain.splitlines())
        if not fits:
            said = f"--- devpi {their.code}\n{their.plain}--- localpi {our.code}\n{our.plain}"
            different.append(f"$ devpi {' '.join(step.command)}\n{said}")
    assert different == [], "\n".join(different)
