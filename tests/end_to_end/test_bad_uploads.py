"""Uploads that must be refused: each says why in its status line, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest

from made.daemon import Daemon
from made.forms import fields_of, multipart, upload
from made.wheels import core_metadata, make_sdist, make_wheel

WHEEL, WHEEL_BYTES = make_wheel("own-thing", "1.0")
SDIST, SDIST_BYTES = make_sdist("own-thing", "1.0")


def is_clean(daemon: Daemon) -> bool:
    """Nothing is listed, nothing is stored, nothing half lies about, and the daemon's own check agrees."""
    data = daemon.home / "data"
    left = [path for folder in ("files", "incoming") for path in (data / folder).rglob("*") if path.is_file()]
    checked = daemon.request("GET", "/+admin/check", headers=daemon.owner).json()
    return not left and daemon.page("own-thing").status == 404 and checked["problems"] == []


def bomb() -> bytes:
    """A wheel whose METADATA unpacks to 300 MB."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("own_thing-1.0.dist-info/METADATA", "w") as member,
    ):
        member.write(core_metadata("own-thing", "1.0"))
        for _ in range(300):
            member.write(b" " * 1_000_000)
    return buffer.getvalue()


def sdist_bomb() -> bytes:
    """An sdist whose first member unpacks to 2 GB of zeros before its PKG-INFO comes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        member = tarfile.TarInfo("own_thing-1.0/zeros")
        member.size = 300_000_000
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def doubled() -> bytes:
    """A wheel with two METADATA members; clients may read the other one."""
    buffer = io.BytesIO(WHEEL_BYTES)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("own_thing-1.0.dist-info/METADATA", core_metadata("own-thing", "1.0"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"data": WHEEL_BYTES[:-100], "sha256_digest": hashlib.sha256(WHEEL_BYTES).hexdigest()}, 400, "sha256"),
        ({"data": WHEEL_BYTES[:-100], "sha256_digest": None}, 400, "not a valid archive"),
        ({"filename": SDIST, "data": SDIST_BYTES[:-20], "sha256_digest": None}, 400, "not a valid archive"),
        ({"sha256_digest": "0" * 64}, 400, "sha256"),
        ({"sha256_digest": "nonsense"}, 400, "sha256"),
        ({"md5_digest": "0" * 32}, 400, "md5"),
        ({"blake2_256_digest": "0" * 64}, 400, "blake2"),
        ({"name": "other"}, 400, "does not match project name"),
        ({"version": "2.0"}, 400, "does not contain version"),
        ({"name": "../../evil"}, 400, "name"),
        ({"form_name": None}, 400, "content"),
        ({"form_name": "../own_thing-1.0-py3-none-any.whl"}, 400, ""),
        ({"form_name": "..%2Fown_thing-1.0-py3-none-any.whl"}, 400, ""),
        ({"form_name": "own_thing-1.0-py3-none-any.exe"}, 400, "not a valid"),
        (
            {"filename": SDIST, "form_name": "own_thing-1.0.tar.xz", "data": SDIST_BYTES},
            400,
            "not a valid archive name",
        ),
        ({"data": make_wheel("own-thing", "1.0", metadata=core_metadata("own-thing", "2.0"))[1]}, 400, "version"),
        ({"data": make_wheel("own-thing", "1.0", metadata=core_metadata("other", "1.0"))[1]}, 400, "name"),
        ({"data": make_wheel("own-thing", "1.0", metadata=b"no metadata at all")[1]}, 400, ""),
        ({"data": b"not a zip file"}, 400, ""),
        ({"data": b""}, 400, ""),
        ({"filename": SDIST, "data": b"not a tar file"}, 400, ""),
        ({":action": "dance"}, 400, "action 'dance' not supported"),
        ({":action": None}, 400, ""),
        ({"protocol_version": "7"}, 400, "protocol"),
        ({"index": "root/nowhere"}, 404, ""),
        ({"index": "root/pypi"}, 404, "cannot submit to mirror index"),
        ({"headers": {}}, 401, ""),
    ],
)
def test_a_bad_upload_is_refused_with_its_reason(
    daemon: Daemon, changes: dict[str, object], status: int, said: str
) -> None:
    """The reason stands in the status line, where twine and uv show it."""
    arguments = {"filename": WHEEL, "data": WHEEL_BYTES, **changes}
    reply = upload(daemon, **arguments)  # type: ignore[arg-type]  # a table of keyword arguments
    assert reply.status == status, reply
    assert said in reply.reason, reply.reason
    assert b"Traceback" not in reply.body
    assert is_clean(daemon)


@pytest.mark.parametrize(
    ("filename", "make"), [(WHEEL, bomb), (SDIST, sdist_bomb), (WHEEL, doubled)], ids=["zip", "tar", "doubled"]
)
def test_a_bomb_is_refused_within_bounds(daemon: Daemon, filename: str, make: object) -> None:
    """What unpacks to far more than it should, or can be read in two ways, is refused."""
    reply = upload(daemon, filename, make())  # type: ignore[operator]  # one of the functions above
    assert reply.status == 400, reply
    assert is_clean(daemon)


def test_an_oversized_upload_is_refused(tmp_path: Path) -> None:
    """Beyond `upload.max_size` it is 413: before the body is sent where its length says so, else when it is known."""
    with Daemon(tmp_path / "small", LOCALPI_UPLOAD_MAX_SIZE="100000") as daemon:
        name, data = make_wheel("own-thing", "1.0", filler=300_000)
        reply = upload(daemon, name, data)
        assert reply.status == 413, reply
        assert "100,000" in reply.reason
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as connection:
            head = (
                "POST /root/local/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                f"Authorization: {daemon.owner['Authorization']}\r\nContent-Length: 20000000\r\n\r\n"
            )
            connection.sendall(head.encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")
        assert is_clean(daemon)


def test_an_upload_that_breaks_off_leaves_nothing(daemon: Daemon) -> None:
    """A client that goes away in the middle of its upload is forgotten."""
    name, data = make_wheel("own-thing", "1.0", filler=2_000_000)
    body, content_type = multipart(fields_of(name, data), name, data)
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as connection:
        head = (
            f"POST /root/local/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
            f"Authorization: {daemon.owner['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[: len(body) // 2])
    assert daemon.get("/+health").status == 200
    assert is_clean(daemon)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/root/new", b"{"),
        ("PUT", "/root/new", b"[]"),
        ("PATCH", "/root/local", b'"x"'),
        ("PATCH", "/root/local", b"[1]"),
        ("PATCH", "/root/local", b'["nonsense"]'),
        ("PATCH", "/root/local", b'{"bases": {"a": 1}}'),
        ("PATCH", "/root/local", b'["bases=root/nowhere"]'),
        ("POST", "/+login", b"{}"),
        ("POST", "/+login", b"\xff\xfe"),
    ],
)
def test_malformed_json_is_a_clear_400(daemon: Daemon, method: str, path: str, body: bytes) -> None:
    """Nothing changes, and the message is JSON."""
    before = daemon.request("GET", "/root/local", headers={"Accept": "application/json"}).json()
    headers = {**daemon.owner, "Content-Type": "application/json"}
    reply = daemon.request(method, path, headers=headers, body=body)
    assert reply.status == 400, reply
    assert reply.json()["message"]
    assert daemon.request("GET", "/root/local", headers={"Accept": "application/json"}).json() == before
