"""Files that are still coming, files that never will, large files, ranges."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from localpi.errors import DigestMismatch, Truncated
from localpi.simple.names import Sha256, check_sha256
from made.loops import Client, Serving, ready, serving, wait_for, whole, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from localpi.store.blobs import Blobs

DATA = b"0123456789abcdef" * 4096  # 64 KB


def sha256(data: bytes) -> Sha256:
    return check_sha256(hashlib.sha256(data).hexdigest())


def test_cold_file_streams_while_it_is_stored(served: Serving, blobs: Blobs) -> None:
    """What has come goes out at once; no thread is held; the last byte goes out when the digest is right."""
    receiving = blobs.receive(expected=sha256(DATA), size=len(DATA))
    served.application.routes["/file"] = wrapped(receiving.open_reader, len(DATA))
    with served.connect() as client:
        client.send("/file")
        assert client.head()[1]["content-length"] == str(len(DATA))
        receiving.write(DATA[:1000])
        first = client.read(1000)
        wait_for(lambda: served.loop.workers.active_count == 0)
        receiving.write(DATA[1000:])
        most = client.read(len(DATA) - 1001)
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(10)
        receiving.finish()
        last = client.socket.recv(10)
        served.application.routes["/next"] = whole(b"same connection")
        client.socket.sendall(b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n")
        following = b""
        while not following.endswith(b"same connection"):
            following += client.socket.recv(10_000)

    assert first + most + last == DATA
    assert following.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("there", [0, 10, len(DATA)])
def test_broken_file_closes_the_connection_short_of_its_end(served: Serving, blobs: Blobs, there: int) -> None:
    """A client never holds a whole file that is wrong, however much of it had come."""
    receiving = blobs.receive(expected=sha256(b"other"), size=len(DATA))
    served.application.routes["/file"] = wrapped(receiving.open_reader, len(DATA))
    with served.connect() as client:
        client.send("/file")
        client.head()
        receiving.write(DATA[:there])
        if there == len(DATA):
            with pytest.raises(DigestMismatch):
                receiving.finish()
        else:
            receiving.fail(Truncated(there, len(DATA)))
        body = client.rest()

    assert DATA.startswith(body)
    assert len(body) < len(DATA)


def test_starving_files_are_looked_at_every_ten_milliseconds(served: Serving, blobs: Blobs) -> None:
    """Twenty pieces that come one after the other are not twenty seconds late."""
    receiving = blobs.receive(size=21)
    served.application.routes["/file"] = wrapped(receiving.open_reader, 21)
    with served.connect() as client:
        client.send("/file")
        client.head()
        started = time.monotonic()
        for _ in range(20):
            receiving.write(b"x")
            if receiving.received > 1:
                assert client.read(1) == b"x"
        took = time.monotonic() - started
        receiving.close()

    assert took < 2.0


def test_starving_client_that_hangs_up_is_let_go(served: Serving, blobs: Blobs) -> None:
    """Its connection and its end of the file are closed though nothing can be sent to it."""
    receiving = blobs.receive(size=10)
    readers: list[Any] = []

    def open_reader() -> Any:
        readers.append(receiving.open_reader())
        return readers[-1]

    served.application.routes["/file"] = wrapped(open_reader, 10)
    client = served.connect()
    client.send("/file").head()
    client.close()
    wait_for(lambda: not served.loop.channels())
    receiving.close()

    assert readers[0].closed


def test_many_starving_clients_share_a_download_and_need_no_thread(served: Serving, blobs: Blobs) -> None:
    """Forty wait for a cold file, a hit is answered between them, all get the file."""
    receiving = blobs.receive(expected=sha256(DATA), size=len(DATA))
    served.application.routes["/file"] = wrapped(receiving.open_reader, len(DATA))
    served.application.routes["/cold"] = whole(b"cold")
    clients = [served.connect().send("/file") for _ in range(40)]
    heads = [client.head()[0] for client in clients]
    with served.connect() as other:
        meanwhile = other.get("/cold")
    receiving.write(DATA)
    receiving.finish()
    bodies = {client.read(len(DATA)) for client in clients}
    for client in clients:
        client.close()

    assert heads == ["HTTP/1.1 200 OK"] * 40
    assert meanwhile == ("HTTP/1.1 200 OK", b"cold")
    assert bodies == {DATA}


def test_range_is_a_seeked_file_of_limited_length(served: Serving, tmp_path: Path) -> None:
    """Content-Length says where it ends; the connection goes on after it."""
    path = tmp_path / "file"
    path.write_bytes(DATA)

    def part(environ: dict[str, Any], start_response: Any) -> Any:
        file = path.open("rb", buffering=0)
        file.seek(100)
        start_response("206 Partial Content", [("Content-Length", "50"), ("Content-Range", "bytes 100-149/65536")])
        return environ["wsgi.file_wrapper"](file)

    served.application.routes["/part"] = part
    with served.connect() as client:
        answers = [client.get("/part"), client.get("/part")]

    assert answers == [("HTTP/1.1 206 Partial Content", DATA[100:150])] * 2


def test_file_that_was_cut_under_us_closes_the_connection(served: Serving, tmp_path: Path) -> None:
    """Neither does the client wait for the rest, nor does the loop spin on it."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 20_000_000)

    def open_file() -> io.FileIO:
        return io.FileIO(path)

    served.application.routes["/file"] = wrapped(open_file, 20_000_000)
    with served.connect(buffer=8192) as client:
        client.send("/file").head()
        path.write_bytes(b"")
        assert len(client.rest()) < 20_000_000


def test_a_turn_sends_a_megabyte_at_most(served: Serving, tmp_path: Path) -> None:
    """Eight clients that read a large file as fast as they can do not hold up a hit."""
    size = 300_000_000
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(size)
    served.application.routes["/large"] = wrapped(lambda: io.FileIO(path), size)
    served.application.hot["/hot"] = ready(b"hot")
    counts = [0] * 4
    most = [0]

    def read_all(number: int) -> None:
        with served.connect() as client:
            client.send("/large").head()
            while data := client.socket.recv(1 << 20):
                counts[number] += len(data)
                most[0] = max(most[0], *(count - min(counts) for count in counts))
                if counts[number] > size // 2:
                    return

    threads = [threading.Thread(target=read_all, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    waits = []
    with served.connect() as client:
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            assert client.get("/hot")[1] == b"hot"
            waits.append(time.monotonic() - began)
    for thread in threads:
        thread.join()

    assert sorted(waits)[len(waits) // 2] < 0.1  # 25 ms here with two cores for all of it; a whole file is 300


def test_slow_reader_does_not_hold_a_worker(blobs: Blobs) -> None:
    """Ready bytes go out by a file, so one worker serves many clients who do not read."""
    page = bytes(4_000_000)
    assert blobs.has(sha256(page)) is None
    with serving(threads=1) as running:
        running.application.routes["/big"] = wrapped(lambda: io.BytesIO(page), len(page))
        running.application.routes["/small"] = whole(b"small")
        readers = [Client(running.address, buffer=8192).send("/big") for _ in range(10)]
        wait_for(lambda: len(running.application.threads("/big")) == 10)
        with running.connect() as client:
            assert client.get("/small")[1] == b"small"
        bodies = {reader.answer()[1] for reader in readers}
        for reader in readers:
            reader.close()

    assert bodies == {page}
