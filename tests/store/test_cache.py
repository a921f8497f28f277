"""Upstream pages, files of mirrors, names once seen."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from localpi.simple.names import Sha256, check_sha256, normalize
from localpi.store import Store
from localpi.store.cached import CachedFile
from localpi.store.database import Database
from localpi.store.pages import StoredPage

IDNA = normalize("idna")
PAGE = StoredPage(
    source="https://mirror.example/simple/",
    project=IDNA,
    status="present",
    url="https://mirror.example/simple/idna/",
    content_type="application/vnd.pypi.simple.v1+json",
    encoding="gzip",
    body=b"\x1f\x8b...",
    etag='"e1"',
    last_modified="Thu, 20 Nov 2026 10:00:00 GMT",
    fetched_us=1,
    max_age_s=600,
    serial=17,
)
SOURCE = PAGE.source
NONE = StoredPage.missing(SOURCE, IDNA, 5)


def digest(body: bytes) -> Sha256:
    return check_sha256(hashlib.sha256(body).hexdigest())


def link(body: bytes, filename: str = "idna-1.0-py3-none-any.whl", at_us: int = 1) -> CachedFile:
    return CachedFile(
        source=SOURCE,
        key=digest(body)[:16],
        filename=filename,
        project=IDNA,
        sha256=digest(body),
        size=len(body),
        stored_us=at_us,
        used_us=at_us,
    )


@contextmanager
def writer_held(database: Database) -> Iterator[None]:
    """Nothing is committed inside."""
    go_on = threading.Event()
    database.write_later(lambda _: go_on.wait(30))
    yield
    go_on.set()
    database.flush()


def look(store: Store) -> tuple[StoredPage | None, StoredPage | None]:
    return store.pages.get(SOURCE, IDNA), store.pages.head(SOURCE, IDNA)


def test_a_page_is_found_before_and_after_it_is_written(store: Store) -> None:
    """Whole, and as a head without its body."""
    assert look(store) == (None, None)
    with writer_held(store.cache):
        store.pages.put_later(PAGE)
        assert look(store) == (PAGE, replace(PAGE, body=b""))
    assert look(store) == (PAGE, replace(PAGE, body=b""))
    assert (store.pages._edits, store.pages.names(SOURCE), store.pages.names("other")) == ({}, (IDNA,), ())


@pytest.mark.parametrize("written_before", [True, False])
def test_later_words_of_the_upstream(store: Store, written_before: bool) -> None:
    """Unchanged, gone, still gone, back: the body stays until there is another."""
    steps: list[tuple[StoredPage | None, StoredPage]] = [
        (PAGE, PAGE),
        (None, replace(PAGE, fetched_us=3, max_age_s=60, etag='"e2"')),
        (NONE, replace(PAGE, fetched_us=5, max_age_s=None, etag='"e2"', missing_us=5)),
        (
            replace(NONE, fetched_us=8, missing_us=8),
            replace(PAGE, fetched_us=8, max_age_s=None, etag='"e2"', missing_us=5),
        ),
        (replace(PAGE, body=b"new", fetched_us=9), replace(PAGE, body=b"new", fetched_us=9)),
    ]
    if not written_before:
        go_on = threading.Event()
        store.cache.write_later(lambda _: go_on.wait(30))
    for word, expected in steps:
        if word is None:
            store.pages.touch_later(SOURCE, IDNA, 3, 60, '"e2"')
        else:
            store.pages.put_later(word)
        if written_before:
            store.cache.flush()
        assert look(store) == (expected, replace(expected, body=b""))
    if not written_before:
        go_on.set()
        store.cache.flush()
        assert look(store)[0] == steps[-1][1]


def test_a_project_that_never_was_is_noted(store: Store) -> None:
    """A 404 is kept with the time it was first heard, and is no name of the mirror."""
    for page in (NONE, replace(NONE, fetched_us=9, missing_us=9)):
        store.pages.put_later(page)
        assert look(store)[0] == replace(NONE, fetched_us=page.fetched_us)
        store.cache.flush()
    assert (look(store)[0], store.pages.names(SOURCE)) == (replace(NONE, fetched_us=9), ())
    store.pages.put_later(PAGE)
    store.cache.flush()
    assert (look(store)[0], store.pages.names(SOURCE)) == (PAGE, (IDNA,))


def test_touching_what_is_not_there_makes_nothing(store: Store) -> None:
    """There is no page without a body that came."""
    store.pages.touch_later(SOURCE, IDNA, 3, 60, None)
    assert look(store) == (None, None)
    store.cache.flush()
    assert look(store) == (None, None)


def test_a_forgotten_page_is_gone(store: Store) -> None:
    """With its body."""
    store.pages.put_later(PAGE)
    assert (store.pages.forget(SOURCE, IDNA), store.pages.forget(SOURCE, IDNA)) == (True, False)
    assert (look(store), store.cache.read("SELECT * FROM bodies")) == ((None, None), [])


def test_a_cached_file_is_found_before_and_after_it_is_written(store: Store) -> None:
    """By its link, by its project, by its content."""
    file = link(b"wheel")
    with writer_held(store.cache):
        store.cached.add_later(file)
        assert store.cached.find(SOURCE, file.key, file.filename) == file
    assert store.cached.find(SOURCE, file.key, file.filename) == file
    assert store.cached.find(SOURCE, file.key, "other.whl") is None
    assert (store.cached.of_project(SOURCE, IDNA), store.cached.of_project("other", IDNA)) == ((file,), ())
    assert (store.cached.size_of(file.sha256), store.cached.size_of(digest(b"none"))) == (5, None)
    assert (store.cached.totals(), store.cached._on_the_way) == ((1, 5), {})


def test_two_links_to_the_same_bytes_are_one_file(store: Store) -> None:
    """Bytes are counted once, and forgotten with all their links."""
    one, two = link(b"wheel"), link(b"wheel", "idna-1.0-py2-none-any.whl")
    for file in (one, two):
        store.cached.add_later(file)
    store.cache.flush()
    assert (store.cached.totals(), store.cached.of_project(SOURCE, IDNA)) == ((1, 5), (two, one))
    assert (store.cached.forget(one.sha256), store.cached.forget(one.sha256)) == (True, False)
    assert (store.cached.totals(), store.cached.find(SOURCE, one.key, one.filename)) == ((0, 0), None)


def test_use_is_written_when_it_is_flushed(store: Store) -> None:
    """A hit writes nothing; the latest use counts."""
    file = link(b"wheel")
    store.cached.add_later(file)
    store.cache.flush()
    for at_us in (50, 40):
        store.cached.used(file.sha256, at_us)
        assert store.cached.find(SOURCE, file.key, file.filename) == file
        store.cached.flush_use()
        store.cache.flush()
        file = replace(file, used_us=50)
    assert store.cached.find(SOURCE, file.key, file.filename) == file


def test_a_name_once_seen_stays(store: Store) -> None:
    """At once, and for good."""
    assert not store.seen.has(SOURCE, IDNA)
    with writer_held(store.own):
        store.seen.add_later(SOURCE, IDNA, 1)
        assert store.seen.has(SOURCE, IDNA)
    store.seen.add_later(SOURCE, IDNA, 2)
    store.own.flush()
    assert (store.seen.has(SOURCE, IDNA), store.seen.has("other", IDNA)) == (True, False)
    assert [tuple(row) for row in store.own.read("SELECT * FROM seen")] == [(SOURCE, IDNA, 1)]


def test_the_first_hash_counts(store: Store) -> None:
    """Another one that comes later does not replace it."""
    first, later = digest(b"first"), digest(b"later")
    assert store.seen.first_hash(SOURCE, IDNA, "idna-1.0.zip") is None
    assert store.seen.keep_first_hash(SOURCE, IDNA, "idna-1.0.zip", first, 1) == first
    assert store.seen.keep_first_hash(SOURCE, IDNA, "idna-1.0.zip", later, 2) == first
    assert store.seen.first_hash(SOURCE, IDNA, "idna-1.0.zip") == first
