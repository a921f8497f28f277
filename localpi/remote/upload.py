"""The legacy upload form, from a file on disk: hashed first, then sent in pieces and never held whole."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """A form that is ready to be sent."""

    headers: Mapping[str, str]
    size: int
    """Bytes of all pieces."""
    pieces: Iterator[bytes]
    """To be taken once."""


def prepare_upload(file: Path, fields: Mapping[str, str | tuple[str, ...]]) -> PreparedUpload:
    """Make the form of `file` with `fields` and its sha256; raises OSError.

    Rules: the legacy upload API (PyPI's documentation, api/upload).
    """
    boundary = secrets.token_hex(16)
    size = file.stat().st_size
    head = _head({":action": "file_upload", "protocol_version": "1", **fields, **_digest(file)}, boundary, file.name)
    tail = f"\r\n--{boundary}--\r\n".encode()
    whole = len(head) + size + len(tail)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(whole)}
    return PreparedUpload(headers, whole, _pieces(head, file, tail))


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
