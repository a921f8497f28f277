"""`localpi cache` and `/+metrics` against a real daemon, its disk and its upstream."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from made.daemon import Daemon
from made.disks import other_disk
from made.loops import wait_for
from made.upstream import MadeUpstream
from made.wheels import make_wheel

NAME, DATA = make_wheel("acme", "1.0", filler=100_000)
OTHER, OTHER_DATA = make_wheel("other", "2.0", filler=50_000)
OTHER_SHA256 = hashlib.sha256(OTHER_DATA).hexdigest()


def localpi(daemon: Daemon, *arguments: str, code: int = 0) -> Any:
    """Run `localpi cache … --json` and read what it prints."""
    command = [sys.executable, "-m", "localpi", "cache", *arguments, "--json"]
    ran = subprocess.run(command, env=daemon.environ, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == code, ran
    return json.loads(ran.stdout) if ran.stdout else ran.stderr


def fetch(daemon: Daemon, filename: str) -> bytes:
    (file,) = [
        file for file in daemon.page(filename.split("-", maxsplit=1)[0]).json()["files"] if file["filename"] == filename
    ]
    return daemon.get(file["url"]).body


def wait_kept(daemon: Daemon, files: int) -> None:
    """Wait until that many are here: the last byte goes out before the fsync and the row."""
    wait_for(lambda: daemon.request("GET", "/+admin/cache", headers=daemon.owner).json()["files"] == files)


@pytest.fixture
def filled(daemon: Daemon, upstream: MadeUpstream) -> Daemon:
    """A daemon that has two files of its mirror."""
    for name, data in ((NAME, DATA), (OTHER, OTHER_DATA)):
        upstream.add(name, data)
        assert fetch(daemon, name) == data
    wait_kept(daemon, 2)
    return daemon


def test_show_adds_up(filled: Daemon) -> None:
    """By project and by file, with sizes, sources, and what the cache was good for; hot hits count too."""
    for _ in range(5):
        assert fetch(filled, NAME) == DATA
    report = localpi(filled, "show")
    assert (report["schema"], report["files"], report["bytes"]) == (1, 2, len(DATA) + len(OTHER_DATA))
    assert [(row["name"], row["bytes"], row["indexes"]) for row in report["rows"]] == [
        ("acme", len(DATA), ["root/pypi"]),
        ("other", len(OTHER_DATA), ["root/pypi"]),
    ]
    gain = report["gain"]
    assert gain["hits"] + gain["misses"] == 7
    assert gain["misses"] >= 2  # one that follows before the file is on the disk joins its download
    assert gain["hits"] >= 3
    assert gain["bytes_saved"] == gain["hits"] * len(DATA)
    assert gain["seconds_saved"] >= 0
    by_release = localpi(filled, "show", "acme", "--by", "release")
    assert [row["name"] for row in by_release["rows"]] == ["acme==1.0"]
    assert localpi(filled, "show", "--by", "user")["rows"][0]["name"] == "root"


def test_a_pin_outlives_the_cache_folder(filled: Daemon, upstream: MadeUpstream) -> None:
    """Emptied by a cleaner while the upstream is gone: what was pinned installs, page and all; the rest does not."""
    assert localpi(filled, "pin", "acme==1.0")["files"] == 1
    assert localpi(filled, "pin", "nothing-here", code=4)
    filled.stop()
    shutil.rmtree(filled.home / "cache")
    upstream.refuse()
    filled.start()
    assert fetch(filled, NAME) == DATA
    assert filled.page("other").status == 424
    assert localpi(filled, "evict", "acme") == {"schema": 1, "files": 0, "bytes": 0, "pinned": 1}
    assert localpi(filled, "unpin", "acme")["files"] == 1
    assert fetch(filled, NAME) == DATA
    assert localpi(filled, "evict", "acme")["files"] == 1
    assert filled.page("acme").status == 424  # known, and not here


def test_the_cache_folder_goes_while_it_is_used(filled: Daemon) -> None:
    """Pinned files are served on, the others are fetched anew."""
    localpi(filled, "pin", "acme")
    shutil.rmtree(filled.home / "cache" / "files")
    assert (fetch(filled, NAME), fetch(filled, OTHER)) == (DATA, OTHER_DATA)


def test_evict_and_fetch_again(filled: Daemon, upstream: MadeUpstream) -> None:
    """What was evicted comes from the upstream again, though it was hot."""
    for _ in range(3):
        fetch(filled, OTHER)
    before = len(upstream.asked(upstream.file_path(OTHER)))
    assert localpi(filled, "evict", OTHER) == {"schema": 1, "files": 1, "bytes": len(OTHER_DATA), "pinned": 0}
    assert fetch(filled, OTHER) == OTHER_DATA
    assert len(upstream.asked(upstream.file_path(OTHER))) == before + 1
    assert localpi(filled, "evict", "--all")["files"] == 2
    assert localpi(filled, "show")["files"] == 0
    assert localpi(filled, "evict", "--unused", "1d")["files"] == 0
    localpi(filled, "evict", code=2)


@pytest.mark.parametrize("pinned", [True, False])
def test_verify_mends(filled: Daemon, upstream: MadeUpstream, pinned: bool) -> None:
    """A damaged file is set aside and fetched anew, one that cannot be had now is said; a pin stays one."""
    if pinned:
        localpi(filled, "pin", "acme")
    assert localpi(filled, "verify")["damaged"] == []
    root = filled.home / ("data/pinned" if pinned else "cache")
    (path,) = [path for path in (root / "files").glob("*/*") if path.stat().st_size == len(DATA)]

    def damage() -> None:
        path.write_bytes(DATA[:-1] + b"!")

    damage()
    found = localpi(filled, "verify")
    assert (found["damaged"], found["refetched"], found["lost"]) == ([NAME], [NAME], [])
    assert (path.read_bytes(), len(list((root / "quarantine").iterdir()))) == (DATA, 1)
    assert fetch(filled, NAME) == DATA
    assert localpi(filled, "gc")["set_aside"] == 1

    damage()
    upstream.refuse()
    found = localpi(filled, "verify", code=1)
    assert (found["damaged"], found["lost"]) == ([NAME], [NAME])
    assert not path.exists()
    upstream.heal()
    if pinned:
        filled.request("PATCH", "/root/pypi", headers=filled.owner, json_body={"mirror_url": upstream.url})


def test_gc_clears_away_what_no_index_has(filled: Daemon, upstream: MadeUpstream) -> None:
    """Files and pages of a deleted mirror go, those that others have stay."""
    only, data = make_wheel("only", "1.0", filler=10_000)
    upstream.add(only, data)
    filled.mirror("root/second", upstream.url + "../simple/")
    for project, expected in (("acme", DATA), ("only", data)):
        (file,) = filled.page(project, "root/second").json()["files"]
        assert filled.get(file["url"]).body == expected
    assert localpi(filled, "show", "--index", "root/second")["rows"][1]["name"] == "only"
    assert filled.request("DELETE", "/root/second", headers=filled.owner).status in (200, 201)
    found = localpi(filled, "gc")
    assert (found["stray"], found["stray_bytes"], found["pages"]) == (1, len(data), 2)
    assert localpi(filled, "show")["files"] == 2


def test_the_last_copy_is_not_evicted(tmp_path: Path, upstream: MadeUpstream) -> None:
    """The budget spares what is gone upstream, however long it was not used."""
    upstream.max_age = 0
    upstream.add(NAME, DATA)
    upstream.add(*make_wheel("acme", "2.0"))
    with Daemon(tmp_path / "localpi", LOCALPI_CACHE_MAX_SIZE="250000", LOCALPI_CACHE_KEEP_FREE="0") as daemon:
        daemon.mirror("root/pypi", upstream.url, mirror_cache_expiry=0)
        assert fetch(daemon, NAME) == DATA
        wait_kept(daemon, 1)
        upstream.remove(NAME)
        daemon.page("acme")
        (row,) = localpi(daemon, "show", NAME)["rows"]
        assert row["last_copies"] == 1
        for number in range(6):
            name, data = make_wheel(f"more{number}", "1.0", filler=90_000)
            upstream.add(name, data)
            assert fetch(daemon, name) == data
        report = localpi(daemon, "show")
        assert (report["bytes"] <= 250_000, report["gain"]["evicted"] > 0) == (True, True)
        assert fetch(daemon, NAME) == DATA


def test_metrics(filled: Daemon) -> None:
    """Prometheus' text format: every line is a comment or a sample, every sample has its type before it."""
    reply = filled.get("/+metrics")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    typed: set[str] = set()
    samples: dict[str, float] = {}
    for line in reply.body.decode().splitlines():
        if found := re.fullmatch(r"# TYPE (localpi_[a-z_]+) (gauge|counter)", line):
            typed.add(found[1])
        elif not line.startswith("# HELP "):
            sample = re.fullmatch(r'(localpi_[a-z_]+)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? ([0-9.e+-]+)', line)
            assert sample, line
            assert sample[1] in typed
            samples[sample[1] + (sample[2] or "")] = float(sample[3])
    assert samples["localpi_cache_files"] == 2
    assert samples["localpi_downloads_total"] == 2
    assert samples['localpi_base_state{index="root/pypi",state="ok"}'] == 1


def test_strangers_get_none_of_it(filled: Daemon) -> None:
    """The cache is its owner's to change."""
    for method, path in (("GET", ""), ("POST", "/evict"), ("POST", "/pin"), ("POST", "/verify"), ("POST", "/gc")):
        assert filled.request(method, f"/+admin/cache{path}", json_body={"all": True}).status == 401


def test_show_adds_up_what_was_chosen(filled: Daemon) -> None:
    """And says where nothing cached goes by that name; the totals are those of all."""
    for name, expected in (("acme", "1 file, 10"), ("stranger", "nothing cached is that")):
        command = [sys.executable, "-m", "localpi", "cache", "show", name]
        ran = subprocess.run(command, env=filled.environ, capture_output=True, text=True, check=True, timeout=60)
        chosen, all_of_it, *_ = ran.stderr.splitlines()
        assert chosen.startswith(expected)
        assert chosen.endswith("; of all:")
        assert all_of_it.endswith(" in 2 files")
        assert ("acme-1.0" in ran.stdout) == (name == "acme")


def test_a_cache_on_another_disk(tmp_path: Path, upstream: MadeUpstream) -> None:
    """Pins move to the disk of the data and back; the cache's disk may vanish with all that is on it."""
    with other_disk(tmp_path) as disk:
        home = tmp_path / "localpi"
        home.mkdir()
        (home / "cache").symlink_to(disk, target_is_directory=True)
        upstream.add(NAME, DATA)
        upstream.add(OTHER, OTHER_DATA)
        with Daemon(home) as daemon:
            daemon.mirror("root/pypi", upstream.url)
            assert (fetch(daemon, NAME), fetch(daemon, OTHER)) == (DATA, OTHER_DATA)
            wait_kept(daemon, 2)
            damaged = disk / "files" / OTHER_SHA256[:2] / OTHER_SHA256[2:]
            damaged.write_bytes(OTHER_DATA[:-1] + b"x")
            assert f"{OTHER} is damaged" in localpi(daemon, "pin", "acme", "other", code=4)
            assert localpi(daemon, "show")["pinned_files"] == 0
            assert list((home / "data" / "pinned" / "files").glob("*/*")) == []
            assert localpi(daemon, "verify")["refetched"] == [OTHER]
            assert localpi(daemon, "pin", "acme")["files"] == 1
            assert localpi(daemon, "pin", "other")["files"] == 1
            assert localpi(daemon, "unpin", "other")["files"] == 1
            assert fetch(daemon, OTHER) == OTHER_DATA
            assert localpi(daemon, "verify")["damaged"] == []
            daemon.stop()
            for path in disk.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            upstream.refuse()
            daemon.start()
            assert fetch(daemon, NAME) == DATA
            assert daemon.page("other").status == 424
