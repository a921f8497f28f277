"""The command: what to measure on what, where to put it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from benchmarks import hot, rows, table
from benchmarks.campaign import Campaign
from benchmarks.corpus import open_corpus
from benchmarks.localpi_server import Localpi
from benchmarks.measures import FORMS, Bench
from benchmarks.nginx import Nginx, find_nginx
from benchmarks.processes import BenchmarkError
from benchmarks.servers import Devpi, Proxpi, Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.corpus import Corpus

PEERS: dict[str, type[Devpi | Proxpi | Localpi]] = {"devpi": Devpi, "proxpi": Proxpi, "localpi": Localpi}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; 0 when every target that was measured is reached, 1 when not, 2 when nothing was."""
    options = _parse(arguments)
    work = options.work or _default_work()
    work.mkdir(parents=True, exist_ok=True)
    try:
        find_nginx()
        corpus = open_corpus(work / "corpus", made_only=options.made, say=_say)
        nginx = Nginx(work, corpus, html_only=options.upstream == "html")
        nginx.prepare(_say)
    except BenchmarkError as error:
        _say(str(error))
        return 2
    peers = _prepare([PEERS[name](work) for name in options.peers])
    bench = Bench(corpus, options.form, options.seconds)
    campaign = Campaign(nginx, peers, bench, work=work, say=_say)
    figures = campaign.run(options.rows, options.rounds)
    servers = [nginx.name, *(peer.name for peer in peers)]
    facts = _facts(corpus, [nginx, *peers], options) | {"notes": bench.notes}
    target = options.json or work / "results.json"
    result = {"schema": 1, **facts, "rows": table.as_json(figures, servers, options.rows)}
    target.write_text(json.dumps(result, indent=1), encoding="utf-8")
    machine, versions = facts["machine"], ", ".join(facts["versions"].values())
    print(f"{facts['date']}, {machine['cpus']} cores, {machine['memory_gb']} GB, {machine['system']}; {versions}")
    print(f"\n{table.table(figures, servers, options.rows)}\n")
    for note in bench.notes:
        print(f"- {note}")
    _say(f"written to {target}")
    return int(any(row["reached"] is False for row in result["rows"]))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/benchmarks/run.py",
        description="Measure localpi beside nginx, devpi-server and proxpi: same upstream, same client, same run.",
        epilog=f"rows: {' '.join(rows.MEASURES)}",
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="corpus, environments and data; kept for the next run")
    parser.add_argument("--rows", type=_list_of(rows.MEASURES), default=rows.MEASURES, metavar="ROW,…")
    parser.add_argument("--peers", type=_list_of(tuple(PEERS)), default=tuple(PEERS), metavar="PEER,…")
    parser.add_argument("--rounds", type=_at_least_one, default=3, metavar="N", help="the median counts (3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a hot row (3)")
    parser.add_argument("--form", choices=tuple(FORMS), default="html", help="what clients ask for (html)")
    parser.add_argument("--upstream", choices=("json", "html"), default="json", help="what the upstream speaks (json)")
    parser.add_argument("--made", action="store_true", help="a made corpus: nothing is asked of pip or its indexes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write (DIR/results.json)")
    return parser.parse_args(arguments)


def _list_of(known: tuple[str, ...]) -> Any:
    def chosen(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return names

    return chosen


def _at_least_one(text: str) -> int:
    return max(1, int(text))


def _default_work() -> Path:
    """Give a folder that stays for the next run; one that somebody else has made is not taken."""
    work = Path(tempfile.gettempdir()) / f"localpi-benchmarks-{os.getuid()}"
    work.mkdir(mode=0o700, exist_ok=True)
    if work.is_symlink() or work.stat().st_uid != os.getuid():
        return Path(tempfile.mkdtemp(prefix="localpi-benchmarks-"))
    return work


def _prepare(peers: Sequence[Server]) -> list[Server]:
    ready = []
    for peer in peers:
        try:
            peer.prepare(_say)
        except (BenchmarkError, OSError) as error:
            _say(f"{peer.name} is left out: {error}")
        else:
            ready.append(peer)
    return ready


def _facts(corpus: Corpus, servers: Sequence[Server], options: argparse.Namespace) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": {
            "cpus": psutil.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        "versions": {server.name: _version(server) for server in servers},
        "corpus": corpus.summary(),
        "client": {"hot": hot.client(), "form": options.form, "upstream": options.upstream, "seconds": options.seconds},
        "rounds": options.rounds,
    }


def _version(server: Server) -> str:
    version = server.version()
    return version if version.startswith(server.name) else f"{server.name} {version}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
