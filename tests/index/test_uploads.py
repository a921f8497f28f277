"""Uploads: what is kept, what is refused, and that refused ones leave nothing behind."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest

from localpi.errors import (
    FileExists,
    IndexNotFound,
    InvalidName,
    InvalidUpload,
    LocalpiError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    TooLarge,
)
from localpi.index.permissions import ANONYMOUS, OWNER, REJECTED, Principal
from localpi.index.stage_pages import stage_page
from localpi.simple.names import check_filename, check_sha256, normalize
from localpi.store.releases import FileRow, Outcome
from made.rooms import START_US, MadeRooms
from made.wheels import core_metadata, make_sdist, make_wheel, wheel_metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.index.uploads import Accepted
    from localpi.store import Store

ROOT = Principal("root", "user")
FOO = normalize("foo")
WHEEL = make_wheel("foo", "1.0", requires_python=">=3.8")
SDIST = make_sdist("foo", "1.0")


def form(name: str = "foo", version: str = "1.0", **extra: str) -> dict[str, Sequence[str]]:
    """Make the fields that twine sends."""
    fields = {":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": name}
    return {key: [value] for key, value in (fields | {"version": version} | extra).items()}


def upload(
    rooms: MadeRooms,
    file: tuple[str, bytes] = WHEEL,
    fields: dict[str, Sequence[str]] | None = None,
    *,
    index: str = "root/local",
    who: Principal = ROOT,
) -> Accepted:
    """Send a file as the web room does."""
    filename, content = file
    filetype = "bdist_wheel" if filename.endswith(".whl") else "sdist"
    receiving = rooms.uploads.receive(len(content))
    receiving.write(content)
    return rooms.uploads.accept(index, who, fields or form(filetype=filetype), filename, receiving)


def kept(store: Store) -> set[str]:
    """Return the hashes of all uploaded files on disk, and the names of all that was left half."""
    return {sha256 for sha256, _ in store.uploads.all()} | {path.name for path in store.uploads.incoming.iterdir()}


def sha(content: bytes) -> str:
    """Return the sha256."""
    return hashlib.sha256(content).hexdigest()


def test_wheel_is_kept_with_what_it_says(rooms: MadeRooms) -> None:
    """The row has the wheel's own metadata, the file is under its hash, the project's stamp has changed."""
    before = rooms.stamps.get(FOO)
    accepted = upload(rooms, fields=form(filetype="bdist_wheel", sha256_digest=sha(WHEEL[1]), summary="Foo"))
    assert accepted.outcome is Outcome.NEW
    (row,) = rooms.store.releases.files("root/local", FOO)
    assert row == accepted.row
    assert (row.filename, row.sha256, row.size) == (WHEEL[0], sha(WHEEL[1]), len(WHEEL[1]))
    assert (row.project, row.version, row.filetype) == ("foo", "1.0", "bdist_wheel")
    assert (row.requires_python, row.uploaded_by, row.yanked) == (">=3.8", "root", None)
    assert row.uploaded_us >= START_US
    assert row.core_metadata == wheel_metadata(WHEEL[1])
    assert kept(rooms.store) == {row.sha256}
    assert rooms.stamps.get(FOO) != before
    assert rooms.store.releases.metadata("root/local", FOO)["1.0"]["summary"] == "Foo"


def test_sdist_beside_its_wheel(rooms: MadeRooms) -> None:
    """Files of one release stand side by side; an sdist has no core metadata of its own."""
    upload(rooms)
    assert upload(rooms, SDIST).row.core_metadata is None
    assert {row.filename for row in rooms.store.releases.files("root/local", FOO)} == {WHEEL[0], SDIST[0]}


def test_same_bytes_again_change_nothing(rooms: MadeRooms) -> None:
    """The same file is accepted again on any stage, and not even its metadata changes."""
    rooms.registry.modify(OWNER, "root/local", {"volatile": False})
    first = upload(rooms)
    again = upload(rooms, fields=form(filetype="bdist_wheel", summary="changed"))
    assert again.outcome is Outcome.SAME
    assert rooms.store.releases.files("root/local", FOO) == (first.row,)
    assert "changed" not in str(rooms.store.releases.metadata("root/local", FOO))
    assert kept(rooms.store) == {first.row.sha256}


def test_other_bytes_on_a_firm_stage(rooms: MadeRooms) -> None:
    """Other bytes under a name that is taken are refused with the command that would work, and are gone."""
    rooms.registry.modify(OWNER, "root/local", {"volatile": False})
    first = upload(rooms)
    other = WHEEL[0], make_wheel("foo", "1.0", filler=10)[1]
    with pytest.raises(FileExists) as refused:
        upload(rooms, other)
    assert refused.value.message == f"{WHEEL[0]} already exists in non-volatile index"
    assert "localpi index set root/local volatile=true" in refused.value.hint
    assert rooms.store.releases.files("root/local", FOO) == (first.row,)
    assert kept(rooms.store) == {first.row.sha256}


def test_other_bytes_on_a_volatile_stage(rooms: MadeRooms) -> None:
    """Other bytes replace the file, and the old ones go unless another index holds them."""
    rooms.registry.create(OWNER, "root/copy", {})
    upload(rooms)
    upload(rooms, index="root/copy")
    other = WHEEL[0], make_wheel("foo", "1.0", filler=10)[1]
    assert upload(rooms, other).outcome is Outcome.REPLACED
    assert kept(rooms.store) == {sha(WHEEL[1]), sha(other[1])}
    assert upload(rooms, other, index="root/copy").outcome is Outcome.REPLACED
    assert kept(rooms.store) == {sha(other[1])}


@pytest.mark.parametrize(
    ("index", "who", "error"),
    [
        ("root/local", ANONYMOUS, NotAuthenticated),
        ("root/local", REJECTED, NotAuthenticated),
        ("root/local", Principal("alice", "user"), NotAllowed),
        ("root/local", Principal("root", "token", "read"), NotAllowed),
        ("root/pypi", ANONYMOUS, NotFound),
        ("root/nosuch", ROOT, IndexNotFound),
    ],
)
def test_who_may_not_leaves_nothing(rooms: MadeRooms, index: str, who: Principal, error: type[LocalpiError]) -> None:
    """Permission is asked before the body and again before anything is kept."""
    with pytest.raises(error):
        rooms.uploads.check(index, who)
    with pytest.raises(error):
        upload(rooms, index=index, who=who)
    assert kept(rooms.store) == set()


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        (WHEEL, form(filetype="bdist_wheel", sha256_digest="0" * 64)),
        (WHEEL, form(filetype="bdist_wheel", md5_digest="0" * 32)),
        (WHEEL, form(filetype="bdist_wheel", blake2_256_digest="0" * 64)),
        (WHEEL, form(version="2.0", filetype="bdist_wheel")),
        (WHEEL, form(name="bar", filetype="bdist_wheel")),
        (("foo-1.0-py3-none-any.whl", WHEEL[1][:-30]), None),
        (("foo-1.0-py3-none-any.whl", b"not a zip"), None),
        (("foo-1.0-py3-none-any.whl", b""), None),
        (("foo-1.0.tar.gz", SDIST[1][:60]), None),
        (SDIST, form(filetype="bdist_wheel")),
        (make_wheel("foo", "1.0", metadata=core_metadata("bar", "1.0")), None),
        (make_wheel("foo", "1.0", metadata=core_metadata("foo", "2.0")), None),
        (make_wheel("foo", "1.0", extra={"../evil": b""}), None),
        (make_wheel("foo", "1.0", metadata=b"Metadata-Version: 2.1\nX: " + b"a" * 9_000_000), None),
        (("../foo-1.0.tar.gz", SDIST[1]), None),
        (("foo-1.0.exe", b"MZ"), None),
    ],
)
def test_bad_files_leave_nothing(
    rooms: MadeRooms, file: tuple[str, bytes], fields: dict[str, Sequence[str]] | None
) -> None:
    """Wrong digests, names, archives and metadata are refused; neither row nor byte of them stays."""
    before = rooms.stamps.get(FOO)
    with pytest.raises((InvalidUpload, InvalidName)):
        upload(rooms, file, fields)
    assert kept(rooms.store) == set()
    assert rooms.store.releases.projects("root/local") == ()
    assert rooms.stamps.get(FOO) == before


def test_too_large_is_said_at_once(rooms: MadeRooms) -> None:
    """A length beyond the limit is refused before the first byte."""
    with pytest.raises(TooLarge):
        rooms.uploads.receive(1 << 50)
    assert kept(rooms.store) == set()


def test_failed_write_takes_its_bytes_along(rooms: MadeRooms) -> None:
    """When the row cannot be written (the index went meanwhile) the renamed file goes as well."""
    stage = rooms.uploads.check("root/local", ROOT)
    rooms.store.indexes.delete("root/local")  # behind the registry's back
    with pytest.raises(IndexNotFound):
        upload(rooms)
    assert stage.volatile
    assert kept(rooms.store) == set()


def test_uploading_and_deleting_the_same_bytes_at_once(rooms: MadeRooms) -> None:
    """However uploads and deletions of the same bytes meet, a row has its file and a file has a row."""
    names = [f"root/x{number}" for number in range(4)]
    for name in names:
        rooms.registry.create(OWNER, name, {})
    errors: list[Exception] = []

    def work(index: str) -> None:
        try:
            for _ in range(8):
                upload(rooms, index=index)
                rooms.removal.remove_project(index, OWNER, FOO)
            upload(rooms, index=index)
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert kept(rooms.store) == {sha(WHEEL[1])}
    rooms.removal.remove_project(names[0], OWNER, FOO)
    for name in names[1:]:
        rooms.registry.delete(OWNER, name)
    assert kept(rooms.store) == set()


def test_page_of_a_stage(rooms: MadeRooms) -> None:
    """The page says of each file all that PEP 691, 700 and 714 have words for."""
    row = upload(rooms).row
    sdist = upload(rooms, SDIST).row
    newer = upload(rooms, make_wheel("foo", "1.10"), form(version="1.10", filetype="bdist_wheel")).row
    rooms.removal.yank("root/local", ROOT, FOO, "1.10", "broken")
    page = stage_page(rooms.store.releases.files("root/local", FOO), "root/local", FOO)
    assert page["meta"] == {"api-version": "1.4"}
    assert (page["name"], page["versions"]) == ("foo", ["1.0", "1.10"])
    files = {file["filename"]: file for file in page["files"]}
    assert files[row.filename] == {
        "filename": WHEEL[0],
        "url": f"/root/local/+f/{row.sha256[:3]}/{row.sha256[3:16]}/{WHEEL[0]}",
        "hashes": {"sha256": row.sha256},
        "size": len(WHEEL[1]),
        "upload-time": f"2023-11-14T22:13:20.{row.uploaded_us - START_US:06}Z",
        "requires-python": ">=3.8",
        "core-metadata": {"sha256": sha(wheel_metadata(WHEEL[1]))},
    }
    assert "core-metadata" not in files[sdist.filename]
    assert files[newer.filename]["yanked"] == "broken"


def test_page_of_a_row_that_says_little() -> None:
    """What a row does not know is absent, a yank without a reason is true."""
    row = FileRow(
        index="a/b", project=FOO, version="not a version", filename=check_filename(WHEEL[0]),
        sha256=check_sha256(sha(b"")), size=0, filetype="bdist_wheel", uploaded_us=0, uploaded_by="", yanked="",
    )  # fmt: skip
    page = stage_page((row,), "a/b", FOO)
    assert page["versions"] == ["not a version"]
    assert set(page["files"][0]) == {"filename", "url", "hashes", "size", "upload-time", "yanked"}
    assert page["files"][0]["yanked"] is True
