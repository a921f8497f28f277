"""Own releases and files."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from localpi.errors import FileExists, IndexNotFound
from localpi.simple.names import Filename, normalize
from localpi.store import Store
from localpi.store.file_log import read_log
from localpi.store.releases import Added, FileRow, Outcome

Upload = Callable[..., FileRow]
IDNA = normalize("idna")
WHEEL = "idna-1.0-py3-none-any.whl"
SDIST = "idna-1.0.tar.gz"


def test_a_file_comes_back_as_it_was(store: Store, upload: Upload) -> None:
    """Every column, by project and by link."""
    row = upload(WHEEL, b"one", md5="m" * 32, requires_python=">=3.8", core_metadata=b"Name: idna\n")
    assert store.releases.add_file(row, {"summary": "x"}, volatile=False) == Added(Outcome.NEW, row)
    assert store.releases.files("ann/dev", IDNA) == (row,)
    assert store.releases.file("ann/dev", row.sha256[:16], row.filename) == row
    assert store.releases.file("ann/dev", "0" * 16, row.filename) is None
    assert store.releases.file("ann/prod", row.sha256[:16], row.filename) is None
    assert (store.releases.projects("ann/dev"), store.releases.projects("ann/prod")) == ((IDNA,), ())
    assert store.releases.metadata("ann/dev", IDNA) == {"1.0": {"summary": "x"}}
    assert (store.releases.holds(row.sha256), store.releases.holds("0" * 64)) == (True, False)


@pytest.mark.parametrize("volatile", [True, False])
def test_the_same_bytes_again_change_nothing(store: Store, upload: Upload, volatile: bool) -> None:
    """Neither row nor metadata nor history."""
    row = upload(WHEEL, b"one")
    store.releases.add_file(row, {"summary": "x"}, volatile=volatile)
    serial = store.changes.serial()
    again = replace(row, uploaded_us=999, uploaded_by="eve")
    assert store.releases.add_file(again, {"summary": "y"}, volatile=volatile) == Added(Outcome.SAME, row)
    assert store.releases.metadata("ann/dev", IDNA) == {"1.0": {"summary": "x"}}
    assert (store.releases.files("ann/dev", IDNA), store.changes.serial()) == ((row,), serial)


def test_other_bytes_are_refused_where_nothing_changes(store: Store, upload: Upload) -> None:
    """FileExists, and not even the metadata is touched."""
    row = upload(WHEEL, b"one")
    store.releases.add_file(row, {"summary": "x"}, volatile=False)
    with pytest.raises(FileExists):
        store.releases.add_file(upload(WHEEL, b"two"), {"summary": "y"}, volatile=False)
    assert store.releases.files("ann/dev", IDNA) == (row,)
    assert store.releases.metadata("ann/dev", IDNA) == {"1.0": {"summary": "x"}}


def test_other_bytes_replace_on_a_volatile_index(store: Store, upload: Upload) -> None:
    """The old hash is told, metadata is merged key by key."""
    old, new = upload(WHEEL, b"one"), upload(WHEEL, b"two")
    store.releases.add_file(old, {"summary": "x", "author": "a"}, volatile=True)
    added = store.releases.add_file(new, {"summary": "y"}, volatile=True)
    assert added == Added(Outcome.REPLACED, replace(new, log=added.file.log), old.sha256)
    assert [entry["what"] for entry in read_log(added.file)] == ["overwrite", "upload"]
    assert store.releases.files("ann/dev", IDNA) == (added.file,)
    assert store.releases.metadata("ann/dev", IDNA) == {"1.0": {"summary": "y", "author": "a"}}
    assert (store.releases.holds(old.sha256), store.changes.recent(1)[0].kind) == (False, "replace")


def test_a_file_that_changes_its_release_leaves_no_empty_one(store: Store, upload: Upload) -> None:
    """A replaced file that is now of another version takes its old release along."""
    row = upload(WHEEL, b"one")
    store.releases.add_file(row, {}, volatile=True)
    store.releases.add_file(replace(upload(WHEEL, b"two"), version="1.0.0"), {}, volatile=True)
    assert list(store.releases.metadata("ann/dev", IDNA)) == ["1.0.0"]


def test_one_wins_where_many_upload_at_once(store: Store, upload: Upload) -> None:
    """The decision is inside the transaction: one is new, all others are refused."""
    rows = [upload(WHEEL, f"bytes {number}".encode()) for number in range(20)]

    def add(row: FileRow) -> str:
        try:
            return store.releases.add_file(row, {}, volatile=False).outcome.value
        except FileExists:
            return "refused"

    with ThreadPoolExecutor(20) as pool:
        outcomes = sorted(pool.map(add, rows))
    assert outcomes == ["new", *["refused"] * 19]


def test_an_index_that_is_gone_takes_no_file(store: Store, upload: Upload) -> None:
    """The index may be deleted while a file is on its way."""
    with pytest.raises(IndexNotFound):
        store.releases.add_file(upload(WHEEL, b"one", index="ann/gone"), {}, volatile=True)


def test_the_last_file_takes_its_release_along(store: Store, upload: Upload) -> None:
    """By file, by release, by project; what was deleted is returned and remembered."""
    one, two, three = upload(WHEEL, b"1"), upload(SDIST, b"2"), upload("idna-2.0-py3-none-any.whl", b"3")
    for row in (one, two, three):
        store.releases.add_file(row, {}, volatile=True)
    assert store.releases.remove_files("ann/dev", IDNA, "1.0", one.filename, by="ann") == (one,)
    assert sorted(store.releases.metadata("ann/dev", IDNA)) == ["1.0", "2.0"]
    assert store.releases.remove_files("ann/dev", IDNA, "1.0", None) == (two,)
    assert list(store.releases.metadata("ann/dev", IDNA)) == ["2.0"]
    assert store.releases.remove_files("ann/dev", IDNA, None, None) == (three,)
    assert (store.releases.projects("ann/dev"), store.releases.remove_files("ann/dev", IDNA, None, None)) == ((), ())
    assert [store.releases.was_deleted("ann/dev", row.filename) for row in (one, two, three)] == [True] * 3
    assert store.releases.was_deleted("ann/prod", one.filename) is False
    assert store.releases.was_deleted("ann/dev", Filename("other-1.0.zip")) is False


def test_a_release_is_yanked_and_back(store: Store, upload: Upload) -> None:
    """All its files, and those that come later; None takes it back."""
    one, two = upload(WHEEL, b"1"), upload(SDIST, b"2")
    store.releases.add_file(one, {}, volatile=True)
    assert store.releases.set_yanked("ann/dev", IDNA, "1.0", "") == 1
    assert store.releases.add_file(two, {}, volatile=True).file == replace(two, yanked="")
    assert store.releases.set_yanked("ann/dev", IDNA, "1.0", "broken") == 2
    assert [row.yanked for row in store.releases.files("ann/dev", IDNA)] == ["broken", "broken"]
    assert store.releases.set_yanked("ann/dev", IDNA, "1.0", None) == 2
    assert [row.yanked for row in store.releases.files("ann/dev", IDNA)] == [None, None]
    assert store.releases.set_yanked("ann/dev", IDNA, "9.9", "no such") == 0
    assert [change.kind for change in store.changes.recent(4)] == ["unyank", "yank", "upload", "yank"]


def test_a_deleted_index_says_which_bytes_nobody_needs(store: Store, upload: Upload) -> None:
    """Files that another index has as well stay."""
    shared, own = upload(WHEEL, b"shared"), upload(SDIST, b"own")
    for row in (shared, own, replace(shared, index="ann/prod")):
        store.releases.add_file(row, {}, volatile=True)
    assert store.indexes.delete("ann/dev") == (own.sha256,)
    assert (store.releases.files("ann/dev", IDNA), store.releases.projects("ann/dev")) == ((), ())
    assert store.releases.all_hashes() == {shared.sha256: 6}
