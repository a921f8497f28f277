"""A serving loop in a thread, an application made of routes, and a client that sees every byte."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from localpi.daemon.loop import Loop
from localpi.web.hot import Hot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATIENCE_S = 15.0


def wait_for(condition: Callable[[], object], *, within: float = PATIENCE_S) -> None:
    """Come back when the condition holds; fail after a bound."""
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.002)


@dataclass
class MadeApplication:
    """Routes by path; `hot` answers are ready. Remembers who was answered in which thread."""

    routes: dict[str, Any] = field(default_factory=dict)
    hot: dict[str, Hot] = field(default_factory=dict)
    runs: list[tuple[str, str]] = field(default_factory=list)
    """Path and name of the thread, in order."""
    asked: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)

    wanting = True

    def wants_body(self, _method: str, _headers: Mapping[str, str]) -> bool:
        """Say what `wanting` says."""
        return self.wanting

    room_for: Callable[[int], Callable[[], bool] | None] | None = None

    def make_room(self, _method: str, _headers: Mapping[str, str], size: int) -> Callable[[], bool] | None:
        """Say what `room_for` says: there is enough."""
        return self.room_for(size) if self.room_for is not None else None

    def changing_head(self) -> bytes:
        return b""

    def find_hot(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Hot | None:
        """Look among the ready answers."""
        self.asked.append((method, path, query, dict(headers)))
        found = self.hot.get(path)
        if found is not None:
            self.runs.append((path, threading.current_thread().name))
        return found

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer by the route, else by what is ready."""
        path = environ["PATH_INFO"]
        self.runs.append((path, threading.current_thread().name))
        return (
            self.routes[path](environ, start_response)
            if path in self.routes
            else self.hot[path].send(environ, start_response, [])
        )

    def threads(self, path: str) -> list[str]:
        """Return the names of the threads that answered a path."""
        return [thread for answered, thread in self.runs if answered == path]


def ready(body: bytes) -> Hot:
    """Make a ready answer with these bytes."""
    return Hot("200 OK", [("Content-Length", str(len(body)))], body)


def whole(body: bytes, status: str = "200 OK", **headers: str) -> Any:
    """Make a route that answers with these bytes, as Flask does."""

    def answer(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        start_response(status, [("Content-Length", str(len(body))), *named])
        return [body]

    return answer


def wrapped(open_file: Callable[[], Any], size: int) -> Any:
    """Make a route that answers with a file by `wsgi.file_wrapper`."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", str(size))])
        return environ["wsgi.file_wrapper"](open_file())

    return answer


class Client:
    """One connection; reads exactly one answer at a time."""

    def __init__(self, address: tuple[str, int], *, buffer: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(PATIENCE_S)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self._stream = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self.socket.close()

    def send(self, path: str, *lines: str, method: str = "GET", version: str = "1.1", body: bytes = b"") -> Self:
        """Send one request."""
        head = [f"{method} {path} HTTP/{version}", "Host: localhost", *lines]
        if body:
            head.append(f"Content-Length: {len(body)}")
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + body)
        return self

    def head(self) -> tuple[str, dict[str, str]]:
        """Read one answer's status line and header (lower-case names)."""
        status = self._stream.readline().decode("latin-1").strip()
        headers = {}
        while line := self._stream.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, headers

    def answer(self) -> tuple[str, bytes]:
        """Read one answer: status line and body."""
        status, headers = self.head()
        return status, self._stream.read(int(headers.get("content-length", 0)))

    def get(self, path: str, *lines: str, **how: str) -> tuple[str, bytes]:
        """Send a GET and read its answer."""
        return self.send(path, *lines, **how).answer()  # type: ignore[arg-type]  # method and version alone

    def read(self, size: int) -> bytes:
        """Read up to so many bytes of a body; fewer at the end of the connection."""
        return self._stream.read(size)

    def rest(self) -> bytes:
        """Read to the end of the connection; a reset is an end."""
        try:
            return self._stream.read()
        except ConnectionError:
            return b""


@dataclass
class Serving:
    """A running loop and what it serves."""

    application: MadeApplication
    loop: Loop
    thread: threading.Thread

    @property
    def address(self) -> tuple[str, int]:
        """Where the first listener is."""
        listener = self.loop.listeners[0]
        return listener.effective_host, int(listener.effective_port)

    def connect(self, **how: int) -> Client:
        """Open a connection."""
        return Client(self.address, **how)

    def end(self, within: float = PATIENCE_S) -> None:
        """Wait until the loop has ended."""
        self.thread.join(within)
        assert not self.thread.is_alive(), "the loop did not end"


@contextmanager
def serving(application: MadeApplication | None = None, **how: int) -> Iterator[Serving]:
    """Serve on a free port of 127.0.0.1 until the end of the block."""
    application = application or MadeApplication()
    loop = Loop(application, **how)
    loop.listen(bound())
    thread = threading.Thread(target=loop.run, name="loop", daemon=True)
    thread.start()
    running = Serving(application, loop, thread)
    try:
        yield running
    finally:
        loop.stop()
        loop.stop()
        running.end()


def bound(host: str = "127.0.0.1") -> socket.socket:
    """Make a socket that is bound to a free port."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.bind((host, 0))
    except OSError:
        made.close()
        raise
    return made
