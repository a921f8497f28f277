"""Both ends of a file that is being received."""

from __future__ import annotations

import gc
import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest
from waitress.buffers import ReadOnlyFileBasedBuffer  # type: ignore[import-untyped]  # waitress has no types

from localpi.errors import DigestMismatch, DiskFull, Overlong, StoreBroken, TooLarge, Truncated
from localpi.simple.names import check_sha256

if TYPE_CHECKING:
    from localpi.store.blobs import Blobs
    from localpi.store.growing import Growing
    from localpi.store.receiving import Receiving

BODY = bytes(range(256)) * 40
SHA256 = check_sha256(hashlib.sha256(BODY).hexdigest())


def state(reader: Growing) -> tuple[bool, bool]:
    return reader.starving(), reader.broken()


def begin(blobs: Blobs, **terms: object) -> Receiving:
    return blobs.receive(**({"expected": SHA256, "size": len(BODY)} | terms))  # type: ignore[arg-type]


def test_a_reader_follows_and_gets_the_last_byte_when_the_digest_is_right(blobs: Blobs) -> None:
    """The reader never waits, and the last byte comes with `finish`."""
    with begin(blobs) as receiving:
        reader = receiving.open_reader()
        assert (reader.read(), state(reader)) == (b"", (True, False))
        receiving.write(BODY[:1000])
        assert (reader.read(600), state(reader)) == (BODY[:600], (False, False))
        assert (reader.read(), state(reader)) == (BODY[600:1000], (True, False))
        receiving.write(BODY[1000:])
        assert (reader.read(), state(reader)) == (BODY[1000:-1], (True, False))
        assert receiving.finish() == SHA256
        assert (reader.read(), state(reader), reader.read()) == (BODY[-1:], (False, False), b"")
        assert (receiving.stored, receiving.verified, receiving.error) == (True, True, None)
        reader.close()
    assert blobs.path(SHA256).read_bytes() == BODY
    assert list(blobs.all()) == [(SHA256, len(BODY))]
    assert list(blobs.incoming.iterdir()) == []


def test_a_wrong_digest_never_completes_and_leaves_nothing(blobs: Blobs) -> None:
    """The last byte stays here, the reader breaks off, no file remains."""
    wrong = BODY[:-5] + b"XXXXX"
    receiving = begin(blobs)
    reader = receiving.open_reader()
    receiving.write(wrong)
    with pytest.raises(DigestMismatch) as caught:
        receiving.finish()
    assert (caught.value.expected, caught.value.found) == (SHA256, hashlib.sha256(wrong).hexdigest())
    assert (reader.read(), state(reader)) == (wrong[:-1], (True, True))
    assert (list(blobs.all()), list(blobs.incoming.iterdir())) == ([], [])
    with pytest.raises(DigestMismatch):
        receiving.open_reader()


def test_a_short_file_can_be_resumed(blobs: Blobs) -> None:
    """Truncated says how far it got and leaves the file open for the rest."""
    with begin(blobs) as receiving:
        receiving.write(BODY[:77])
        with pytest.raises(Truncated) as caught:
            receiving.finish()
        assert (caught.value.received, caught.value.total) == (77, len(BODY))
        receiving.write(BODY[77:])
        assert receiving.finish() == SHA256


@pytest.mark.parametrize(
    ("terms", "error"),
    [({}, Overlong), ({"size": None, "limit": len(BODY)}, TooLarge)],
)
def test_more_than_announced_or_allowed_is_refused(blobs: Blobs, terms: dict[str, object], error: type) -> None:
    """Not one byte beyond the total or the limit is written."""
    receiving = begin(blobs, **terms)
    receiving.write(BODY)
    with pytest.raises(error):
        receiving.write(b"!")
    receiving.close()
    assert (list(blobs.all()), list(blobs.incoming.iterdir())) == ([], [])


def test_a_total_beyond_the_limit_is_refused(blobs: Blobs) -> None:
    """A length learnt from the headers is held against the limit at once."""
    with blobs.receive(limit=10) as receiving, pytest.raises(TooLarge):
        receiving.set_total(11)


def test_no_room_is_said_before_the_first_byte(blobs: Blobs) -> None:
    """A file larger than the disk is DiskFull when it is announced."""
    with pytest.raises(DiskFull):
        blobs.receive(size=1 << 60)
    with blobs.receive() as receiving, pytest.raises(DiskFull):
        receiving.set_total(1 << 60)


def test_giving_up_breaks_the_readers_off(blobs: Blobs) -> None:
    """What was ready may still be read; then the reader is broken."""
    receiving = begin(blobs)
    receiving.write(BODY[:10])
    reader = receiving.open_reader()
    error = StoreBroken("gone")
    receiving.fail(error)
    assert (reader.broken(), reader.read(), state(reader)) == (True, BODY[:10], (True, True))
    assert (receiving.error, list(blobs.incoming.iterdir())) == (error, [])


def test_a_forgotten_transfer_is_cleaned_up(blobs: Blobs) -> None:
    """A writer that died without a word leaves no file in `incoming/`."""
    receiving = begin(blobs)
    receiving.write(BODY[:10])
    assert (len(list(blobs.incoming.iterdir())), blobs.leftovers()) == (1, [])
    del receiving
    gc.collect()
    assert list(blobs.incoming.iterdir()) == []


def test_a_restart_with_the_same_bytes_keeps_the_readers(blobs: Blobs) -> None:
    """A source that cannot resume begins anew; who has read further waits."""
    with begin(blobs) as receiving:
        receiving.write(BODY[:5000])
        reader = receiving.open_reader()
        assert reader.read() == BODY[:5000]
        receiving.restart()
        assert state(reader) == (True, False)
        receiving.write(BODY[:4000])
        assert state(reader) == (True, False)
        receiving.write(BODY[4000:])
        receiving.finish()
        assert (reader.read(), state(reader)) == (BODY[5000:], (False, False))


def test_a_restart_with_other_bytes_breaks_only_those_who_read_the_old(blobs: Blobs) -> None:
    """No client gets a mixture of two files; one that had read nothing gets the right one."""
    with begin(blobs) as receiving:
        receiving.write(b"x" * 9000)
        old, new = receiving.open_reader(), receiving.open_reader()
        assert old.read(5) == b"xxxxx"
        receiving.restart()
        receiving.write(BODY[:100])
        assert (old.read(), state(old)) == (b"", (True, True))
        receiving.write(BODY[100:])
        receiving.finish()
        assert (new.read(), state(new)) == (BODY, (False, False))
    assert blobs.has(SHA256) == len(BODY)


def test_a_restart_with_fewer_bytes_leaves_no_tail(blobs: Blobs) -> None:
    """What an earlier, longer attempt wrote is cut off."""
    with begin(blobs, size=None) as receiving:
        receiving.write(BODY + b"tail")
        receiving.restart()
        receiving.write(BODY)
        assert receiving.finish() == SHA256
    assert list(blobs.all()) == [(SHA256, len(BODY))]


def test_another_total_breaks_the_readers_that_promised_the_old(blobs: Blobs) -> None:
    """A Content-Length that was sent must not turn out wrong."""
    with begin(blobs, size=100) as receiving:
        reader = receiving.open_reader()
        receiving.set_total(len(BODY))
        receiving.write(BODY)
        receiving.finish()
        assert (reader.read(), state(reader)) == (b"", (True, True))


def test_a_range_is_a_file_of_its_own_and_ends_one_byte_short_until_verified(blobs: Blobs) -> None:
    """Ranges count from their start, and none completes before the digest is right."""
    with begin(blobs) as receiving:
        one, whole = receiving.open_reader(10, 20), receiving.open_reader()
        two = whole.part(10, 20)
        receiving.write(BODY[:15])
        assert (one.read(), two.read()) == (BODY[10:15], BODY[10:15])
        receiving.write(BODY[15:])
        assert (one.read(), state(one)) == (BODY[15:29], (True, False))
        receiving.finish()
        assert (one.read(), two.read(), state(one)) == (BODY[29:30], BODY[15:30], (False, False))
        assert (one.seek(-5, os.SEEK_END), one.read(3), one.tell(), one.seek(0)) == (15, BODY[25:28], 18, 0)
        assert receiving.open_reader(len(BODY) - 3, 100).read() == BODY[-3:]


def test_waitress_reads_it_through_its_file_buffer(blobs: Blobs) -> None:
    """Length by seeking, reads without moving on, skips: what `wsgi.file_wrapper` does."""
    with begin(blobs) as receiving:
        buffer = ReadOnlyFileBasedBuffer(receiving.open_reader())
        assert buffer.prepare() == len(BODY)
        receiving.write(BODY[:50])
        assert (buffer.get(20), buffer.get(1000)) == (BODY[:20], BODY[:50])
        buffer.skip(50, allow_prune=True)
        assert (len(buffer), buffer.get(10)) == (len(BODY) - 50, b"")
        receiving.write(BODY[50:])
        receiving.finish()
        assert buffer.get(len(BODY)) == BODY[50:]


def test_an_upload_is_looked_into_before_it_is_published(blobs: Blobs) -> None:
    """Without `commit` the file waits, with all digests, until `publish`."""
    with blobs.receive(extra=("md5", "blake2_256"), commit=False) as receiving:
        receiving.write(BODY)
        receiving.finish()
        assert receiving.digests == {
            "sha256": SHA256,
            "md5": hashlib.md5(BODY).hexdigest(),  # noqa: S324 - what is compared
            "blake2_256": hashlib.blake2b(BODY, digest_size=32).hexdigest(),
        }
        with receiving.open_file() as file:
            assert file.read() == BODY
        assert (list(blobs.all()), receiving.stored) == ([], False)
        assert receiving.publish() == receiving.publish() == SHA256
        assert list(blobs.all()) == [(SHA256, len(BODY))]
        with receiving.open_file() as file:
            assert file.read() == BODY


def test_an_upload_that_is_not_published_goes(blobs: Blobs) -> None:
    """Leaving the context throws away what was refused."""
    with blobs.receive(commit=False) as receiving:
        receiving.write(BODY)
        receiving.finish()
    assert (list(blobs.all()), list(blobs.incoming.iterdir())) == ([], [])


def test_a_reader_opened_after_the_end_reads_the_stored_file(blobs: Blobs) -> None:
    """Who comes during the second in which a finished transfer is remembered gets a plain file."""
    with begin(blobs) as receiving:
        receiving.write(BODY)
        receiving.finish()
        with receiving.open_reader() as reader:
            assert reader.read() == BODY


def test_an_empty_file_is_a_file(blobs: Blobs) -> None:
    """No bytes are complete at once."""
    with blobs.receive(size=0) as receiving:
        with receiving.open_reader() as reader:
            assert (reader.read(), state(reader)) == (b"", (False, False))
        assert receiving.finish() == hashlib.sha256().hexdigest()


def test_readers_without_a_known_length_are_refused(blobs: Blobs) -> None:
    """Such a file is waited for."""
    with blobs.receive() as receiving, pytest.raises(ValueError, match="length"):
        receiving.open_reader()


def test_many_readers_follow_one_writer(blobs: Blobs) -> None:
    """Readers on other threads, opened at any time, all get the whole file."""
    body = os.urandom(3_000_000)
    receiving = blobs.receive(expected=check_sha256(hashlib.sha256(body).hexdigest()), size=len(body))
    got: list[bytes] = []
    progress = threading.Condition()

    def follow() -> None:
        chunks: list[bytes] = []
        with receiving.open_reader() as reader:
            while len(b"".join(chunks)) < len(body):
                chunks.append(reader.read(70_000))
                if not chunks[-1]:
                    assert not reader.broken()
                    with progress:
                        progress.wait_for(lambda: not reader.starving(), timeout=30)
        got.append(b"".join(chunks))

    threads = [threading.Thread(target=follow) for _ in range(6)]
    for number, start in enumerate(range(0, len(body), 500_000)):
        threads[number].start()
        receiving.write(body[start : start + 500_000])
        with progress:
            progress.notify_all()
    receiving.finish()
    with progress:
        progress.notify_all()
    for thread in threads:
        thread.join(30)
    assert got == [body] * 6


def test_open_readers_survive_removal(blobs: Blobs) -> None:
    """A file that is deleted while it is being read is read to its end."""
    with begin(blobs) as receiving:
        reader = receiving.open_reader()
        receiving.write(BODY)
        receiving.finish()
    blobs.path(SHA256).unlink()
    assert reader.read() == BODY
