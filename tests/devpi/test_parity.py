"""Command by command: devpi's client says of localpi what it says of a real devpi-server."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made.daemon import Daemon
from made.devpi import DevpiClient, DevpiServer, Ran
from made.devpi_files import PYPIRC, make_files
from made.devpi_stories import STORIES, WHEEL_11
from made.devpi_story import differences, play

pytestmark = [pytest.mark.network]

NOT_TRIED = {"-h", "--help"}


def tell(name: str, devpi: DevpiClient, url: str, folder: Path, **known: str) -> list[Ran]:
    """Play a story on a server, with files of its own."""
    make_files(folder)
    venv = folder / "venv"
    if name in ("configuring", "installing"):
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    if known:
        for place in (folder / "pypirc", devpi.home / ".pypirc"):
            place.write_text(PYPIRC.format(**known))
    digest = hashlib.sha256((folder / WHEEL_11).read_bytes()).hexdigest()
    python = str(devpi.programs / "python")
    file = f"+f/{digest[:3]}/{digest[3:16]}/{WHEEL_11}"
    return play(STORIES[name], devpi, folder, url=url, venv=str(venv), python=python, file=file)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name in STORIES if name not in ("publishing", "building")])
def test_every_command_says_the_same(
    name: str, tmp_path: Path, devpi: Callable[..., DevpiClient], as_devpi: Daemon, devpi_server: DevpiServer
) -> None:
    """The same story on both: exit codes, statuses, and for the most part every word."""
    theirs = tell(name, devpi("theirs"), devpi_server.url, tmp_path / "for-theirs")
    ours = tell(name, devpi("ours"), as_devpi.url, tmp_path / "for-ours")
    different = differences(STORIES[name], theirs, ours)
    assert different == [], "\n".join(different)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("sphinx_build")
def test_what_is_built_arrives(
    tmp_path: Path, devpi: Callable[..., DevpiClient], as_devpi: Daemon, devpi_server: DevpiServer
) -> None:
    """`devpi upload` in a project: sdist, wheel and documentation are built by the client and taken by both."""
    theirs = tell("building", devpi("theirs"), devpi_server.url, tmp_path / "for-theirs")
    ours = tell("building", devpi("ours"), as_devpi.url, tmp_path / "for-ours")
    different = differences(STORIES["building"], theirs, ours)
    assert different == [], "\n".join(different)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_push_to_an_index_elsewhere(
    tmp_path: Path, devpi: Callable[..., DevpiClient], as_devpi: Daemon, devpi_server: DevpiServer
) -> None:
    """`devpi push … pypi:NAME`: the same release arrives there, with the same metadata, from both."""
    arrived: list[list[Any]] = []
    told = []
    for name, url in (("theirs", devpi_server.url), ("ours", as_devpi.url)):
        with Daemon(tmp_path / f"elsewhere-{name}") as elsewhere:
            for index in ("root/one", "root/two"):
                elsewhere.index(index)
            known = {"other": elsewhere.url, "token": elsewhere.token()}
            told.append(tell("publishing", devpi(name), url, tmp_path / f"for-{name}", **known))
            arrived.append([read_release(elsewhere, index) for index in ("root/one", "root/two")])
    different = differences(STORIES["publishing"], *told)
    assert different == [], "\n".join(different)
    assert arrived[0] == arrived[1]


def read_release(elsewhere: Daemon, index: str) -> Any:
    """Give what arrived: the metadata, and the name and hash of each file."""
    release = elsewhere.get(f"/{index}/hello-pkg").json()["result"]["1.0"]
    release["name"] = release["name"].replace("_", "-")  # devpi's is the one of the documentation
    links = sorted((link["rel"], link["href"].rpartition("/")[2], link["hash_spec"]) for link in release.pop("+links"))
    return release, links


def test_every_command_and_option_of_the_client_is_in_a_story(devpi: Callable[..., DevpiClient]) -> None:
    """What the client says that it can do: a command or an option that no story tries fails here."""
    client = devpi()
    steps = [step.command for story in STORIES.values() for step in story]
    commands = re.search(r"\{([a-z,]+)\}", client.do("--help"))
    assert commands is not None
    generic = options(client.do("--help"))
    untried = [" or ".join(sorted(names)) for names in generic if not tried(names, steps)]
    for command in commands[1].split(","):
        mine = [step for step in steps if command in step]
        untried += [] if mine else [command]
        specific = [names for names in options(client.do(command, "--help")) if names not in generic]
        untried += [f"{command} {'|'.join(sorted(names))}" for names in specific if not tried(names, mine)]
    assert untried == []


def options(shown: str) -> list[frozenset[str]]:
    """Give the options of a help text, the names of one together."""
    found = []
    for line in re.findall(r"(?m)^  (-.*)$", shown):
        names = frozenset(re.findall(r"(?:^|, )(--?[A-Za-z][\w-]*)", line.split("  ")[0]))
        if names and not names <= NOT_TRIED:
            found.append(names)
    return found


def tried(names: frozenset[str], steps: list[tuple[str, ...]]) -> bool:
    """Whether a step has one of the names, be it with its value behind `=`."""
    return any(word.partition("=")[0] in names for step in steps for word in step)
