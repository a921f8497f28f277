"""An index made for tests: a threaded server on 127.0.0.1 that serves made projects, well or badly.

    with MadeUpstream() as upstream:
        upstream.add(*make_wheel("acme", "1.0"))
        upstream.fail(Drip(), at=upstream.page_path("acme"))
        ... upstream.url is the simple root ...

Every request is in `upstream.requests`; `upstream.wait_for(path, count)` waits until it came.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, unquote, urlsplit

from made.answering import Answer, Gone, bomb, send
from made.corpus import V1_JSON, MadeFile, Shows, html_list, html_page, json_list, json_page, project_of
from made.faults import (
    Encoded,
    Fault,
    GzipBomb,
    Hold,
    LoginPage,
    OtherBytes,
    PageOf,
    RedirectTo,
    Status,
    Swallow,
    Truncated,
)

if TYPE_CHECKING:
    from pathlib import Path

_LOGIN = b"<!DOCTYPE html><html><body><form action='/login'><a href='/terms.html'>Terms</a> Log in</form></body></html>"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class MadeUpstream:
    """One index; its switches are plain attributes and may be turned while it runs."""

    def __init__(
        self,
        *,
        json: bool = True,
        shows: Shows | None = None,
        etags: bool = True,
        last_modified: str | None = None,
        max_age: int | None = None,
        gzip_pages: bool = True,
        ranges: bool = True,
        serial: int | None = None,
        credential: tuple[str, str] | None = None,
        certificate: tuple[Path, Path] | None = None,
        port: int = 0,
    ) -> None:
        """`json=False` speaks HTML alone; `credential` is wanted by Basic; `certificate` (chain, key) makes it TLS."""
        self.json, self.shows, self.etags, self.last_modified = json, shows or Shows(), etags, last_modified
        self.max_age, self.gzip_pages, self.ranges, self.serial = max_age, gzip_pages, ranges, serial
        self.credential = credential
        self.lists = True
        self.requests: list[Request] = []
        self.connections = 0
        self.files: dict[str, MadeFile] = {}
        self.statuses: dict[str, dict[str, str]] = {}
        """Project to its `status` and `reason` (PEP 792)."""
        self._faults: dict[str, tuple[Fault, int | None]] = {}
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self.port = port
        self._listener: socket.socket | None = None
        self.listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.refuse()

    # -- what it has --------------------------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The simple root, ending in a slash."""
        return self.origin + "/simple/"

    def add(self, filename: str, data: bytes, **facts: Any) -> MadeFile:
        """Publish a file; its project is what stands before the first dash unless `project=` says otherwise."""
        file = MadeFile(facts.pop("project", None) or project_of(filename), filename, data, **facts)
        self.files[filename] = file
        return file

    def remove(self, filename: str) -> None:
        del self.files[filename]

    def page_path(self, project: str) -> str:
        return f"/simple/{project}/"

    def file_path(self, filename: str) -> str:
        return f"/files/{filename}"

    def file_url(self, filename: str) -> str:
        return self.origin + quote(self.file_path(filename))

    # -- how it behaves -----------------------------------------------------------------------------------------

    def fail(self, fault: Fault, *, at: str = "*", times: int | None = None) -> None:
        """Do `fault` at a path, below a folder ("/files/") or everywhere ("*"), for the next `times` requests."""
        with self._changed:
            self._faults[at] = (fault, times)

    def heal(self, at: str | None = None) -> None:
        """Forget one fault, or all; a closed listener opens again."""
        with self._changed:
            if at is None:
                self._faults.clear()
            else:
                self._faults.pop(at, None)
        if self._listener is None and not self._closing.is_set():
            self.listen()

    def listen(self) -> None:
        """Open the listener, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True, name="made-upstream").start()

    def stop_listening(self) -> None:
        """Close the listener alone; connections go on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def refuse(self) -> None:
        """Close the listener and every connection: the host is up and nobody listens."""
        self.stop_listening()
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # -- what was asked -----------------------------------------------------------------------------------------

    def asked(self, path: str | None = None) -> tuple[Request, ...]:
        """The requests for a path, or all."""
        with self._changed:
            return tuple(request for request in self.requests if path is None or request.path == path)

    def wait_for(self, path: str | None = None, count: int = 1, within_s: float = 20.0) -> tuple[Request, ...]:
        """Wait until `count` requests for the path have come; AssertionError when they do not."""
        end = time.monotonic() + within_s
        with self._changed:
            while len(found := [item for item in self.requests if path is None or item.path == path]) < count:
                if not self._changed.wait(end - time.monotonic()):
                    raise AssertionError(f"{len(found)} of {count} requests for {path} in {within_s} s")
            return tuple(found)

    # -- serving ------------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name="made-upstream").start()

    def _serve(self, connection: socket.socket) -> None:
        self._connections.add(connection)
        self.connections += 1
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                plain, connection = connection, self._tls.wrap_socket(connection, server_side=True)
                self._connections.discard(plain)
                self._connections.add(connection)
            with connection.makefile("rb") as incoming:
                while (request := _read_request(incoming)) is not None:
                    with self._changed:
                        self.requests.append(request)
                        self._changed.notify_all()
                        fault = self._fault(urlsplit(request.path).path)
                    if not self._respond(connection, request, fault):
                        return
        except (OSError, ValueError, Gone):
            return
        finally:
            self._connections.discard(connection)
            connection.close()

    def _fault(self, path: str) -> Fault | None:
        folders = sorted((at for at in self._faults if at.endswith("/") and path.startswith(at)), key=len, reverse=True)
        for at in (path, *folders, "*"):
            if at in self._faults:
                fault, times = self._faults[at]
                if times is not None:
                    self._faults[at] = (fault, times - 1)
                    if times <= 1:
                        del self._faults[at]
                return fault
        return None

    def _respond(self, connection: socket.socket, request: Request, fault: Fault | None) -> bool:
        if isinstance(fault, Swallow):
            connection.recv(1)  # until the client gives up or the listener is closed
            return False
        if isinstance(fault, Hold):
            while not fault.release.wait(0.05):
                if self._closing.is_set():
                    return False
        answer = self._own_answer(fault) or self._answer(request, fault)
        return send(connection, answer, fault, head=request.method == "HEAD", closing=self._closing)

    def _own_answer(self, fault: Fault | None) -> Answer | None:
        match fault:
            case Status(status, headers, body):
                return Answer(status, {"Content-Type": "text/plain", **(headers or {})}, body)
            case RedirectTo(location, status):
                return Answer(status, {"Location": location, "Content-Type": "text/html"}, b"elsewhere")
            case LoginPage():
                return Answer(200, {"Content-Type": "text/html; charset=utf-8"}, _LOGIN)
            case GzipBomb(size):
                packed = bomb(size)
                return Answer(200, {"Content-Type": V1_JSON, "Content-Encoding": "gzip"}, packed)
        return None

    def _answer(self, request: Request, fault: Fault | None) -> Answer:
        path = unquote(urlsplit(request.path).path)
        if self.credential is not None:
            expected = base64.b64encode(":".join(self.credential).encode()).decode()
            if request.headers.get("authorization") != f"Basic {expected}":
                return Answer(401, {"WWW-Authenticate": 'Basic realm="made"', "Content-Type": "text/plain"}, b"log in")
        if path == "/simple/" and self.lists:
            return self._list(request)
        if path.startswith("/simple/"):
            return self._page(request, path.removeprefix("/simple/").strip("/"), fault)
        if path.startswith("/files/"):
            return self._file(request, path.removeprefix("/files/"), fault)
        return Answer(404, {"Content-Type": "text/plain"}, b"not found")

    def _list(self, request: Request) -> Answer:
        names = sorted({file.project for file in self.files.values()})
        if self.json and V1_JSON in request.headers.get("accept", ""):
            return Answer(200, {"Content-Type": V1_JSON}, json_list(names))
        return Answer(200, {"Content-Type": "text/html; charset=utf-8"}, html_list(names))

    def _page(self, request: Request, project: str, fault: Fault | None) -> Answer:
        if isinstance(fault, PageOf):
            project = fault.project
        files = tuple(file for file in self.files.values() if file.project == project)
        if not files and not isinstance(fault, PageOf):
            return Answer(404, {"Content-Type": "text/plain"}, b"not found")
        status = self.statuses.get(project)
        if self.json and V1_JSON in request.headers.get("accept", ""):
            body = json_page(project, files, "../../files/", self.shows, self.serial, status)
            content_type = V1_JSON
        else:
            body = html_page(project, files, "../../files/", self.shows, status)
            content_type = "text/html; charset=utf-8"
        headers = {"Content-Type": content_type} | self._validators(body)
        if self.max_age is not None:
            headers["Cache-Control"] = f"max-age={self.max_age}, public"
        if self.serial is not None:
            headers["X-PyPI-Last-Serial"] = str(self.serial)
        if self._unchanged(request, headers):
            return Answer(304, headers, b"")
        body = _spoiled(body, fault)
        if self.gzip_pages and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
        return Answer(200, headers, body)

    def _file(self, request: Request, name: str, fault: Fault | None) -> Answer:
        file = self.files.get(name.removesuffix(".metadata"))
        data = None if file is None else file.metadata if name.endswith(".metadata") else file.data
        if data is None or (name.endswith(".metadata") and not self.shows.metadata):
            return Answer(404, {"Content-Type": "text/plain"}, b"not found")
        headers = {"Content-Type": "application/octet-stream"} | self._validators(data)
        data = _spoiled(data, fault)
        if isinstance(fault, Encoded):
            data, headers["Content-Encoding"] = gzip.compress(data, 6, mtime=0), fault.encoding
        if self.ranges:
            headers["Accept-Ranges"] = "bytes"
            asked = request.headers.get("range", "")
            guard = request.headers.get("if-range")
            if asked.startswith("bytes=") and guard in (None, headers.get("ETag"), headers.get("Last-Modified")):
                return _part(data, asked.removeprefix("bytes="), headers)
        return Answer(200, headers, data)

    def _validators(self, body: bytes) -> dict[str, str]:
        found = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:20]}"'} if self.etags else {}
        return found | ({"Last-Modified": self.last_modified} if self.last_modified else {})

    def _unchanged(self, request: Request, headers: dict[str, str]) -> bool:
        etag = request.headers.get("if-none-match")
        if etag is not None:
            return etag == headers.get("ETag")
        since = request.headers.get("if-modified-since")
        return since is not None and since == headers.get("Last-Modified")


def _spoiled(body: bytes, fault: Fault | None) -> bytes:
    match fault:
        case OtherBytes():
            return bytes(byte ^ 1 for byte in body[:1000]) + body[1000:]
        case Truncated():
            return body[: len(body) // 2]
    return body


def _part(data: bytes, asked: str, headers: dict[str, str]) -> Answer:
    first, _, last = asked.partition("-")
    if first:
        start, end = int(first), min(int(last) if last else len(data) - 1, len(data) - 1)
    else:
        start, end = max(0, len(data) - int(last)), len(data) - 1
    if start > end:
        return Answer(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
    return Answer(206, headers | {"Content-Range": f"bytes {start}-{end}/{len(data)}"}, data[start : end + 1])


def _read_request(incoming: Any) -> Request | None:
    line = incoming.readline(65536).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (raw := incoming.readline(65536).decode("latin-1").strip()) != "":
        name, _, value = raw.partition(":")
        headers[name.strip().lower()] = value.strip()
    incoming.read(int(headers.get("content-length", "0")))
    return Request(line[0], line[1], headers)
