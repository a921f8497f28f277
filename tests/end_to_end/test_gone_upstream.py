"""What an upstream takes away or changes: exact pins go on installing, nothing is swapped, quarantine counts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made.bounds import SLACK_S
from made.clients import pip_install
from made.corpus import Shows
from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_wheel

OLD, OLD_DATA = make_wheel("acme", "1.0")
OTHER = make_wheel("acme", "1.0", filler=100)[1]
NEW = make_wheel("acme", "2.0")


def files(daemon: Daemon) -> dict[str, dict[str, Any]]:
    reply = daemon.page("acme")
    return {file["filename"]: file for file in reply.json()["files"]} if reply.status == 200 else {}


def events(daemon: Daemon, kind: str) -> list[str]:
    found = daemon.request("GET", "/+admin/events", headers=daemon.owner).json()["events"]
    return [event["text"] for event in found if event["kind"] == kind]


def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    end = time.monotonic() + within_s + SLACK_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def installed(daemon: Daemon, upstream: MadeUpstream) -> Daemon:
    """A daemon that has acme 1.0 here and knows of 2.0."""
    upstream.add(OLD, OLD_DATA)
    upstream.add(*NEW)
    daemon.mirror("root/pypi", upstream.url, mirror_cache_expiry=0)
    assert daemon.get(files(daemon)[OLD]["url"]).status == 200
    return daemon


def test_a_file_that_is_here_stays_when_its_page_drops_it(
    tmp_path: Path, installed: Daemon, upstream: MadeUpstream
) -> None:
    """Yanked with the date, so that only exact pins take it; over a restart; until the upstream has it again."""
    upstream.remove(OLD)
    until(lambda: "yanked" in files(installed)[OLD])
    installed.stop()
    installed.start()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert files(installed)[OLD]["yanked"] == f"gone upstream since {today}"
    done = pip_install(installed.index_url, tmp_path / "pinned", "acme==1.0")
    assert done.returncode == 0, done
    assert events(installed, "gone") == [f"root/pypi has {OLD} no more; it stays here, yanked"]
    why = installed.get("/+why/root/local/acme?version=1.0").json()
    (row,) = why["bases"][1]["files"]
    assert (row["filename"], row["shown"], row["rule"]) == (OLD, True, "gone upstream: listed, yanked")
    upstream.add(OLD, OLD_DATA)
    until(lambda: "yanked" not in files(installed)[OLD])


def test_a_file_that_was_never_here_goes_with_its_page(installed: Daemon, upstream: MadeUpstream) -> None:
    """There is nothing to install it from."""
    upstream.remove(NEW[0])
    until(lambda: set(files(installed)) == {OLD})


def test_a_project_that_is_gone_keeps_what_is_here(tmp_path: Path, installed: Daemon, upstream: MadeUpstream) -> None:
    """404 upstream: the files that are here are all there is."""
    upstream.remove(OLD)
    upstream.remove(NEW[0])
    until(lambda: set(files(installed)) == {OLD})
    assert files(installed)[OLD]["yanked"].startswith("gone upstream since")
    done = pip_install(installed.index_url, tmp_path / "pinned", "acme==1.0")
    assert done.returncode == 0, done


@pytest.mark.parametrize("here", [True, False], ids=["here", "not-here"])
def test_other_bytes_under_a_known_name_are_refused(installed: Daemon, upstream: MadeUpstream, *, here: bool) -> None:
    """The old hash stays listed and served, over a restart; it is reported; a person may accept the new one."""
    name, data = (OLD, OLD_DATA) if here else NEW
    old = hashlib.sha256(data).hexdigest()
    upstream.remove(name)
    upstream.add(name, OTHER)
    until(lambda: files(installed) and events(installed, "changed"))
    for _ in range(2):
        assert files(installed)[name]["hashes"]["sha256"] == old
        installed.stop()
        installed.start()
    reply = installed.get(files(installed)[name]["url"])
    assert (reply.status, reply.body == data) == ((200, True) if here else (424, False)), reply
    status = installed.request("GET", "/+admin/status", headers=installed.owner).json()
    assert f"root/pypi has other bytes for {name} than before; they are refused" in status["notes"]
    told = {"index": "root/pypi", "project": "acme"}
    answer = installed.request("POST", "/+admin/accept", headers=installed.owner, json_body=told)
    assert answer.json() == {"files": 1}
    until(lambda: files(installed)[name]["hashes"]["sha256"] == hashlib.sha256(OTHER).hexdigest())


def test_a_file_without_a_hash_keeps_its_first(daemon: Daemon, upstream: MadeUpstream) -> None:
    """An upstream that names no hashes cannot swap what was fetched from it once."""
    upstream.json, upstream.shows = False, Shows(hashes=False, sizes=False, metadata=False, upload_times=False)
    upstream.add(OLD, OLD_DATA)
    link = files(daemon)[OLD]["url"]
    assert daemon.get(link).body == OLD_DATA
    upstream.remove(OLD)
    upstream.add(OLD, OTHER)
    assert daemon.get(link).body == OLD_DATA


def test_a_name_on_both_bases_is_reported(daemon: Daemon, upstream: MadeUpstream) -> None:
    """With other files: one of them may be a stranger's. With the same files it is a mirror of the other."""
    with MadeUpstream() as intranet:
        for name in ("acme", "numpy"):
            upstream.add(*make_wheel(name, "1.0"))
        intranet.add(*make_wheel("acme", "1.0", filler=50))
        intranet.add(*make_wheel("numpy", "1.0"))
        daemon.mirror("root/intranet", intranet.url)
        daemon.index("root/local", bases=["root/intranet", "root/pypi"])
        for index in ("root/intranet", "root/pypi"):
            for project in ("acme", "numpy"):
                assert daemon.page(project, index).status == 200
        until(lambda: events(daemon, "collision"))
    assert events(daemon, "collision") == ["acme is on root/intranet and on root/pypi, with different files"]
    assert len(daemon.get("/+why/root/local/acme").json()["notes"]) == 1
