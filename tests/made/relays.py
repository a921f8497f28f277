"""What stands between a daemon and a real index server: a TLS terminator, a line that drips, a proxy, a name server."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

_PIECE = 65_536


class _Listening:
    """A listener on loopback, and a thread for each connection."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self.ended = threading.Event()
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True, name="relay").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in tuple(self._open):
            _hang_up(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name="relay").start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            self._open.add(connection)
            self.serve(connection)
        self._open.discard(connection)

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def _join(self, client: socket.socket, port: int, first: bytes = b"") -> None:
        """Carry bytes to the server on that port and back until either hangs up."""
        with socket.create_connection(("127.0.0.1", port), 5) as server:
            self._open.add(server)
            server.settimeout(None)
            server.sendall(first)
            threading.Thread(target=self._carry, args=(client, server), daemon=True, name="relay").start()
            self._carry(server, client, back=True)
            self._open.discard(server)

    def _carry(self, source: socket.socket, target: socket.socket, *, back: bool = False) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(_PIECE):
                self.send(target, data, back=back)
        _hang_up(target)

    def send(self, target: socket.socket, data: bytes, *, back: bool) -> None:
        del back
        target.sendall(data)


class Line(_Listening):
    """A line to the server on `target`; with `certificate` (chain, key) its end here speaks TLS.

    While `drips` is set, answers come a byte each 0.3 s.
    """

    def __init__(self, target: int, certificate: tuple[Path, Path] | None = None, *, port: int = 0) -> None:
        super().__init__(port)
        self.target, self.drips = target, threading.Event()
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)

    def serve(self, connection: socket.socket) -> None:
        if self._tls is None:
            self._join(connection, self.target)
            return
        with self._tls.wrap_socket(connection, server_side=True) as secure:
            self._join(secure, self.target)

    def send(self, target: socket.socket, data: bytes, *, back: bool) -> None:
        while back and data and self.drips.is_set():
            target.sendall(data[:1])
            data = data[1:]
            self.ended.wait(0.3)
        target.sendall(data)


class Proxy(_Listening):
    """An HTTP proxy that knows one host; while `refuses` is set it wants credentials (407), and hangs up."""

    def __init__(self, host: str, target: int) -> None:
        super().__init__()
        self.host, self.target, self.refuses = host, target, threading.Event()
        self.asked: list[str] = []

    def serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as incoming:
            method, url, version = incoming.readline(_PIECE).decode("latin-1").split()
            self.asked.append(url)
            head = [line for line in iter(lambda: incoming.readline(_PIECE), b"\r\n") if line]
        if self.refuses.is_set() or urlsplit(url).hostname != self.host:
            status = "407 Proxy Authentication Required" if self.refuses.is_set() else "502 Bad Gateway"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return
        path = urlsplit(url).path
        kept = [line for line in head if not line.lower().startswith((b"connection:", b"proxy-"))]
        first = f"{method} {path} {version}\r\n".encode() + b"".join(kept) + b"Connection: close\r\n\r\n"
        self._join(connection, self.target, first)


class NameServer:
    """A DNS server on port 53 of an address on loopback: every name is 127.0.0.1, or it says nothing.

    Binding that port, and giving a process a resolv.conf of its own (`wrapper`), wants root on Linux; `skip_reason`
    says why it cannot be had.
    """

    def __init__(self, folder: Path) -> None:
        self.address = f"127.53.{os.getpid() % 250}.{os.getpid() // 250 % 250 + 1}"
        self.silent = threading.Event()
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._folder = folder

    @staticmethod
    def skip_unless_possible() -> None:
        """Skip the test where it cannot be had."""
        if sys.platform != "linux":
            pytest.skip("needs Linux: a mount namespace with a resolv.conf of its own")
        if not (shutil.which("unshare") and shutil.which("mount")):
            pytest.skip("needs unshare and mount")
        done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("needs root: a mount namespace, and port 53 on loopback")

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "resolv.conf").write_text(f"nameserver {self.address}\n")
        (self._folder / "nsswitch.conf").write_text("hosts: files dns\n")
        self._socket.bind((self.address, 53))
        threading.Thread(target=self._run, daemon=True, name="name server").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.silent.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def wrapper(self) -> tuple[str, ...]:
        """What to put before a command that shall ask this server."""
        mounts = " && ".join(f'mount --bind "$0/{name}" /etc/{name}' for name in ("resolv.conf", "nsswitch.conf"))
        script = f'{mounts} && exec "$@"'
        return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(self._folder))

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                asked, whom = self._socket.recvfrom(4096)
                self.asked += 1
                if asked and not self.silent.is_set():
                    self._socket.sendto(_answer(asked), whom)


def _answer(asked: bytes) -> bytes:
    """Answer a query for an A record with 127.0.0.1, for others with none (RFC 1035)."""
    end = 12
    while asked[end]:
        end += 1 + asked[end]
    question = asked[12 : end + 5]
    is_a = question[-4:-2] == b"\0\1"
    head = asked[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_a), 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + bytes((127, 0, 0, 1))
    return head + question + (record if is_a else b"")


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
