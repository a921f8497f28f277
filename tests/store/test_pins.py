"""Pinned files: never lost with the cache, wherever a crash came."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import closing

import pytest

from localpi.settings.paths import Paths
from localpi.simple.names import Sha256, check_sha256, normalize
from localpi.store import Store, open_store
from localpi.store.cached import CachedFile
from localpi.store.durable import CACHE_TAG
from localpi.store.pages import StoredPage
from localpi.store.pins import Pin

IDNA = normalize("idna")
SOURCE = "https://mirror.example/simple/"
BODY = b"the wheel"
HASH = check_sha256(hashlib.sha256(BODY).hexdigest())
NAME = "idna-1.0-py3-none-any.whl"
PIN = Pin(source=SOURCE, key=HASH[:16], filename=NAME, project=IDNA, sha256=HASH, size=len(BODY), pinned_us=7)
PAGE = StoredPage(
    source=SOURCE,
    project=IDNA,
    status="present",
    url=SOURCE + "idna/",
    content_type="application/vnd.pypi.simple.v1+json",
    encoding="",
    body=b'{"files":[]}',
    etag='"e"',
    last_modified=None,
    fetched_us=3,
    max_age_s=600,
    serial=None,
)


def keep(store: Store, body: bytes = BODY) -> Sha256:
    """Bring a file and its page into the cache."""
    with store.files.receive() as receiving:
        receiving.write(body)
        sha256 = receiving.finish()
    store.pages.put_later(PAGE)
    store.cached.add_later(
        CachedFile(
            source=SOURCE,
            key=sha256[:16],
            filename=NAME,
            project=IDNA,
            sha256=sha256,
            size=len(body),
            stored_us=1,
            used_us=1,
        )
    )
    store.flush()
    return sha256


def pin(store: Store) -> None:
    store.files.move(HASH, store.pinned)
    store.pins.add((PIN,), (PAGE,))


def test_a_pin_outlives_the_cache(folders: Paths, store: Store) -> None:
    """The folder is emptied while nothing runs; bytes, row and page are there again."""
    keep(store)
    pin(store)
    store.close()
    shutil.rmtree(folders.cache)
    with closing(open_store(folders)) as again:
        again.flush()
        found = again.cached.find(*PIN.link)
        file = again.files.open(HASH)
        assert (found, file and file.read()) == (PIN.as_cached(), BODY)
        assert (again.pages.get(SOURCE, IDNA), again.check(deep=True)) == (PAGE, ())
        if file:
            file.close()


def test_pinned_bytes_are_found_and_not_counted_among_the_evictable(store: Store) -> None:
    """`files` finds what is pinned, lists and removes only its own."""
    keep(store)
    pin(store)
    assert (store.files.has(HASH), list(store.files.all())) == (len(BODY), [])
    assert (store.files.remove(HASH), store.files.has(HASH)) == (False, len(BODY))
    assert (store.pins.all(), store.pins.hashes()) == ((PIN,), {HASH: len(BODY)})


def test_unpinning_says_which_bytes_are_free(store: Store) -> None:
    """Bytes that another name holds stay pinned; the page's copy goes with the last pin of its project."""
    keep(store)
    other = Pin(source=SOURCE, key="0" * 16, filename=NAME, project=IDNA, sha256=HASH, size=9, pinned_us=8)
    store.pins.add((PIN, other), (PAGE,))
    assert (store.pins.remove([PIN.link]), store.pins.pages()) == ((), (PAGE,))
    assert (store.pins.remove([other.link, ("no", "such", "pin")]), store.pins.pages()) == ((HASH,), ())
    assert store.own.read("SELECT * FROM pins") == []


@pytest.mark.parametrize("moved", [True, False])
def test_a_crash_between_bytes_and_rows_loses_nothing(folders: Paths, store: Store, moved: bool) -> None:
    """Bytes without a pin are cached again; a pin whose bytes had not moved is made good where the rows are gone."""
    keep(store)
    if moved:
        store.files.move(HASH, store.pinned)
    else:
        store.pins.add((PIN,), (PAGE,))
        store.cached.forget(HASH)
    store.close()
    with closing(open_store(folders)) as again:
        again.flush()
        assert again.files.has(HASH) == len(BODY)
        assert [sha256 for sha256, _ in again.pinned.all()] == ([] if moved else [HASH])
        assert again.check(deep=True) == ()


def test_the_cache_is_tagged(folders: Paths, store: Store) -> None:
    """Backup programs leave it out."""
    assert (folders.cache / "CACHEDIR.TAG").read_text() == CACHE_TAG
    assert not (folders.data / "CACHEDIR.TAG").exists()
    assert store.pins.all() == ()
