"""Portals, error pages and pages gone wrong: two thousand of them, over a real socket, and none gets into the store."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from localpi.index.library import Library, build_library
from localpi.index.pages import PageAnswer
from localpi.index.permissions import OWNER
from localpi.index.waiting import Waiting
from localpi.settings.load import load_settings
from localpi.settings.paths import Paths
from localpi.simple.names import ProjectName
from localpi.store import open_store
from localpi.upstream import Credentials, Reach, Upstream
from made.corpus import V1_JSON, MadeFile, Shows, html_page, json_page
from made.wheels import make_sdist, make_wheel

ROUNDS = int(os.environ.get("LOCALPI_TEST_ROUNDS", "2000"))
PROJECT = ProjectName("acme-lib")
FILES = tuple(
    MadeFile(PROJECT, name, data, requires_python=">=3.8")
    for version in range(25)
    for name, data in (make_wheel("acme-lib", f"1.{version}"), make_sdist("acme-lib", f"1.{version}"))
)
HTML = "text/html; charset=utf-8"
PAGES = {
    "pypi-json": (V1_JSON, json_page(PROJECT, FILES, "https://files.example/", Shows(), 7)),
    "json-1.0": (V1_JSON, json_page(PROJECT, FILES, "../../files/", Shows(sizes=False, upload_times=False), None)),
    "pypi-html": (HTML, html_page(PROJECT, FILES, "https://files.example/", Shows())),
    "plain-html": (HTML, html_page(PROJECT, FILES, "../../files/", Shows(hashes=False, metadata=False))),
}
LOGIN = """<!DOCTYPE html><html><head><title>Welcome to {0}</title>{1}</head><body><form action="{2}" method="post">
<input name="user"><input type="password" name="pass"><a href="{2}">Terms</a> <a href="/help-1.0.tar.gz">Help</a>
</form>{3}</body></html>"""

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Portal:
    """Answers every request with what a test sets."""

    answer: Answer
    asked: int = 0
    server: http.server.ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Self:
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                portal.asked += 1
                status, headers, body = portal.answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = int(headers.get("Content-Length", len(body))) != len(body)

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def login(dice: random.Random, _page: bytes) -> tuple[str, bytes]:
    """A portal's form, now and then with what looks like links to files of nobody."""
    words = ["Hotel WLAN", "Single sign-on", "Zscaler", "Captive"]
    extra = dice.choice(["", "<script>location='/'</script>", '<meta http-equiv="refresh" content="0;url=/x">'])
    links = "".join(
        f'<a href="/d/{name}-{dice.random():.3f}.zip">x</a>' for name in ("app", "setup")[: dice.randrange(3)]
    )
    return HTML, LOGIN.format(
        dice.choice(words), extra, dice.choice(["/login", "https://sso.example/"]), links
    ).encode()


def cut(dice: random.Random, page: bytes) -> tuple[str, bytes]:
    """Half a page whose length fits."""
    return "", page[: dice.randrange(1, len(page) - 20)]


def of_another(dice: random.Random, page: bytes) -> tuple[str, bytes]:
    """The page of another project."""
    other = dice.choice([b"numpy", b"acme", b"lib", b"acme-libs"])
    return "", re.sub(rb"acme[-_]lib(?=[-\"<])", other, page)


def of_a_later_api(dice: random.Random, page: bytes) -> tuple[str, bytes]:
    """A major version that nobody knows; HTML has it in a tag."""
    major = dice.randrange(2, 9)
    page = re.sub(rb'"api-version": "1', b'"api-version": "%d' % major, page)
    return "", page.replace(b'repository-version" content="1', b'repository-version" content="%d' % major)


def noise(dice: random.Random, _page: bytes) -> tuple[str, bytes]:
    """Bytes."""
    return "", dice.randbytes(dice.randrange(1, 5000))


def other_type(dice: random.Random, page: bytes) -> tuple[str, bytes]:
    """A content type that no page has."""
    return dice.choice(["application/json", "text/plain", "application/octet-stream", "", "text/xml"]), page


def wrapped(dice: random.Random, page: bytes) -> tuple[str, bytes]:
    """A proxy's frame around the page, or a JSON error with status 200."""
    if dice.random() < 0.5:
        return V1_JSON, json.dumps({"error": "log in", "page": page[:100].decode("latin-1")}).encode()
    return HTML, b"<html><body><script>var a=1</script><iframe src='/x'></iframe>Please log in</body></html>"


def empty(_dice: random.Random, _page: bytes) -> tuple[str, bytes]:
    """Nothing at all."""
    return "", b""


MUTATIONS: tuple[Callable[[random.Random, bytes], tuple[str, bytes]], ...] = (
    login, cut, of_another, of_a_later_api, noise, other_type, wrapped, empty,
)  # fmt: skip
STATUSES = (204, 206, 302, 400, 401, 403, 407, 418, 429, 500, 502, 503, 511)


def mutants(kind: str, page: bytes) -> Iterator[tuple[str, Answer]]:
    """Endless answers that are none, each with what was done to it."""
    for number in itertools.count():
        dice = random.Random(f"{kind} {number}")
        mutate = MUTATIONS[number % len(MUTATIONS)]
        content_type, body = mutate(dice, page)
        headers = {"Content-Type": content_type or kind, "ETag": f'"{number}"', "Cache-Control": "max-age=3600"}
        status = 200
        if number % 5 == 4:
            status = dice.choice(STATUSES)
            headers["Location"] = dice.choice(["/login", "http://192.0.2.7/portal", "https://sso.example/?next=1"])
        elif number % 11 == 10:
            headers["Content-Length"] = str(len(body) + 50)
        if status == 204:
            headers["Content-Length"], body = "0", b""
        yield f"{mutate.__name__} {number} {status}", (status, headers, body)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A library whose mirror is always asked, whatever it sent before."""
    paths = Paths.under(tmp_path)
    store = open_store(paths)
    credentials = Credentials(tmp_path / "credentials.toml")
    speaker = Upstream(Reach(environ={}), credentials, agent="localpi/test")
    settings = load_settings(paths, {"LOCALPI_OFFLINE": "off", "LOCALPI_BACKGROUND": "off"}, {})
    yield build_library(
        store, speaker, credentials, settings, owner_secret="x" * 40, now_us=lambda: time.time_ns() // 1000
    )
    speaker.close()
    store.close()


def ask(library: Library) -> bytes:
    """The page as a client that wants it fresh gets it."""
    asked_at = time.monotonic()
    while True:
        found = library.pages.project("root/pypi", PROJECT, asked_at=asked_at, revalidate=True)
        if isinstance(found, PageAnswer):
            return found.body
        assert isinstance(found, Waiting)
        while not found.ready() and time.monotonic() < found.until:
            time.sleep(0.0005)


def hold(library: Library, kind: str, rounds: int) -> None:
    """Have the page, then so many answers that are none."""
    content_type, page = PAGES[kind]
    with Portal((200, {"Content-Type": content_type}, page)) as portal:
        url = f"http://127.0.0.1:{portal.server.server_port}/simple/"
        library.registry.modify(OWNER, "root/pypi", {"mirror_url": url})
        good = ask(library)
        assert good.count(b'"filename"') == len(FILES)
        for done, answer in itertools.islice(mutants(content_type, page), rounds):
            portal.answer = answer
            before = portal.asked
            assert ask(library) == good, done
            assert portal.asked > before, f"{done}: nobody asked"
            assert not library.mirroring.fetching._shrunk, f"{done}: was taken for a page that lost its files"
        stored = library.store.pages.get(url, PROJECT)
        assert stored is not None
        assert stored.body == page


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_that_is_no_page_enters_the_store(library: Library, kind: str) -> None:
    """Whatever comes instead of the page, what was stored is what is shown, byte for byte."""
    hold(library, kind, 60)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", PAGES)
def test_two_thousand_of_them(library: Library, kind: str) -> None:
    """The same, five hundred for each kind of page."""
    hold(library, kind, ROUNDS // len(PAGES))
