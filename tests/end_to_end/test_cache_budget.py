"""The cache under pressure: a small budget with many clients, and a disk that is full."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from made.daemon import Daemon, basic
from made.disks import small_disk
from made.faults import NoLength
from made.forms import upload
from made.loops import wait_for
from made.upstream import MadeUpstream
from made.wheels import make_wheel

MB = 1_000_000
SIZE = 300_000
BUDGET = 4 * MB
CLIENTS = 50


def publish(upstream: MadeUpstream, count: int, filler: int = SIZE) -> dict[str, bytes]:
    """Publish that many projects of one wheel each."""
    made = dict(make_wheel(f"acme{number}", "1.0", filler=filler) for number in range(count))
    for name, data in made.items():
        upstream.add(name, data)
    return made


def url_of(daemon: Daemon, filename: str, index: str = "root/pypi") -> str:
    (file,) = daemon.page(filename.partition("-")[0].replace("_", "-"), index).json()["files"]
    url: str = file["url"]
    return url


def bytes_below(*folders: Path) -> int:
    """What the files of some folders take; those that go meanwhile count nothing."""
    total = 0
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                total += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:
                continue
    return total


@contextmanager
def watched(*folders: Path) -> Iterator[list[int]]:
    """Look again and again at what some folders take; what was seen comes back."""
    seen: list[int] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.01):
            seen.append(bytes_below(*folders))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    yield seen
    ended.set()
    thread.join(10)


def at_once(work: list[list[tuple[Daemon, str, bytes]]]) -> list[str]:
    """Each list by a client of its own; what went wrong, in words."""
    wrong: list[str] = []

    def ask(asked: list[tuple[Daemon, str, bytes]]) -> None:
        for daemon, url, expected in asked:
            try:
                reply = daemon.request("GET", url, timeout=60)
                if (reply.status, reply.body == expected) != (200, True):
                    wrong.append(f"{url}: {reply.status} {reply.reason}, {len(reply.body)} of {len(expected)}")
            except Exception as error:  # noqa: BLE001 -- whatever it is, the client did not get its file
                wrong.append(f"{url}: {error!r}")

    threads = [threading.Thread(target=ask, args=(asked,), daemon=True) for asked in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return wrong + ["a client waits for ever" for thread in threads if thread.is_alive()]


def cache(daemon: Daemon, method: str, path: str = "", body: object = None) -> dict[str, object]:
    reply = daemon.request(method, f"/+admin/cache{path}", headers=daemon.owner, json_body=body)
    assert reply.status in (200, 202), reply
    found: dict[str, object] = reply.json()
    return found


def test_fifty_clients_and_a_small_budget(tmp_path: Path, upstream: MadeUpstream) -> None:
    """Kept within one file's size, all the time; pins and uploads untouched; every client gets every file."""
    chance = random.Random(4)
    made = publish(upstream, 40)
    big_name, big = make_wheel("larger", "1.0", filler=BUDGET + MB)
    upstream.add(big_name, big)
    own_name, own = make_wheel("own-thing", "1.0", filler=SIZE)
    with Daemon(tmp_path / "localpi", LOCALPI_CACHE_MAX_SIZE=str(BUDGET), LOCALPI_CACHE_KEEP_FREE="0") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        assert upload(daemon, own_name, own).status == 200
        pinned = list(made)[:3]
        for name in pinned:
            assert daemon.get(url_of(daemon, name)).body == made[name]
        wait_for(lambda: cache(daemon, "GET")["files"] == 3)  # rows are written behind
        assert cache(daemon, "POST", "/pin", {"names": pinned})["files"] == 3
        wanted = [(daemon, url_of(daemon, name), data) for name, data in made.items()]
        wanted += [(daemon, url_of(daemon, big_name), big), (daemon, url_of(daemon, own_name, "root/local"), own)]
        before = len(upstream.asked())
        folder = daemon.home / "cache"
        with watched(folder / "files", folder / "incoming") as seen:
            wrong = at_once([chance.sample(wanted, 12) for _ in range(CLIENTS)])
        assert wrong == []
        assert max(seen) <= BUDGET + SIZE + 10_000
        assert max(seen) > BUDGET // 2
        files = daemon.home / "data" / "pinned" / "files"
        held = {path.parent.name + path.name for path in files.glob("*/*")}
        assert held == {hashlib.sha256(made[name]).hexdigest() for name in pinned}
        asked = [request.path for request in upstream.asked()[before:]]
        assert not any(upstream.file_path(name) in asked for name in pinned)
        report = cache(daemon, "GET")
        assert report["bytes"] <= BUDGET + SIZE + 3 * (SIZE + 10_000)  # type: ignore[operator]  # a number
        assert report["gain"]["evicted"] > 0  # type: ignore[index]  # an object
        checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
        assert checked["problems"] == []


@pytest.fixture(name="small_disk")
def small_disk_fixture(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    with small_disk(tmp_path / "disk", "24m") as mounted:
        yield mounted


def fill(folder: Path, leave: int = 0) -> Path:
    """Write until the disk is full, but for some bytes."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            pass
    os.truncate(path, path.stat().st_size - leave)
    return path


def test_a_full_disk(small_disk: Path, upstream: MadeUpstream) -> None:
    """Serving goes on, downloads go through unkept, uploads get 507, an event says so, and nothing is lost."""
    made = publish(upstream, 12, filler=1_500_000)
    own_name, own = make_wheel("own-thing", "1.0", filler=SIZE)
    names = list(made)
    with Daemon(small_disk / "localpi", LOCALPI_CACHE_KEEP_FREE="0") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        assert upload(daemon, own_name, own).status == 200
        own_url = url_of(daemon, own_name, "root/local")
        urls = {name: url_of(daemon, name) for name in names}
        for name in names[:2]:
            assert daemon.get(urls[name]).body == made[name]
        assert cache(daemon, "POST", "/pin", {"names": names[:2]})["files"] == 2
        filler = fill(small_disk)

        wanted = [(daemon, urls[name], made[name]) for name in names] + [(daemon, own_url, own)]
        assert at_once([wanted, list(reversed(wanted)), wanted[5:] + wanted[:5]]) == []
        refused = upload(daemon, *make_wheel("own-other", "1.0", filler=SIZE))
        assert refused.status == 507
        new_name, new = make_wheel("fresh", "1.0", filler=1_500_000)
        upstream.add(new_name, new)
        assert daemon.get(url_of(daemon, new_name)).body == new
        report = cache(daemon, "GET")
        assert report["gain"]["unkept"] > 0  # type: ignore[index]  # an object

        filler.unlink()
        assert upload(daemon, *make_wheel("own-other", "1.0", filler=SIZE)).status == 200
        assert daemon.get(urls[names[5]]).body == made[names[5]]
        before = len(upstream.asked(upstream.file_path(names[5])))
        assert daemon.get(urls[names[5]]).body == made[names[5]]
        assert len(upstream.asked(upstream.file_path(names[5]))) == before, "it was not kept again"
        assert "downloads are handed on and not kept" in daemon.log
        daemon.stop()
        daemon.start()
        assert daemon.get(own_url).body == own
        upstream.refuse()
        assert [daemon.get(urls[name]).body == made[name] for name in names[:2]] == [True, True]
        checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
        assert checked["problems"] == []


def test_an_upload_on_a_full_disk_goes_before_what_is_cached(small_disk: Path, upstream: MadeUpstream) -> None:
    """The cache gives way to own packages, oldest first, pins excepted; where nothing can go it is 507."""
    made = publish(upstream, 4, filler=3 * MB)
    first, *others = made
    own_name, own = make_wheel("own-thing", "1.0", filler=2 * MB)
    with Daemon(small_disk / "localpi", LOCALPI_CACHE_KEEP_FREE="0") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        urls = {name: url_of(daemon, name) for name in made}
        for name in made:
            assert daemon.get(urls[name]).body == made[name]
        assert cache(daemon, "POST", "/pin", {"names": [first]})["files"] == 1
        fill(small_disk, leave=MB // 2)
        assert upload(daemon, own_name, own).status == 200
        assert daemon.get(url_of(daemon, own_name, "root/local")).body == own
        assert cache(daemon, "GET")["gain"]["evicted"] == 2  # type: ignore[index]  # an object
        upstream.refuse()
        assert [daemon.get(urls[name]).status for name in (first, others[-1])] == [200, 200]
        assert cache(daemon, "POST", "/pin", {"names": [others[-1]]})["files"] == 1
        fill(small_disk, leave=MB // 2)
        refused = upload(daemon, *make_wheel("own-other", "1.0", filler=4 * MB))
        assert refused.status == 507, refused
        assert [daemon.get(urls[name]).status for name in (first, others[-1])] == [200, 200]
        checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
        assert checked["problems"] == []


def test_nothing_goes_for_those_who_may_not_upload(small_disk: Path, upstream: MadeUpstream) -> None:
    """A large body that somebody announces evicts nothing, unless it comes from one who may upload somewhere."""
    made = publish(upstream, 3, filler=3 * MB)
    body, where = bytes(3 * MB), "/root/local/"
    with Daemon(small_disk / "localpi", LOCALPI_CACHE_KEEP_FREE="0") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        for name in made:
            assert daemon.get(url_of(daemon, name)).body == made[name]
        reader = {"Authorization": f"Bearer {daemon.token('read')}"}
        fill(small_disk, leave=MB // 2)
        for shown in ({}, basic("root", "wrong"), {"Authorization": "Bearer x"}, reader):
            assert daemon.request("POST", where, headers=shown, body=body).status in (401, 403, 507), shown
        assert cache(daemon, "GET")["gain"]["evicted"] == 0  # type: ignore[index]  # an object
        daemon.request("POST", where, headers=daemon.owner, body=body)
        assert cache(daemon, "GET")["gain"]["evicted"] > 0  # type: ignore[index]  # as above


def test_a_file_without_a_length_on_a_full_disk(small_disk: Path, upstream: MadeUpstream) -> None:
    """It cannot be handed on, since nobody can be told where it ends: it is refused in words that say so."""
    made = publish(upstream, 1, filler=3 * MB)
    upstream.json = False
    (name,) = made
    with Daemon(small_disk / "localpi", LOCALPI_CACHE_KEEP_FREE="0") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        url = url_of(daemon, name)
        upstream.fail(NoLength(), at="/files/")
        filler = fill(small_disk, leave=MB)
        refused = daemon.get(url)
        assert refused.status == 424
        assert "the disk is full" in refused.reason
        assert "length" in refused.reason
        assert daemon.get("/+health").json()["bases"][0]["state"] == "ok"
        filler.unlink()
        until = time.monotonic() + 10
        while (reply := daemon.get(url)).status != 200:  # who waited with the first client gets the same answer
            assert time.monotonic() < until, reply
        assert reply.body == made[name]


def test_a_disk_that_fills_up_in_the_middle_of_a_file(small_disk: Path, upstream: MadeUpstream) -> None:
    """What has come lies on the disk, the rest goes through memory; cached files go first where there are any."""
    made = publish(upstream, 3, filler=5 * MB)
    first, second, third = made
    with Daemon(small_disk / "localpi", LOCALPI_CACHE_KEEP_FREE="0") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        urls = {name: url_of(daemon, name) for name in made}
        assert daemon.get(urls[first]).body == made[first]
        fill(small_disk, leave=2 * MB)
        assert daemon.get(urls[second]).body == made[second]  # the first one goes for it
        report = cache(daemon, "GET")
        assert report["gain"]["evicted"] > 0  # type: ignore[index]  # an object
        assert report["gain"]["unkept"] == 0  # type: ignore[index]  # as above
        assert cache(daemon, "POST", "/pin", {"names": [second]})["files"] == 1
        assert at_once([[(daemon, urls[third], made[third])]] * 5) == []
        assert cache(daemon, "GET")["gain"]["unkept"] > 0  # type: ignore[index]  # an object
        assert daemon.get(urls[second]).body == made[second]
