"""Core metadata at a mirror that has none: read from the ends of wheels, announced, kept; and sizes for HEAD."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from localpi.index.permissions import OWNER
from localpi.simple.names import check_sha256
from made.corpus import Shows
from made.faults import Hold, OtherBytes, Status
from made.loops import wait_for
from made.wheels import core_metadata, make_sdist, make_wheel, wheel_metadata

if TYPE_CHECKING:
    from made.served import Served
    from made.upstream import MadeUpstream, Request

BIG = 300_000
NAME, DATA = make_wheel("demo", "1.0", requires=["lib>2"], filler=BIG)
METADATA = wheel_metadata(DATA)
SHA256 = hashlib.sha256(METADATA).hexdigest()


@pytest.fixture(autouse=True)
def poor(upstream: MadeUpstream) -> None:
    """Let the upstream speak HTML, without metadata and sizes."""
    upstream.json, upstream.shows = False, Shows(metadata=False, sizes=False, upload_times=False)


def link(served: Served, filename: str = NAME, project: str = "demo") -> str:
    """The URL of a file on its page here."""
    files = served.page(f"/root/pypi/+simple/{project}/").json()["files"]
    return next(str(file["url"]) for file in files if file["filename"] == filename)


def announced(served: Served, project: str = "demo") -> dict[str, object]:
    """File name -> what the page says of its core metadata."""
    files = served.page(f"/root/pypi/+simple/{project}/").json()["files"]
    return {file["filename"]: file.get("core-metadata") for file in files}


def asked_for_wheels(upstream: MadeUpstream) -> list[Request]:
    return [request for request in upstream.asked() if request.path.endswith(".whl")]


def test_it_is_read_once_and_then_announced_with_its_hash(served: Served, upstream: MadeUpstream) -> None:
    """`true` at first, for wheels alone; the METADATA of the wheel; then the sha256, and no further request."""
    upstream.add(NAME, DATA)
    upstream.add(*make_sdist("demo", "1.0"))
    assert announced(served) == {NAME: True, "demo-1.0.tar.gz": None}
    url = link(served) + ".metadata"
    reply = served.ask("GET", url)
    assert (reply.status, reply.body) == (200, METADATA)
    assert reply.headers["etag"] == f'"{SHA256}"'
    assert [request.headers.get("range") for request in asked_for_wheels(upstream)] == ["bytes=-65536"]

    served.library.store.cached.flush_use()
    assert served.library.mirroring.show_news() == 1
    assert announced(served)[NAME] == {"sha256": SHA256}
    html = served.ask("GET", "/root/pypi/+simple/demo/", {"Accept": "text/html", "User-Agent": "pip/26"}).body.decode()
    assert f'data-core-metadata="sha256={SHA256}"' in html
    for _ in range(3):
        assert served.ask("GET", url).body == METADATA
        assert int(served.ask("HEAD", url).headers["content-length"]) == len(METADATA)
    assert len(asked_for_wheels(upstream)) == 1


def test_who_asks_at_once_shares_one_look(served: Served, upstream: MadeUpstream) -> None:
    """Twenty clients cost the upstream one range request, and hold no worker while it takes its time."""
    upstream.add(NAME, DATA)
    url = link(served) + ".metadata"
    release = threading.Event()
    upstream.fail(Hold(release), at="/files/")
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(served.ask, "GET", url) for _ in range(20)]
        upstream.wait_for(upstream.file_path(NAME))
        assert served.page("/root/pypi/+simple/demo/").status == 200
        release.set()
        assert {reply.result().body for reply in asked} == {METADATA}
    assert len(asked_for_wheels(upstream)) == 1


def test_without_ranges_the_wheel_comes_whole_and_stays(served: Served, upstream: MadeUpstream) -> None:
    """Then it is here: neither it nor its metadata is fetched again; the next wheel is not asked for a range."""
    upstream.ranges = False
    upstream.add(NAME, DATA)
    other, other_data = make_wheel("demo", "2.0", filler=BIG)
    upstream.add(other, other_data)
    assert served.ask("GET", link(served) + ".metadata").body == METADATA
    assert served.ask("GET", link(served)).body == DATA
    assert ["range" in request.headers for request in asked_for_wheels(upstream)] == [True, False]
    assert served.ask("GET", link(served, other) + ".metadata").body == wheel_metadata(other_data)
    assert ["range" in request.headers for request in asked_for_wheels(upstream)] == [True, False, False]


def test_a_small_wheel_is_kept_whole(served: Served, upstream: MadeUpstream) -> None:
    """Its end is all of it, so the wheel is here afterwards."""
    name, data = make_wheel("demo", "3.0")
    upstream.add(name, data)
    assert served.ask("GET", link(served, name) + ".metadata").body == wheel_metadata(data)
    upstream.refuse()
    assert served.ask("GET", link(served, name)).body == data


def test_other_bytes_than_announced_are_refused(served: Served, upstream: MadeUpstream) -> None:
    """A small wheel whose hash is wrong is not believed what it says of itself."""
    name, data = make_wheel("demo", "3.0")
    upstream.add(name, data)
    upstream.fail(OtherBytes(), at="/files/")
    reply = served.ask("GET", link(served, name) + ".metadata")
    assert reply.status == 424
    assert "other bytes" in reply.reason


@pytest.mark.parametrize(
    "metadata",
    [core_metadata("stranger", "1.0"), core_metadata("demo", "9.9"), b"no metadata"],
    ids=["another-project", "another-version", "nonsense"],
)
def test_unusable_metadata_is_not_announced_again(served: Served, upstream: MadeUpstream, metadata: bytes) -> None:
    """404, and the page says nothing of it from then on: a client looks into the wheel and sees for itself."""
    upstream.add(*make_wheel("demo", "1.0", metadata=metadata, filler=BIG))
    assert announced(served) == {NAME: True}
    assert served.ask("GET", link(served) + ".metadata").status == 404
    served.library.mirroring.show_news()
    assert announced(served) == {NAME: None}


def test_what_is_no_zip_has_no_metadata(served: Served, upstream: MadeUpstream) -> None:
    """A broken wheel costs a range request, not a fault."""
    upstream.add(NAME, b"not a zip" * BIG)
    assert served.ask("GET", link(served) + ".metadata").status == 404


def test_a_wheel_that_is_here_is_read_here(served: Served, upstream: MadeUpstream) -> None:
    """With the upstream gone, metadata of cached wheels is made; of others it cannot be known."""
    upstream.add(NAME, DATA)
    other, other_data = make_wheel("demo", "2.0", filler=BIG)
    upstream.add(other, other_data)
    here, away = link(served), link(served, other)
    assert served.ask("GET", here).body == DATA
    kept = check_sha256(hashlib.sha256(DATA).hexdigest())
    wait_for(lambda: served.library.store.files.has(kept))  # the last byte goes out before the fsync
    upstream.refuse()
    assert served.ask("GET", here + ".metadata").body == METADATA
    reply = served.ask("GET", away + ".metadata")
    assert reply.status == 424
    assert "root/pypi" in reply.reason


def test_an_upstream_that_fails_is_no_404(served: Served, upstream: MadeUpstream) -> None:
    """503 for the wheel: it cannot be known now."""
    upstream.add(NAME, DATA)
    url = link(served) + ".metadata"
    upstream.fail(Status(503), at="/files/")
    assert served.ask("GET", url).status == 424


def test_a_wheel_without_hash_too(served: Served, upstream: MadeUpstream) -> None:
    """Links of pages without hashes have another form; metadata is read all the same."""
    upstream.shows = Shows(hashes=False, metadata=False, sizes=False, upload_times=False)
    upstream.add(NAME, DATA)
    url = link(served)
    assert "/+e/" in url
    assert served.ask("GET", url + ".metadata").body == METADATA
    assert not any("range" not in request.headers for request in asked_for_wheels(upstream))


def test_a_mirror_that_hands_files_on_announces_what_its_upstream_has(served: Served, upstream: MadeUpstream) -> None:
    """`mirror_use_external_urls` stores nothing, so it makes nothing."""
    served.library.registry.modify(OWNER, "root/pypi", {"mirror_use_external_urls": True})
    upstream.add(NAME, DATA)
    assert announced(served) == {NAME: None}
    assert served.ask("GET", link(served) + ".metadata").status == 404


@pytest.mark.parametrize("ranges", [True, False])
def test_head_of_a_cold_file_does_not_fetch_it(served: Served, upstream: MadeUpstream, *, ranges: bool) -> None:
    """Its size is told, and so it is again without another request; the file itself has not come."""
    upstream.ranges = ranges
    upstream.add(NAME, DATA)
    url = link(served)
    for _ in range(2):
        reply = served.ask("HEAD", url)
        assert (reply.status, int(reply.headers["content-length"])) == (200, len(DATA))
    assert [request.headers.get("range") for request in asked_for_wheels(upstream)] == ["bytes=0-0"]
    assert served.library.cache_use().files == 0
    upstream.remove(NAME)


def test_head_of_what_is_gone_is_404(served: Served, upstream: MadeUpstream) -> None:
    """The page lists it, the upstream has it no more."""
    upstream.add(NAME, DATA)
    url = link(served)
    upstream.remove(NAME)
    assert served.ask("HEAD", url).status == 404


def test_size_and_upload_time_are_copied_from_another_base(served: Served, upstream: MadeUpstream) -> None:
    """Where the same sha256 is on a page that has them; nothing is made up for other bytes."""
    from made.upstream import MadeUpstream  # noqa: PLC0415 - the name above is for types

    upstream.add(NAME, DATA)
    other, other_data = make_wheel("demo", "2.0")
    upstream.add(other, other_data)
    with MadeUpstream() as rich:
        rich.add(NAME, DATA, upload_time="2025-05-05T05:05:05.000000Z")
        rich.add(other, other_data[:-1] + b"!")
        served.library.registry.create(OWNER, "root/rich", {"type": "mirror", "mirror_url": rich.url})
        served.library.registry.modify(OWNER, "root/local", {"bases": ["root/pypi", "root/rich"]})
        before = {file["filename"]: file for file in served.page("/root/pypi/+simple/demo/").json()["files"]}
        assert not {"size", "upload-time"} & set(before[NAME])
        assert served.page("/root/rich/+simple/demo/").status == 200
        after = {file["filename"]: file for file in served.page("/root/pypi/+simple/demo/").json()["files"]}
    assert (after[NAME]["size"], after[NAME]["upload-time"]) == (len(DATA), "2025-05-05T05:05:05.000000Z")
    assert not {"size", "upload-time"} & set(after[other])
