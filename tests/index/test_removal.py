"""Deleting and yanking on stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localpi.errors import (
    BadRequest,
    FileGone,
    FileNotHere,
    IndexNotFound,
    LocalpiError,
    NotAllowed,
    NotAuthenticated,
    ProjectNotFound,
    ReleaseNotFound,
)
from localpi.index.permissions import ANONYMOUS, OWNER, Principal
from localpi.simple.names import check_filename, normalize
from made.rooms import MadeRooms
from made.wheels import make_wheel

if TYPE_CHECKING:
    from localpi.store.releases import FileRow

ROOT = Principal("root", "user")
FOO = normalize("foo")
LOCAL = "root/local"


@pytest.fixture
def files(rooms: MadeRooms) -> dict[str, FileRow]:
    """Upload foo 1.0 as two wheels and foo 2.0.0 as one; rows by file name."""
    rows = {}
    for version, tag in (("1.0", "py3-none-any"), ("1.0", "py2-none-any"), ("2.0.0", "py3-none-any")):
        filename, content = make_wheel("foo", version, tag=tag)
        receiving = rooms.uploads.receive()
        receiving.write(content)
        fields = {":action": ["file_upload"], "name": ["foo"], "version": [version], "filetype": ["bdist_wheel"]}
        rows[filename] = rooms.uploads.accept(LOCAL, ROOT, fields, filename, receiving).row
    return rows


def names(rooms: MadeRooms) -> set[str]:
    """Return the names of all files of foo; those on disk are as many."""
    rows = rooms.store.releases.files(LOCAL, FOO)
    assert {row.sha256 for row in rows} == {sha256 for sha256, _ in rooms.store.uploads.all()}
    return {row.filename for row in rows}


def test_file_by_file(rooms: MadeRooms, files: dict[str, FileRow]) -> None:
    """A deleted file is gone; with the last of its files a release goes, with its last release the project."""
    before = rooms.stamps.get(FOO)
    for filename, row in files.items():
        removed = rooms.removal.remove_file(LOCAL, ROOT, row.sha256[:16], row.filename)
        assert [gone.filename for gone in removed] == [filename]
        assert filename not in names(rooms)
        with pytest.raises(FileGone):
            rooms.removal.remove_file(LOCAL, ROOT, row.sha256[:16], row.filename)
    assert rooms.store.releases.projects(LOCAL) == ()
    assert rooms.stamps.get(FOO) != before


def test_release(rooms: MadeRooms, files: dict[str, FileRow]) -> None:
    """All files of a release go, however its version is spelled."""
    assert len(rooms.removal.remove_release(LOCAL, ROOT, FOO, "1.0.0")) == 2
    assert names(rooms) == {"foo-2.0.0-py3-none-any.whl"}
    assert len(files) == 3
    with pytest.raises(ReleaseNotFound, match=r"The version 1\.0 of project foo does not exist\."):
        rooms.removal.remove_release(LOCAL, ROOT, FOO, "1.0")
    with pytest.raises(ReleaseNotFound):
        rooms.removal.remove_release(LOCAL, ROOT, FOO, "nonsense!")


@pytest.mark.usefixtures("files")
def test_project(rooms: MadeRooms) -> None:
    """All files of a project go, and then there is no such project."""
    assert len(rooms.removal.remove_project(LOCAL, ROOT, FOO)) == 3
    assert names(rooms) == set()
    with pytest.raises(ProjectNotFound):
        rooms.removal.remove_project(LOCAL, ROOT, FOO)
    with pytest.raises(ProjectNotFound):
        rooms.removal.remove_release(LOCAL, ROOT, FOO, "1.0")
    with pytest.raises(FileNotHere):
        rooms.removal.remove_file(LOCAL, ROOT, "0" * 16, check_filename("bar-1.0.tar.gz"))


def test_firm_stage_needs_force(rooms: MadeRooms, files: dict[str, FileRow]) -> None:
    """On a stage that is not volatile nothing is deleted without force, and yanking works."""
    rooms.registry.modify(OWNER, LOCAL, {"volatile": False})
    row = files["foo-1.0-py3-none-any.whl"]
    with pytest.raises(NotAllowed, match="cannot delete file on non-volatile index"):
        rooms.removal.remove_file(LOCAL, ROOT, row.sha256[:16], row.filename)
    with pytest.raises(NotAllowed, match="cannot delete version on non-volatile index"):
        rooms.removal.remove_release(LOCAL, ROOT, FOO, "1.0")
    with pytest.raises(NotAllowed, match="project 'foo' is on non-volatile index root/local"):
        rooms.removal.remove_project(LOCAL, ROOT, FOO)
    assert names(rooms) == set(files)
    assert rooms.removal.yank(LOCAL, ROOT, FOO, "2.0", "bad") == 1
    rooms.removal.remove_file(LOCAL, ROOT, row.sha256[:16], row.filename, force=True)
    rooms.removal.remove_release(LOCAL, ROOT, FOO, "1.0", force=True)
    rooms.removal.remove_project(LOCAL, ROOT, FOO, force=True)
    assert names(rooms) == set()


@pytest.mark.parametrize("reason", ["broken build", ""])
def test_yank_and_back(rooms: MadeRooms, files: dict[str, FileRow], reason: str) -> None:
    """A yank marks all files of a release, with a reason or without one, and can be undone."""
    stamps = {rooms.stamps.get(FOO)}
    assert rooms.removal.yank(LOCAL, ROOT, FOO, "1.0", reason) == 2
    stamps.add(rooms.stamps.get(FOO))
    marks = {row.filename: row.yanked for row in rooms.store.releases.files(LOCAL, FOO)}
    assert marks == {name: reason if "1.0" in name else None for name in files}
    assert rooms.removal.yank(LOCAL, ROOT, FOO, "1.0", None) == 2
    stamps.add(rooms.stamps.get(FOO))
    assert {row.yanked for row in rooms.store.releases.files(LOCAL, FOO)} == {None}
    assert len(stamps) == 3


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("index", "who", "error"),
    [
        (LOCAL, ANONYMOUS, NotAuthenticated),
        (LOCAL, Principal("alice", "user"), NotAllowed),
        (LOCAL, Principal("root", "token", "read"), NotAllowed),
        (LOCAL, Principal("root", "token", "upload", "root/other"), NotAllowed),
        ("root/pypi", OWNER, NotAllowed),
        ("root/nosuch", OWNER, IndexNotFound),
    ],
)
def test_who_may_not(rooms: MadeRooms, index: str, who: Principal, error: type[LocalpiError]) -> None:
    """Nothing goes and nothing is marked for those who may not."""
    before = rooms.store.releases.files(LOCAL, FOO)
    for attempt in (
        lambda: rooms.removal.remove_project(index, who, FOO),
        lambda: rooms.removal.remove_release(index, who, FOO, "1.0"),
        lambda: rooms.removal.remove_file(index, who, before[0].sha256[:16], before[0].filename),
        lambda: rooms.removal.yank(index, who, FOO, "1.0", "bad"),
    ):
        with pytest.raises(error):
            attempt()
    assert rooms.store.releases.files(LOCAL, FOO) == before


@pytest.mark.usefixtures("files")
def test_reasons_are_one_short_line(rooms: MadeRooms) -> None:
    """A reason goes into pages and HTML attributes: no line breaks, no books."""
    for reason in ("a\nb", "x" * 1001):
        with pytest.raises(BadRequest):
            rooms.removal.yank(LOCAL, ROOT, FOO, "1.0", reason)
