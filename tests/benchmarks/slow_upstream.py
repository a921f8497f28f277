"""An upstream that is slow in known ways; a process of its own, started with its port.

/simple/{name}/       a page at once; of `wait-…` projects, never
/files/{filename}     FILE_BYTES at RATE bytes per second
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from hashlib import sha256

from benchmarks import made, pages
from benchmarks.listing import Listed
from benchmarks.processes import HOST

RATE = 1_000_000
FILE_BYTES = 10_000_000
TICK_S = 0.1
SLOW = tuple(f"slow-{number:02}" for number in range(50))
WAITING = tuple(f"wait-{number:03}" for number in range(200))
HOT_PAGE = "idna"
WAIT_S = 120
TAIL = 64  # bytes at the end of a file that are its own: one hash over the rest serves all


def filename(project: str) -> str:
    """Name the one wheel of a slow project."""
    return f"{project.replace('-', '_')}-1.0-py3-none-any.whl"


class Upstream:
    """Answers one connection after the other, all at the same time."""

    def __init__(self, port: int) -> None:
        self._base = f"http://{HOST}:{port}/files/"
        self._common = random.Random(1).randbytes(FILE_BYTES - TAIL)
        hashed = sha256(self._common)
        self._listed: dict[str, tuple[Listed, ...]] = {}
        for project in SLOW:
            digest = hashed.copy()
            digest.update(_tail(filename(project)))
            self._listed[project] = (Listed(filename(project), digest.hexdigest(), FILE_BYTES),)
        self._listed[HOT_PAGE] = made.listing(HOT_PAGE, made.COUNTS[HOT_PAGE])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection until it ends."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ", 2)[1]
                await self._answer(path, writer, json="v1+json" in head)
        writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter, *, json: bool) -> None:
        _, _, name = path.rstrip("/").rpartition("/")
        kind = "application/vnd.pypi.simple.v1+json" if json else "text/html"
        if path.startswith("/files/"):
            await self._send_slowly(name, writer)
        elif name == "simple":
            names = (HOT_PAGE, *SLOW, *WAITING)
            _send(writer, 200, kind, pages.names_json(names) if json else pages.names_html(names))
        elif name in WAITING:
            await asyncio.sleep(WAIT_S)
            raise ConnectionResetError
        elif name in self._listed:
            render = pages.page_json if json else pages.page_html
            _send(writer, 200, kind, render(name, self._listed[name], self._base))
        else:
            _send(writer, 404, "text/plain", b"not here\n")
        await writer.drain()

    async def _send_slowly(self, name: str, writer: asyncio.StreamWriter) -> None:
        body = memoryview(self._common)
        step = int(RATE * TICK_S)
        writer.write(_head(200, "application/octet-stream", FILE_BYTES))
        loop = asyncio.get_running_loop()
        due = loop.time()
        for start in range(0, len(body), step):
            writer.write(body[start : start + step])
            await writer.drain()
            due += TICK_S
            await asyncio.sleep(max(0.0, due - loop.time()))
        writer.write(_tail(name))


def _tail(name: str) -> bytes:
    return name.encode().ljust(TAIL, b".")


def _head(status: int, kind: str, length: int) -> bytes:
    lines = (f"HTTP/1.1 {status} -", f"Content-Type: {kind}", f"Content-Length: {length}", 'ETag: "1"')
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _send(writer: asyncio.StreamWriter, status: int, kind: str, body: bytes) -> None:
    writer.write(_head(status, kind, len(body)) + body)


async def main(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(Upstream(port).serve, HOST, port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
