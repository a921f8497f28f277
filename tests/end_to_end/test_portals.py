"""Portals, error pages and pages gone wrong, through a real daemon: none of them gets into the store.

The pages are made ones by default; the long test takes real ones from the index that pip uses, and keeps none.
"""

from __future__ import annotations

import contextlib
import gzip
import html.parser
import http.server
import json
import os
import re
import socket
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import pytest

from localpi.simple.names import ProjectName
from localpi.simple.parse import media_type, parse_page
from localpi.simple.render import render_html, render_json
from localpi.upstream import Credentials, Reach, Upstream
from localpi.upstream.bodies import decoded
from localpi.upstream.mirror import Mirror
from localpi.upstream.outcomes import Fetched
from made.clients import MACHINE_ENVIRON, pips_index
from made.corpus import V1_JSON, MadeFile, Shows, html_page, json_page
from made.daemon import Daemon
from made.mutants import HTML, SERIAL, Mutant, Page, is_file_of, is_page_of, mutants
from made.wheels import make_sdist, make_wheel

ROUNDS = int(os.environ.get("LOCALPI_TEST_ROUNDS", "2000"))
REAL = ("six", "idna", "numpy", "zope-interface", "ruamel-yaml", "ruamel-yaml-clib", "pytest", "pytest-cov")
"""Small and large, names with dots, names that begin alike, wheels, eggs and installers."""

INDEXES = {"root/html": HTML, "root/json": V1_JSON}
RESTARTS = 40
SETTLED_S = 20.0


class Server(http.server.ThreadingHTTPServer):
    """One that says nothing of clients that hang up: what is broken makes them do so."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None: ...


class Portal:
    """Gives each project its good page, by index, but for one that gets what a test sets."""

    def __init__(self, pages: dict[tuple[str, str], Page]) -> None:
        self.pages, self.spoilt = pages, dict[tuple[str, str], Mutant]()
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                portal.answer(self)

            def log_message(self, *_: object) -> None: ...

        self.server = Server(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def url(self, index: str) -> str:
        """The simple root of an index."""
        return f"http://127.0.0.1:{self.server.server_port}/{index}/"

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """Send what the test wants, on any path while something is spoilt: a redirect leads back to it."""
        index, _, project = request.path.strip("/").rpartition("/")
        spoilt = self.spoilt.get((index, project)) or next(iter(self.spoilt.values()), None)
        if spoilt is not None:
            self._send(request, spoilt)
        elif (page := self.pages.get((index, project))) is not None:
            self._send(request, Mutant(page.body, page.content_type, {"X-PyPI-Last-Serial": str(SERIAL)}))
        else:
            self._send(request, Mutant(b"none", "text/plain", status=404))

    @staticmethod
    def _send(request: http.server.BaseHTTPRequestHandler, answer: Mutant) -> None:
        request.send_response(answer.status)
        sent = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), "ETag": '"x"'}
        for name, value in (sent | answer.headers).items():
            request.send_header(name, value)
        request.end_headers()
        with contextlib.suppress(ConnectionError):
            request.wfile.write(answer.body)
        request.close_connection = int(answer.headers.get("Content-Length", len(answer.body))) != len(answer.body)


@dataclass
class Trial:
    """A daemon, the portal behind it, and what has become of each mutant."""

    daemon: Daemon
    portal: Portal
    good: dict[tuple[str, str], bytes] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    accepted: int = 0
    wrong: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Have every good page."""
        for index in INDEXES:
            self.daemon.mirror(index, self.portal.url(index))
        for (index, project), page in self.portal.pages.items():
            self.good[index, project] = shown = self.ask(index, project)
            check_links(index, project, shown)
            assert len(json.loads(shown)["files"]) == page.body.count(b'"filename":') or not page.is_json
            self.wait_stored(index, project, page.body)

    def ask(self, index: str, project: str) -> bytes:
        """The page as a client that wants it fresh gets it."""
        reply = self.daemon.get(f"/{index}/+simple/{project}/", Accept=V1_JSON, Cache_Control="no-cache")
        assert reply.status == 200, reply
        return reply.body

    def stored(self, index: str, project: str) -> bytes:
        """The page that lies in the database, unpacked; read past the daemon."""
        path = self.daemon.home / "cache" / "cache.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            joined = "pages JOIN bodies ON bodies.page = pages.id"
            sql = f"SELECT encoding, body FROM {joined} WHERE source = ? AND project = ?"  # noqa: S608 - a constant
            rows = database.execute(sql, (self.portal.url(index), project)).fetchall()
        return b"".join(gzip.decompress(body) if encoding else body for encoding, body in rows)

    def wait_stored(self, index: str, project: str, body: bytes) -> None:
        until = time.monotonic() + SETTLED_S
        while self.stored(index, project) != body:
            assert time.monotonic() < until, f"{index} {project}: not stored"
            time.sleep(0.002)

    def judge(self, index: str, project: str, mutant: Mutant, log_before: int) -> str:
        """Wait until the daemon has made up its mind: what it says against the page, "" where it took it."""
        until = time.monotonic() + SETTLED_S
        said = re.compile(rf"{re.escape(index)}: {project}: (.*)|{re.escape(index)}: {project} (lost over half .*)")
        while True:
            told = self.log_since(log_before)
            if found := said.search(told):
                return found[1] or found[2]
            if mutant.page is not None and self.stored(index, project) == mutant.page:
                return ""
            assert time.monotonic() < until, f"{index} {project}: {mutant.done}: neither refused nor stored"
            time.sleep(0.002)

    def log_since(self, start: int) -> str:
        with (self.daemon.home / "logs" / "daemon.log").open("rb") as file:
            file.seek(start)
            return file.read().decode()

    def log_size(self) -> int:
        return (self.daemon.home / "logs" / "daemon.log").stat().st_size

    def try_one(self, index: str, project: str, mutant: Mutant) -> None:
        """Serve one: what is stored is the good page, or this one where it is a page of the project."""
        page, good = self.portal.pages[index, project], self.good[index, project]
        before = self.log_size()
        self.portal.spoilt[index, project] = mutant
        shown = self.ask(index, project)
        kind = mutant.done.partition(" ")[0]
        label = f"{index} {project}: {mutant.done}"
        reason = self.judge(index, project, mutant, before)
        if reason:
            self.counts[kind, "held back" if reason.startswith("lost over half") else "refused"] += 1
            assert shown == good, label
            assert self.stored(index, project) == page.body, label
            del self.portal.spoilt[index, project]
            return
        assert mutant.page is not None, f"{label} was taken"
        self.counts[kind, "same links" if shown == good else "taken"] += 1
        assert is_page_of(project, mutant.content_type, mutant.page), f"{label} was taken and is no page of it"
        check_links(index, project, self.ask(index, project))
        check_other_forms(self.daemon, index, project)
        self.accepted += 1
        if self.accepted % RESTARTS == 0:
            self.daemon.stop()
            assert self.stored(index, project) == mutant.page, label
            self.daemon.start()
            check_links(index, project, self.ask(index, project))
        del self.portal.spoilt[index, project]
        assert self.ask(index, project) == good, label
        self.wait_stored(index, project, page.body)

    def end(self) -> None:
        """With the upstream gone, and after a restart, there is what was good."""
        self.portal.server.shutdown()
        for place in ("", "after a restart"):
            for (index, project), page in self.portal.pages.items():
                reply = self.daemon.get(f"/{index}/+simple/{project}/", Accept=V1_JSON)
                assert (reply.status, reply.body == self.good[index, project]) == (200, True), (
                    f"{index} {project} {place}"
                )
                assert self.stored(index, project) == page.body
            if not place:
                self.daemon.stop()
                self.daemon.start()
        for line in self.daemon.log.splitlines():
            assert "Traceback" not in line, line
            assert " ERROR " not in line, line


def check_links(index: str, project: str, shown: bytes) -> None:
    """Every link of a page leads to a file of the project, below our own `+f` or `+e`."""
    page = json.loads(shown)
    assert page["name"] == project
    for file in page["files"]:
        found = re.fullmatch(
            rf"/{index}/(\+f/[0-9a-f]{{3}}/[0-9a-f]{{13}}|\+e/https?_[A-Za-z0-9_.-]+)/([^/]+)", file["url"]
        )
        assert found, file
        assert unquote(found[2]) == file["filename"], file
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", file["filename"]), file
        assert is_file_of(project, file["filename"]), file
        assert urlsplit(file.get("provenance") or "https:").scheme in ("https", "http"), file


class Hrefs(html.parser.HTMLParser):
    """What a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("html", "head", "meta", "title", "body", "h1", "a", "br"), tag
        self.found += [value or "" for name, value in attrs if name == "href"]


def check_other_forms(daemon: Daemon, index: str, project: str) -> None:
    """The same of the HTML page, and of devpi's view of the project."""
    reply = daemon.get(f"/{index}/+simple/{project}/", Accept="application/vnd.pypi.simple.v1+html")
    assert reply.status == 200
    links = Hrefs()
    links.feed(reply.body.decode())
    wrong = [href for href in links.found if not re.match(rf"/{index}/\+[fe]/", href)]
    assert wrong == []
    view = daemon.get(f"/{index}/{project}", Accept="application/json")
    assert view.status == 200
    for release in view.json()["result"].values():
        assert all(link["href"].startswith(f"{daemon.url}/{index}/+") for link in release["+links"])


def hold(home: Path, pages: dict[tuple[str, str], Page], rounds: int) -> Counter[tuple[str, str]]:
    """Try so many mutants, in equal parts for each page; what became of them, by kind."""
    settings = {"LOCALPI_OFFLINE": "off", "LOCALPI_BACKGROUND": "off"}
    with Portal(pages) as portal, Daemon(home, **settings) as daemon:
        trial = Trial(daemon, portal)
        trial.begin()
        each = -(-rounds // len(pages))
        for number, ((index, project), page) in enumerate(pages.items()):
            share = max(0, min(each, rounds))
            for mutant in islice(mutants(page, "page"), number % each, number % each + share):
                try:
                    trial.try_one(index, project, mutant)
                except AssertionError as error:
                    trial.wrong.append(f"{index} {project} {mutant.done}: {str(error)[:300]}")
                    portal.spoilt.clear()
                    trial.ask(index, project)
                    trial.wait_stored(index, project, page.body)
            rounds -= share
        assert trial.wrong == [], "\n".join(trial.wrong)
        trial.end()
        return trial.counts


def both_forms(project: str, html: bytes, as_json: bytes) -> dict[tuple[str, str], Page]:
    return {("root/html", project): Page(project, HTML, html), ("root/json", project): Page(project, V1_JSON, as_json)}


def with_others(pages: dict[tuple[str, str], Page]) -> dict[tuple[str, str], Page]:
    """Give each page those of the other projects in the same form."""
    return {
        (index, project): Page(
            project, page.content_type, page.body,
            tuple(other.body for (of, name), other in pages.items() if of == index and name != project),
        )
        for (index, project), page in pages.items()
    }  # fmt: skip


def made_pages() -> dict[tuple[str, str], Page]:
    """Two projects whose names begin alike."""
    pages: dict[tuple[str, str], Page] = {}
    for project in ("acme-lib", "acme-lib-extra"):
        files = tuple(
            MadeFile(project, name, data, requires_python=">=3.8")
            for version in range(12)
            for name, data in (make_wheel(project, f"1.{version}"), make_sdist(project, f"1.{version}"))
        )
        pages |= both_forms(
            project,
            html_page(project, files, "../../files/", Shows()),
            json_page(project, files, "https://files.example/", Shows(), SERIAL),
        )
    return with_others(pages)


def test_nothing_that_is_no_page_enters_the_store(tmp_path: Path) -> None:
    """Whatever comes instead of the page, the store has a page of the project, and clients see links to it alone."""
    counts = hold(tmp_path / "localpi", made_pages(), 104)
    assert sum(counts.values()) == 104


@pytest.fixture
def real_pages(tmp_path: Path) -> dict[tuple[str, str], Page]:
    """Pages as the index that pip uses sends them to us, HTML or JSON; the other form is made of that by localpi."""
    url = pips_index().rstrip("/") + "/"
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), timeout=5).close()
    except OSError as error:
        pytest.skip(f"the index that pip uses cannot be reached: {error}")
    speaker = Upstream(Reach(environ=MACHINE_ENVIRON), Credentials(tmp_path / "credentials"), agent="localpi/test")
    pages: dict[tuple[str, str], Page] = {}
    for name in REAL:
        project = ProjectName(name)
        fetched = speaker.fetch_page(Mirror("root/real", url), project, deadline_s=60)
        assert isinstance(fetched, Fetched), fetched
        body = decoded(fetched.body, fetched.encoding)
        page = parse_page(body, fetched.content_type, project, fetched.url)
        as_json = media_type(fetched.content_type) == V1_JSON
        other = (render_html if as_json else render_json)(page)
        pages |= both_forms(project, *((other, body) if as_json else (body, other)))
    speaker.close()
    return with_others(pages)


@pytest.mark.long
@pytest.mark.network
@pytest.mark.timeout(3600)
def test_two_thousand_mutants_of_real_pages(
    tmp_path: Path, real_pages: dict[tuple[str, str], Page], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same with real pages; LOCALPI_TEST_ROUNDS sets how many mutants. The counts are printed."""
    counts = hold(tmp_path / "localpi", real_pages, ROUNDS)
    with capsys.disabled():
        print()
        for kind in dict.fromkeys(kind for kind, _ in counts):
            print(
                f"{kind:16}",
                *(f"{what} {counts[kind, what]:4}" for what in ("refused", "held back", "same links", "taken")),
            )
    assert sum(counts.values()) == ROUNDS
