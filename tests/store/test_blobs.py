"""Package files by content."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

import pytest

from localpi.errors import DigestMismatch, DiskFull
from localpi.simple.names import Sha256, check_sha256
from localpi.store.blobs import Blobs
from made.disks import other_disk, small_disk

if TYPE_CHECKING:
    from pathlib import Path


def keep(blobs: Blobs, body: bytes) -> Sha256:
    with blobs.receive() as receiving:
        receiving.write(body)
        return receiving.finish()


def test_a_file_is_kept_under_its_digest(blobs: Blobs) -> None:
    """Path, size, bytes and listing agree."""
    sha256 = keep(blobs, b"wheel")
    assert sha256 == hashlib.sha256(b"wheel").hexdigest()
    assert blobs.path(sha256) == blobs.root / sha256[:2] / sha256[2:]
    file = blobs.open(sha256)
    assert file is not None
    with file:
        assert file.read() == b"wheel"
    assert (blobs.has(sha256), list(blobs.all())) == (5, [(sha256, 5)])


def test_what_is_not_here_is_none(blobs: Blobs) -> None:
    """A file deleted by hand is not here, and no error."""
    sha256 = keep(blobs, b"wheel")
    blobs.path(sha256).unlink()
    assert (blobs.has(sha256), blobs.open(sha256), blobs.remove(sha256), list(blobs.all())) == (None, None, False, [])


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_only_digests_make_paths(blobs: Blobs, name: str) -> None:
    """No path is made of anything but 64 lower-case hex digits."""
    with pytest.raises(ValueError, match="sha256"):
        blobs.path(name)  # type: ignore[arg-type]  # that is the point


def test_the_owner_alone_may_read(blobs: Blobs) -> None:
    """Folders are 0700 and files 0600, whatever the umask."""
    before = os.umask(0)
    try:
        path = blobs.path(keep(blobs, b"wheel"))
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (blobs.root, blobs.incoming, path.parent, path)]
    assert modes == [0o700, 0o700, 0o700, 0o600]


def test_the_same_bytes_twice_are_one_file(blobs: Blobs) -> None:
    """A second arrival replaces the first with the same."""
    assert keep(blobs, b"wheel") == keep(blobs, b"wheel")
    assert len(list(blobs.all())) == 1


def test_sweep_empties_incoming_only(blobs: Blobs) -> None:
    """What a crash left goes, what was kept stays."""
    sha256 = keep(blobs, b"wheel")
    (blobs.incoming / "leftover").write_bytes(b"half")
    (blobs.root / "README").write_text("a stranger")
    assert (blobs.sweep(), list(blobs.incoming.iterdir()), list(blobs.all())) == (1, [], [(sha256, 5)])


def test_a_full_disk_leaves_nothing(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room at fsync is DiskFull, and the file is not there."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    receiving = blobs.receive()
    receiving.write(b"wheel")
    with pytest.raises(DiskFull):
        receiving.finish()
    assert (list(blobs.all()), list(blobs.incoming.iterdir()), type(receiving.error)) == ([], [], DiskFull)
    assert blobs.remove(check_sha256("0" * 64)) is False


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110 - a device
def test_a_write_that_finds_no_room_is_disk_full(blobs: Blobs) -> None:
    """What the system refuses for lack of room is DiskFull, and nothing remains."""
    receiving = blobs.receive()
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, receiving._descriptor)
    os.close(full)
    with pytest.raises(DiskFull):
        receiving.write(b"x")
    receiving.close()
    assert (receiving.received, list(blobs.incoming.iterdir())) == (0, [])


def test_a_file_moves_to_another_file_system_and_back(tmp_path: Path, blobs: Blobs) -> None:
    """It is copied, checked, and only then removed; who reads it meanwhile reads on."""
    with other_disk(tmp_path) as disk:
        other = Blobs(disk / "files")
        body = os.urandom(3_000_000)
        sha256 = keep(blobs, body)
        reading = blobs.open(sha256)
        assert reading is not None
        with reading:
            blobs.move(sha256, other)
            assert (blobs.has(sha256), other.has(sha256)) == (None, len(body))
            assert reading.read() == body
        assert stat.S_IMODE(other.path(sha256).stat().st_mode) == 0o600
        other.move(sha256, blobs)
        assert (blobs.has(sha256), other.has(sha256)) == (len(body), None)
        assert blobs.path(sha256).read_bytes() == body
        assert [*blobs.incoming.iterdir(), *other.incoming.iterdir()] == []
        with pytest.raises(FileNotFoundError):
            other.move(sha256, blobs)


def test_a_damaged_file_does_not_move_to_another_file_system(tmp_path: Path, blobs: Blobs) -> None:
    """What its name does not fit stays where it is, and nothing is left on the other side."""
    with other_disk(tmp_path) as disk:
        other = Blobs(disk / "files")
        sha256 = keep(blobs, b"wheel")
        blobs.path(sha256).write_bytes(b"whale")
        with pytest.raises(DigestMismatch):
            blobs.move(sha256, other)
        assert (blobs.has(sha256), list(other.all()), list(other.incoming.iterdir())) == (5, [], [])


def test_a_file_for_which_the_other_disk_has_no_room_stays(tmp_path: Path, blobs: Blobs) -> None:
    """DiskFull, and nothing has happened."""
    with small_disk(tmp_path / "small", "1m") as disk:
        other = Blobs(disk / "files")
        sha256 = keep(blobs, os.urandom(2_000_000))
        with pytest.raises(DiskFull):
            blobs.move(sha256, other)
        assert (blobs.has(sha256), list(other.all()), list(other.incoming.iterdir())) == (2_000_000, [], [])
