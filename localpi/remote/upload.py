"""The legacy upload form, from a file on disk: hashed first, then sent in pieces and never held whole."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from localpi.remote.daemon import Answer, Daemon

PIECE = 256 * 1024


def upload(daemon: Daemon, index: str, file: Path, fields: Mapping[str, str | tuple[str, ...]]) -> Answer:
    """Upload `file` with the form's `fields` and its sha256; raises RemoteError, DaemonNotRunning, OSError.

    Rules: the legacy upload API, https://docs.pypi.org/api/upload/.
    """
    boundary = secrets.token_hex(16)
    size = file.stat().st_size
    head = _head({":action": "file_upload", "protocol_version": "1", **fields, **_digest(file)}, boundary, file.name)
    tail = f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + size + len(tail)),
    }
    return daemon.send(f"/{index}/", _pieces(head, file, tail), headers)


def _digest(file: Path) -> dict[str, str]:
    with file.open("rb") as source:
        return {"sha256_digest": hashlib.file_digest(source, "sha256").hexdigest()}


def _head(fields: Mapping[str, str | tuple[str, ...]], boundary: str, filename: str) -> bytes:
    parts = []
    for name, value in fields.items():
        for one in (value,) if isinstance(value, str) else value:
            disposition = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
            parts.append(disposition + one + "\r\n")
    disposition = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
    parts.append(disposition + "Content-Type: application/octet-stream\r\n\r\n")
    return "".join(parts).encode()


def _pieces(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            yield piece
    yield tail
