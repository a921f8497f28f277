"""The application on a socket, and a client for it."""

from __future__ import annotations

import base64
import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localpi.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.index.library import Library

SECRET = "the owner's secret"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
SITE = Site(version="9.9", host="127.0.0.1", port=3141)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read whole; header names in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Served:
    """A library behind the application, on a socket."""

    library: Library
    address: tuple[str, int]

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        data: object = None,
        owner: bool = False,
        user: tuple[str, str] | None = None,
    ) -> Reply:
        """Send one request on a connection of its own; `data` is sent as JSON."""
        sent = dict(headers or {})
        if data is not None:
            body = json.dumps(data).encode()
            sent.setdefault("Content-Type", "application/json")
        if owner:
            sent["Authorization"] = f"Bearer {SECRET}"
        if user is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        with closing(http.client.HTTPConnection(*self.address, timeout=30)) as connection:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            read = answer.read()
            return Reply(answer.status, answer.reason, {k.lower(): v for k, v in answer.getheaders()}, read)

    def page(self, path: str, **headers: str) -> Reply:
        """Ask for a page as pip does."""
        return self.ask("GET", path, {"Accept": SIMPLE_JSON, **headers})

    def upload(self, path: str, filename: str, content: bytes, *, owner: bool = True, **fields: str) -> Reply:
        """Upload a file as twine does."""
        body, kind = multipart({":action": "file_upload", "protocol_version": "1", **fields}, filename, content)
        return self.ask("POST", path, {"Content-Type": kind}, body=body, owner=owner)


def multipart(fields: Mapping[str, str], filename: str | None, content: bytes) -> tuple[bytes, str]:
    """Make a form and its content type."""
    parts = [
        f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    body = "".join(parts).encode()
    if filename is not None:
        head = f'--XX\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + b"--XX--\r\n", "multipart/form-data; boundary=XX"
