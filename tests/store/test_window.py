"""Files that find no room: whole at those who read them, checked, bounded in memory, never kept."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable

import pytest

from localpi.errors import DigestMismatch, DiskFull, TransferBroken
from localpi.simple.names import check_sha256
from localpi.store import window
from localpi.store.blobs import Blobs
from localpi.store.growing import Growing
from localpi.store.receiving import Receiving

DATA = hashlib.shake_256(b"wheel").digest(3_000_000)
HASH = check_sha256(hashlib.sha256(DATA).hexdigest())
PIECE = 100_000


def feed(receiving: Receiving, start: int = 0, data: bytes = DATA) -> threading.Thread:
    """Write the rest on a thread, as a download does."""

    def write() -> None:
        try:
            for at in range(start, len(data), PIECE):
                receiving.write(data[at : at + PIECE])
            receiving.finish()
        except Exception as error:  # noqa: BLE001 -- as a download: what broke it is told to the readers
            receiving.fail(error)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def drain(reader: Growing, most: int = 1 << 30) -> bytes:
    """Read until there is no more, as the serving loop does."""
    got = bytearray()
    until = time.monotonic() + 20
    most = min(most, reader._length - reader.tell())
    while len(got) < most and not reader.broken():
        piece = reader.read(min(65_536, most - len(got)))
        reader.seek(-len(piece), os.SEEK_CUR)  # as waitress: what a socket took is skipped afterwards
        reader.seek(len(piece), os.SEEK_CUR)
        got += piece
        assert time.monotonic() < until
    return bytes(got)


def begin(blobs: Blobs, on_disk: int) -> Receiving:
    """A transfer that goes through memory from the start, or behind its first bytes."""
    if not on_disk:
        return blobs.pass_through(expected=HASH, size=len(DATA))
    receiving = blobs.receive(expected=HASH, size=len(DATA))
    receiving.write(DATA[:on_disk])
    receiving.pass_on()
    return receiving


@pytest.mark.parametrize("on_disk", [0, 700_000])
def test_every_reader_gets_the_file_and_nothing_is_kept(blobs: Blobs, on_disk: int) -> None:
    """Two whole readers and a part, from one transfer; the folders are empty afterwards."""
    receiving = begin(blobs, on_disk)
    readers = [receiving.open_reader(), receiving.open_reader(), receiving.open_reader().part(650_000, 100_000)]
    found: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda n=n, reader=reader: (found.update({n: drain(reader)}), reader.close()))
        for n, reader in enumerate(readers)
    ]
    writer = feed(receiving, on_disk)
    for thread in threads:
        thread.start()
    for thread in (writer, *threads):
        thread.join(20)
    assert found == {0: DATA, 1: DATA, 2: DATA[650_000:750_000]}
    assert (receiving.verified, receiving.stored, receiving.error) == (True, False, None)
    receiving.close()
    assert [path for path in blobs.root.parent.rglob("*") if path.is_file()] == []
    assert blobs.under_way == set()


def test_memory_is_bounded_by_the_slowest_reader(blobs: Blobs) -> None:
    """Nothing more is taken than the window holds until somebody reads on; late comers can join until then."""
    receiving = begin(blobs, 0)
    writer = feed(receiving)
    wait_for(lambda: receiving.received == 1_000_000)  # ten pieces: an eleventh has no room
    first = receiving.open_reader()
    assert drain(first, 10) == DATA[:10]
    assert receiving.window is not None
    assert (receiving.received, receiving.window.is_whole) == (1_000_000, True)
    assert drain(first) == DATA[10:]
    writer.join(20)
    late = receiving.open_reader()
    assert (receiving.window.is_whole, late.broken(), late.read(10)) == (False, True, b"")


def test_a_small_file_can_be_had_after_it_has_come(blobs: Blobs) -> None:
    """Who asked comes back later than the end of a transfer that fits the window."""
    body = b"small"
    receiving = blobs.pass_through(expected=None, size=len(body))
    feed(receiving, data=body).join(20)
    assert [drain(receiving.open_reader()) for _ in range(2)] == [body, body]


def test_a_wrong_file_never_completes(blobs: Blobs) -> None:
    """The last byte is held back here too."""
    wrong = DATA[:-1] + b"!"
    receiving = blobs.pass_through(expected=HASH, size=len(wrong))
    reader = receiving.open_reader()
    writer = feed(receiving, data=wrong)
    got = drain(reader)
    assert wrong.startswith(got)
    assert len(got) < len(wrong)
    writer.join(20)
    assert (reader.broken(), type(receiving.error)) == (True, DigestMismatch)


@pytest.mark.parametrize("same", [True, False])
def test_a_source_that_begins_again(blobs: Blobs, same: bool) -> None:
    """What was handed on is not handed on twice; another file breaks the transfer off."""
    receiving = begin(blobs, 0)
    reader = receiving.open_reader()
    receiving.write(DATA[:500_000])
    receiving.restart()
    again = DATA if same else b"!" + DATA[1:]
    writer = feed(receiving, data=again)
    got = drain(reader)
    writer.join(20)
    if same:
        assert (got, receiving.error) == (DATA, None)
    else:
        assert (len(got) < len(DATA), type(receiving.error)) == (True, TransferBroken)


def test_without_readers_it_ends(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer that nobody reads is given up."""
    monkeypatch.setattr(window, "ALONE_S", 0.05)
    receiving = begin(blobs, 0)
    feed(receiving).join(20)
    assert isinstance(receiving.error, TransferBroken)


def test_one_that_takes_nothing_is_given_up_for_the_others(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick reader gets its file, the stalled one breaks off."""
    monkeypatch.setattr(window, "LAGGARD_S", 0.05)
    receiving = begin(blobs, 0)
    stalled, quick = receiving.open_reader(), receiving.open_reader()
    writer = feed(receiving)
    assert drain(quick) == DATA
    writer.join(20)
    assert (stalled.broken(), receiving.verified) == (True, True)


def test_a_file_of_unknown_length_cannot_pass(blobs: Blobs) -> None:
    """Nobody can read it before its end."""
    with blobs.receive() as receiving, pytest.raises(DiskFull):
        receiving.pass_on()


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.002)
