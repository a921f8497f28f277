"""kill -9 in the middle of a download, an upload and a page refresh, at random points."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import random
import threading
import time
from pathlib import Path

import pytest

from made.daemon import Daemon, Reply
from made.faults import Drip
from made.forms import upload
from made.upstream import MadeUpstream
from made.wheels import make_wheel

ROUNDS = int(os.environ.get("LOCALPI_TEST_ROUNDS", "20"))

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def is_sound(daemon: Daemon) -> None:
    """The daemon's own check finds nothing, and every file on disk is what its name says, with nothing half beside."""
    checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
    assert checked["problems"] == []
    for folder in ("data", "cache"):
        assert not list((daemon.home / folder / "incoming").iterdir())
        for path in (daemon.home / folder / "files").glob("*/*"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name + path.name


def in_background(work: object) -> threading.Thread:
    """Run something that the crash will break."""

    def quietly() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            work()  # type: ignore[operator]  # a function without arguments

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    return thread


def test_a_download_is_whole_or_not_there(tmp_path: Path, upstream: MadeUpstream) -> None:
    """After each crash the file comes whole, from the cache or anew."""
    chance = random.Random(1)
    with Daemon(tmp_path / "localpi") as daemon:
        daemon.mirror("root/pypi", upstream.url)
        for number in range(ROUNDS):
            name, data = make_wheel(f"acme{number}", "1.0", filler=3_000_000)
            upstream.add(name, data)
            (file,) = daemon.page(f"acme{number}").json()["files"]
            upstream.fail(Drip(every_s=0.001, size=60_000), at=upstream.file_path(name))
            client = in_background(lambda url=file["url"]: daemon.get(url))
            upstream.wait_for(upstream.file_path(name))
            time.sleep(chance.uniform(0, 0.12))  # the random point
            daemon.kill()
            client.join(30)
            upstream.heal()
            daemon.start()
            is_sound(daemon)
            assert daemon.get(file["url"]).body == data


def test_an_upload_is_there_for_good_or_not_at_all(tmp_path: Path) -> None:
    """What was answered with 200 is there after the crash; what was not is whole or absent."""
    chance = random.Random(2)
    answered: dict[str, bytes] = {}
    with Daemon(tmp_path / "localpi") as daemon:
        for number in range(ROUNDS):
            made = [make_wheel(f"own{number}x{part}", "1.0", filler=200_000) for part in range(4)]
            begun = threading.Event()

            def send(name: str, data: bytes, begun: threading.Event = begun) -> None:
                begun.set()
                reply: Reply = upload(daemon, name, data)
                if reply.status == 200:
                    answered[name] = data

            clients = [in_background(lambda name=name, data=data: send(name, data)) for name, data in made]
            assert begun.wait(30)
            time.sleep(chance.uniform(0, 0.15))  # the random point
            daemon.kill()
            for client in clients:
                client.join(30)
            daemon.start()
            is_sound(daemon)
            for name, data in made:
                page = daemon.page(name.split("-")[0])
                assert page.status in ((200,) if name in answered else (200, 404))
                if page.status == 200:
                    (file,) = page.json()["files"]
                    assert daemon.get(file["url"]).body == data
        for name in answered:
            assert daemon.page(name.split("-")[0]).status == 200


def test_a_refresh_leaves_the_older_page_or_the_newer(tmp_path: Path, upstream: MadeUpstream) -> None:
    """After each crash the stored page is one that the upstream sent, never a mixture, and goes out offline."""
    chance = random.Random(3)
    with Daemon(tmp_path / "localpi") as daemon:
        daemon.mirror("root/pypi", upstream.url, mirror_cache_expiry=0)
        upstream.add(*make_wheel("acme", "0"))
        assert daemon.page("acme").status == 200
        stop = threading.Event()
        for number in range(1, ROUNDS + 1):
            upstream.add(*make_wheel("acme", str(number)))
            client = in_background(lambda: [daemon.page("acme") for _ in range(50) if not stop.is_set()])
            time.sleep(chance.uniform(0, 0.05))  # the random point
            daemon.kill()
            client.join(30)
            daemon.start()
            is_sound(daemon)
            upstream.refuse()
            found = {file["filename"] for file in daemon.page("acme").json()["files"]}
            upstream.heal()
            whole = [{f"acme-{version}-py3-none-any.whl" for version in range(upto + 1)} for upto in range(number + 1)]
            assert found in whole
            assert len(found) >= 1
            until = time.monotonic() + 20
            while len(daemon.page("acme").json()["files"]) < number + 1:
                assert time.monotonic() < until, "the mirror did not come back"
