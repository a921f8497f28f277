"""How each row is measured on one running server. Values are in the unit of their row."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from benchmarks import hot, load, pull, slow_upstream
from benchmarks.exchange import get
from benchmarks.processes import HOST, BenchmarkError, fetch, finish_module, run_module, start_module

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.corpus import Corpus
    from benchmarks.load import Load
    from benchmarks.servers import Server

FORMS = {"html": "text/html", "json": "application/vnd.pypi.simple.v1+json"}
SET_CONNECTIONS = 50
SET_DEADLINE_S = 240
SETTLE_S = 1.0  # an idle server has done what it does after its start
PROBE_CONNECTIONS = 2
PROBE_PACE_S = 0.01
PROBE_S = 6
NEXT_PAGES = 5
SWALLOW_DEADLINE_S = 15
GRACE_S = 60

Values = dict[str, float]


@dataclass(slots=True)
class Bench:
    """What all measures share; `notes` collects what a reader has to know about single figures."""

    corpus: Corpus
    form: str
    seconds: float
    notes: list[str] = field(default_factory=list)

    def note(self, server: Server, text: str) -> None:
        """Remember a sentence about a figure of a server, once."""
        sentence = f"{server.name}: {text}"
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def accept(self) -> str:
        """The content type that clients ask for."""
        return FORMS[self.form]


def measure_set(server: Server, bench: Bench) -> Values:
    """Pull the whole set from an empty server, and again; its memory before and after."""
    time.sleep(SETTLE_S)
    values = {"idle": server.memory() / 1e6}
    wanted = [pull.Wanted(server.page(p.name), p.filename, p.size) for p in bench.corpus.projects]
    for key in ("cold", "warm"):
        pulled = _finished(run_module("pull", _pull_plan(server, bench, wanted), deadline_s=SET_DEADLINE_S + GRACE_S))
        values[key] = pulled.seconds
        if pulled.failures:
            first = pulled.failures[0][:120]
            bench.note(server, f"{key} set: {len(pulled.failures)} of {len(wanted)} projects failed ({first})")
        if pulled.redirects:
            bench.note(server, f"{key} set: {pulled.redirects} files answered by a redirect to the upstream")
    return values | {"after": server.memory() / 1e6}


def measure_hot(server: Server, bench: Bench, measure: str) -> Values:
    """Drive one of the hot rows; nothing for what the server does not do."""
    headers = {"Accept": bench.accept}
    project = measure if measure in {"numpy", "pydantic-core"} else "idna"
    path = server.page(project)
    if measure == "wheel":
        path, headers = _warm_wheel(server, bench), {}
    elif measure == "not-modified":
        etag = _etag(server, bench)
        if etag is None:
            bench.note(server, "no answer 304 to the ETag it gave, or it gave none")
            return {}
        headers["If-None-Match"] = etag
    else:
        _warm_page(server, bench, project)
    connections = 50 if measure == "small-50" else 8
    driven = hot.drive(server.port, path, headers=headers, connections=connections, seconds=bench.seconds)
    _note_failed(server, bench, measure, driven)
    if measure == "small-50":
        return {"small-50": driven.rate, "small-50-p99": driven.p99_s * 1e3}
    return {measure: driven.rate}


def measure_swallow(server: Server, bench: Bench) -> Values:
    """Ask for pages that are not here while the upstream swallows packets; whatever the answer is counts."""
    took = []
    for number in range(1 + NEXT_PAGES):
        path = server.page(f"absent-{number}")
        started = time.monotonic()
        try:
            status = fetch(server.port, path, headers={"Accept": bench.accept}, deadline_s=SWALLOW_DEADLINE_S)[0]
        except TimeoutError:
            bench.note(server, f"swallowed pages have no answer within {SWALLOW_DEADLINE_S} s")
            return {}
        took.append(time.monotonic() - started)
        bench.note(server, f"swallowed pages are answered with {status}")
    return {"swallow-first": took[0], "swallow-next": max(took[1:])}


def measure_slow(server: Server, bench: Bench) -> Values:
    """Download 50 files from an upstream that gives 1 MB/s each, and ask for a hot page meanwhile."""
    _warm_page(server, bench, slow_upstream.HOT_PAGE)
    projects = slow_upstream.SLOW
    wanted = [pull.Wanted(server.page(p), slow_upstream.filename(p), slow_upstream.FILE_BYTES) for p in projects]
    with ExitStack() as stack:
        puller = start_module("pull", _pull_plan(server, bench, wanted))
        stack.callback(_end, puller)
        prober = start_module("load", _probe_plan(server, bench))
        stack.callback(_end, prober)
        memory = server.memory()
        while puller.poll() is None and prober.poll() is None:
            memory = max(memory, server.memory())
            time.sleep(0.1)
        probed = hot.load_of(finish_module(prober, deadline_s=PROBE_S + GRACE_S))
        pulled = _finished(finish_module(puller, deadline_s=SET_DEADLINE_S + GRACE_S))
        memory = max(memory, server.memory())
    _note_failed(server, bench, "hot page during slow downloads", probed)
    if pulled.redirects:
        bench.note(server, f"slow downloads: {pulled.redirects} answered by a redirect to the upstream")
    if pulled.failures:
        bench.note(server, f"slow downloads: {pulled.failures[0][:120]}")
    return {"slow-answered": pulled.wheels, "slow-p99": probed.p99_s * 1e3, "slow-memory": memory / 1e6}


def measure_waiting(server: Server, bench: Bench) -> Values:
    """Ask for 200 pages that the upstream does not answer, and for a hot page meanwhile."""
    _warm_page(server, bench, slow_upstream.HOT_PAGE)
    with ExitStack() as stack:
        for project in slow_upstream.WAITING:
            waiting = stack.enter_context(socket.create_connection((HOST, server.port), timeout=10))
            waiting.sendall(get(server.page(project), f"{HOST}:{server.port}", {"Accept": bench.accept}))
        time.sleep(SETTLE_S)
        probed = hot.load_of(run_module("load", _probe_plan(server, bench), deadline_s=PROBE_S + GRACE_S))
    _note_failed(server, bench, "hot page beside waiting requests", probed)
    return {"waiting-p99": probed.p99_s * 1e3}


def _pull_plan(server: Server, bench: Bench, wanted: Iterable[pull.Wanted]) -> str:
    plan = pull.Plan(HOST, server.port, bench.accept, SET_CONNECTIONS, SET_DEADLINE_S, tuple(wanted))
    return json.dumps(asdict(plan))


def _probe_plan(server: Server, bench: Bench) -> str:
    path = server.page(slow_upstream.HOT_PAGE)
    plan = load.Plan(HOST, server.port, path, {"Accept": bench.accept}, PROBE_CONNECTIONS, PROBE_S, PROBE_PACE_S)
    return json.dumps(asdict(plan))


def _finished(output: str) -> pull.Pulled:
    return pull.Pulled(**json.loads(output))


def _end(client: subprocess.Popen[str]) -> None:
    if client.poll() is None:
        client.kill()
        client.wait()


def _warm_page(server: Server, bench: Bench, project: str) -> bytes:
    """Ask twice, as what is hot has been asked for before; the page."""
    for _ in range(2):
        status, _, body = fetch(server.port, server.page(project), headers={"Accept": bench.accept})
    if status != 200:
        raise BenchmarkError(f"{server.name}: the page of {project} answered {status}")
    return body


def _warm_wheel(server: Server, bench: Bench) -> str:
    """Download numpy's wheel once; its path."""
    wheel = bench.corpus.project("numpy")
    link = pull.find_link(_warm_page(server, bench, wheel.name), wheel.filename)
    if link is None:
        raise BenchmarkError(f"{server.name}: its page does not link {wheel.filename}")
    path = urlsplit(urljoin(server.page(wheel.name), link)).path
    for _ in range(3):  # proxpi redirects to the upstream while a download takes long
        status, _, body = fetch(server.port, path)
        if status == 200 and len(body) == wheel.size:
            return path
        time.sleep(SETTLE_S)
    raise BenchmarkError(f"{server.name}: {wheel.filename} answered {status}, {len(body)} bytes")


def _etag(server: Server, bench: Bench) -> str | None:
    _warm_page(server, bench, "idna")
    headers = {"Accept": bench.accept}
    etag = fetch(server.port, server.page("idna"), headers=headers)[1].get("etag")
    if etag is None:
        return None
    status = fetch(server.port, server.page("idna"), headers=headers | {"If-None-Match": etag})[0]
    return etag if status == 304 else None


def _note_failed(server: Server, bench: Bench, what: str, driven: Load) -> None:
    if driven.failed:
        bench.note(server, f"{what}: requests failed or timed out")
