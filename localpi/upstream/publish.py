"""Uploads to another index: the legacy upload API as twine speaks it (PyPI's documentation, api/upload)."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Final

import requests

from localpi.upstream.mirror import origin_of
from localpi.upstream.outcomes import Unreachable
from localpi.upstream.publication import Published
from localpi.upstream.trouble import FAILURES, failure

if TYPE_CHECKING:
    from localpi.upstream.deadline import Deadline
    from localpi.upstream.publication import Publication
    from localpi.upstream.wire import Wire

_SAID: Final = 2_000
"""Bytes of a refusal's body that are looked at."""


class _Body:
    """A form as http.client sends it: read in pieces, its length known. No file is held in memory."""

    def __init__(self, publication: Publication, boundary: str) -> None:
        self._head = memoryview(_head(publication, boundary))
        end = "\r\n" if publication.file is not None else ""
        self._tail = memoryview(f"{end}--{boundary}--\r\n".encode())
        self._file, self._size = publication.file, publication.size
        self._at = 0

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def read(self, most: int = -1) -> bytes:
        """Give the next bytes."""
        most = 1 << 18 if most < 0 else most
        head, tail_at = len(self._head), len(self._head) + self._size
        if self._at < head:
            piece = bytes(self._head[self._at : self._at + most])
        elif self._at < tail_at and self._file is not None:
            piece = self._file.read(min(most, tail_at - self._at))
        else:
            piece = bytes(self._tail[self._at - tail_at :][:most])
        self._at += len(piece)
        return piece


def publish(wire: Wire, publication: Publication, deadline: Deadline) -> Published | Unreachable:
    """Send the form and say what came back; a redirect is a refusal, since it would lose the body."""
    try:
        where = str(origin_of(publication.url))
    except ValueError:
        return Unreachable("broken", "the URL to publish to is no web address")
    boundary = secrets.token_hex(16)
    credential = base64.b64encode(f"{publication.username}:{publication.password}".encode()).decode()
    headers = {
        "Accept": "*/*",
        "Authorization": f"Basic {credential}",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    asked = requests.Request("POST", publication.url, headers=headers, data=_Body(publication, boundary))
    response = wire.post(asked, deadline)
    if isinstance(response, Unreachable):
        return response
    try:
        said = response.read(_SAID).decode("utf-8", "replace") if response.status not in (200, 201) else ""
    except FAILURES as error:
        return failure(error, where, deadline)
    finally:
        response.close()
    reason = response.reason or ""
    return Published(response.status, "" if response.status in (200, 201) else (said.strip() or reason)[:500])


def _head(publication: Publication, boundary: str) -> bytes:
    parts = []
    for name, value in publication.fields.items():
        start = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts += [f"{start}{one}\r\n" for one in ((value,) if isinstance(value, str) else value)]
    if publication.file is not None:
        disposition = f'form-data; name="content"; filename="{publication.filename}"'
        parts.append(
            f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
    return "".join(parts).encode()
