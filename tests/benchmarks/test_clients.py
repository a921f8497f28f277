"""The benchmark's own clients and readers, for figures are worth what these are."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from benchmarks import hot, load, made, pages, pip_index, pull
from benchmarks.listing import Listed

WHEEL = b"w" * 200_000
FILENAME = "demo-1.0-py3-none-any.whl"
PAGE_FILES = (Listed("demo-0.9.tar.gz", "0" * 64), Listed(FILENAME, "1" * 64, len(WHEEL)))


class Site(http.server.BaseHTTPRequestHandler):
    """A project page in either form, a wheel in three framings, and what goes wrong."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        bodies = {
            "/html/": pages.page_html("demo", PAGE_FILES, "/files/"),
            "/json/": pages.page_json("demo", PAGE_FILES, "../files/"),
            "/chunked/": pages.page_html("demo", PAGE_FILES, "/chunks/"),
            "/closing/": pages.page_html("demo", PAGE_FILES, "/unframed/"),
            "/moved/": pages.page_html("demo", PAGE_FILES, "/elsewhere/"),
            "/short/": pages.page_html("demo", PAGE_FILES, "/cut/"),
            "/bare/": b"<html></html>",
            f"/files/{FILENAME}": WHEEL,
            f"/cut/{FILENAME}": WHEEL[:-1],
        }
        if self.path == f"/elsewhere/{FILENAME}":
            self._start(302, {"Location": f"/files/{FILENAME}", "Content-Length": "0"})
        elif self.path == f"/chunks/{FILENAME}":
            self._start(200, {"Transfer-Encoding": "chunked"})
            for start in range(0, len(WHEEL), 7_001):
                part = WHEEL[start : start + 7_001]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == f"/unframed/{FILENAME}":
            self._start(200, {"Connection": "close"})
            self.wfile.write(WHEEL)
        elif (body := bodies.get(self.path)) is not None:
            self._start(200, {"Content-Length": str(len(body))})
            self.wfile.write(body)
        else:
            self._start(404, {"Content-Length": "0"})

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(10)


def plan(port: int, *paths: str) -> pull.Plan:
    wanted = tuple(pull.Wanted(path, FILENAME, len(WHEEL)) for path in paths)
    return pull.Plan("127.0.0.1", port, "text/html", 2, 10, wanted)


@pytest.mark.parametrize(
    ("path", "redirects"), [("/html/", 0), ("/json/", 0), ("/chunked/", 0), ("/closing/", 0), ("/moved/", 1)]
)
def test_pulls_page_and_wheel(port: int, path: str, redirects: int) -> None:
    """Wheels are found on pages of both forms and counted whole in every framing, one after the other."""
    pulled = pull.pull(plan(port, path, path, path))
    assert ([], 3, 3 * redirects) == (pulled.failures, pulled.wheels, pulled.redirects)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/short/", f"{FILENAME}: 199999 bytes instead of 200000"),
        ("/bare/", f"/bare/: does not link {FILENAME}"),
        ("/nowhere/", "/nowhere/: status 404"),
    ],
)
def test_says_what_failed(port: int, path: str, reason: str) -> None:
    """What is not a page with a whole wheel is a failure with its reason, and the others go on."""
    pulled = pull.pull(plan(port, path, "/html/"))
    assert ([reason], 1) == (pulled.failures, pulled.wheels)


def test_loads_and_counts(port: int) -> None:
    """The stand-in for wrk counts good answers and failed ones apart."""
    good = load.load(load.Plan("127.0.0.1", port, "/html/", {}, 2, 0.3))
    bad = load.load(load.Plan("127.0.0.1", port, "/nowhere/", {}, 2, 0.3))
    assert (good.requests > 0, good.failed, good.p50_s <= good.p99_s <= good.max_s) == (True, 0, True)
    assert (bad.requests, bad.failed > 0) == (0, True)


def test_reads_wrk() -> None:
    """Wrk's figures are read in seconds, what failed or timed out is counted."""
    output = """Running 3s test @ http://127.0.0.1:1/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   297.21us  456.54us  17.71ms   95.27%
    Req/Sec    37.63k     4.21k   44.65k    76.67%
  Latency Distribution
     50%  177.00us
     75%  211.00us
     90%  405.00us
     99%    2.33ms
  112518 requests in 3.01s, 1.49GB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 4
Requests/sec:  37404.05
"""
    expected = load.Load(112518, 3.01, p50_s=0.000177, p99_s=0.00233, max_s=0.01771, failed=7)
    assert expected == hot.read_wrk(output)


def test_reads_sloppy_pages() -> None:
    """Links of a real page are read with their attributes, what is no distribution with a sha256 is left out."""
    body = f"""<html><body>
      <a href="https://files.example/x/demo-1.0.tar.gz#sha256={"a" * 64}" data-requires-python="&gt;=3.8">demo</a>
      <A data-yanked="" HREF="../x/demo-1.1.tar.gz#sha256={"b" * 64}">demo</A>
      <a href="../x/demo-1.2.tar.gz">no hash</a> <a href="/about">about</a></body></html>"""
    expected = [
        Listed("demo-1.0.tar.gz", "a" * 64, requires_python=">=3.8"),
        Listed("demo-1.1.tar.gz", "b" * 64, yanked=""),
    ]
    assert expected == [file for file in pip_index._html_entries(body) if file.sha256]


def test_made_corpus_has_the_shape() -> None:
    """A made corpus has as many files and bytes as a real one, the same on each machine."""
    names = ("idna", "numpy", "pydantic-core", *made.names(183))
    counts = made.file_counts(names, 138_000)
    sizes = made.wheel_sizes(names, 235_000_000, 25_000_000)
    assert (set(names), set(names)) == (set(counts), set(sizes))
    assert 130_000 < sum(counts.values()) < 140_000
    assert 200_000_000 < sum(sizes.values()) < 240_000_000
    assert made.listing("demo", 30) == made.listing("demo", 40)[:30]
