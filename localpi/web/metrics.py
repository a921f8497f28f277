"""`/+metrics`: numbers for Prometheus (text format 0.0.4), put together when they are asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import Blueprint
from werkzeug.wrappers import Response

from localpi.index.cache_rows import Selection
from localpi.web.context import the_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from localpi.web.context import Context

blueprint = Blueprint("metrics", __name__)

CONTENT = "text/plain; version=0.0.4; charset=utf-8"
STATES = ("ok", "slow", "down", "captive", "auth", "off")

Sample = tuple["Mapping[str, str]", float]


@blueprint.get("/+metrics")
def show_metrics() -> Response:
    """Answer all metrics; like every reading request, without a credential on loopback alone."""
    response = Response("".join(_metrics(the_context())), content_type=CONTENT)
    response.headers["Cache-Control"] = "no-store"
    return response


def _metrics(context: Context) -> Iterable[str]:
    library = context.library
    report = library.cache.report(Selection(), "")
    gain = report.gain
    bodies, hot = context.hot.totals()
    one: Mapping[str, str] = {}
    yield family("build_info", "gauge", "The version that runs.", [({"version": context.site.version}, 1)])
    for name, kind, sentence, value in (
        ("uptime_seconds", "gauge", "Seconds since the daemon started.", time.monotonic() - context.started),
        ("change_serial", "gauge", "The last change to own data.", library.serial()),
        ("hot_pages", "gauge", "Pages that are ready in memory.", bodies),
        ("hot_bytes", "gauge", "What they take.", hot),
        ("cache_bytes", "gauge", "Bytes of cached files, pinned ones too.", report.bytes),
        ("cache_files", "gauge", "Cached files.", report.files),
        ("cache_pinned_bytes", "gauge", "Bytes of pinned files.", report.pinned_bytes),
        ("cache_pinned_files", "gauge", "Pinned files.", report.pinned_files),
        ("cache_max_bytes", "gauge", "What the cache may take; 0 is no limit.", report.max_size),
        ("cache_disk_free_bytes", "gauge", "What is free on the cache's disk.", report.disk_free),
        ("cache_hits_total", "counter", "Files sent from the cache.", gain.hits),
        ("cache_misses_total", "counter", "Files that came from an upstream while a client waited.", gain.misses),
        ("cache_saved_bytes_total", "counter", "Bytes that were not fetched again.", gain.bytes_saved),
        ("cache_saved_seconds_total", "counter", "What that saved, at the usual pace.", gain.seconds_saved),
        ("downloads_total", "counter", "Files fetched from upstreams.", gain.downloads),
        ("download_bytes_total", "counter", "Bytes of them.", gain.bytes_fetched),
        ("cache_evicted_files_total", "counter", "Files that left the cache.", gain.evicted),
        ("cache_evicted_bytes_total", "counter", "Bytes of them.", gain.bytes_evicted),
        ("downloads_unkept_total", "counter", "Downloads handed on without room to keep them.", gain.unkept),
    ):
        yield family(name, kind, sentence, [(one, value)])
    bases = library.bases()
    states = [({"index": base.index, "state": state}, float(base.state == state)) for base in bases for state in STATES]
    yield family("base_state", "gauge", "1 for the state that a mirror is in.", states)


def family(name: str, kind: str, sentence: str, samples: Iterable[Sample]) -> str:
    """Return the lines of one metric; label values are escaped as the format has it."""
    lines = [f"# HELP localpi_{name} {sentence}", f"# TYPE localpi_{name} {kind}"]
    for labels, value in samples:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"localpi_{name}{{{shown}}} {value!r}" if shown else f"localpi_{name} {value!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
