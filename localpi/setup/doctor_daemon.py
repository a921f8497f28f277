"""Facts about the daemon: whether it is there, what it says of itself, whom it lets in.

Each question is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from localpi import __version__
from localpi.errors import DaemonNotRunning
from localpi.remote.daemon import Daemon, RemoteError
from localpi.reports import BaseHealth, bases_from_json, plural
from localpi.settings.running import local_url, read_owner_secret, read_running
from localpi.setup.doctor_facts import DaemonFacts, Refused, StoreProblem
from localpi.setup.logfile import last_lines
from localpi.setup.stop import find_process

if TYPE_CHECKING:
    from localpi.settings.load import Settings
    from localpi.settings.paths import Paths

ANSWER_S = 5.0
CHECK_S = 20.0
"""For looking through databases and files."""
CONTAINER_NAMES = (
    "host.docker.internal",
    "host.containers.internal",
    "host.lima.internal",
    "host.rancher-desktop.internal",
)
MAGIC = b"SQLite format 3\0"
MOST_COUNTED = 1000
"""Uploads that are counted in a folder; beyond that there are more."""
BROKEN = ("database", "missing", "size", "digest")
"""The kinds of the store's problems that are some; what transfers under way leave is none."""


@dataclass(frozen=True, slots=True)
class Told:
    """The daemon, and what else it told."""

    facts: DaemonFacts
    bases: tuple[BaseHealth, ...] = ()
    indexes: dict[str, dict[str, Any]] | None = None
    """`user/name` to configuration; None when it could not be asked."""


def gather_daemon(paths: Paths, settings: Settings) -> Told:
    """Return the facts about the daemon of these folders; never raises for one that is away, hangs, or is broken."""
    process, running = find_process(paths), read_running(paths)
    url = local_url(settings.host, settings.port)
    if process is None or running is None:
        stale = str(paths.running_file) if paths.running_file.exists() else ""
        said, store = last_error(paths.log_file), (*_broken_databases(paths), *_unclaimed(paths))
        absent = DaemonFacts("absent", url, own_version=__version__, stale_file=stale, last_words=said, store=store)
        return Told(absent)
    common: dict[str, Any] = {
        "url": running.url,
        "host": running.host,
        "port": running.port,
        "pid": running.pid,
        "version": running.version,
        "own_version": __version__,
    }
    daemon = Daemon(running.url, secret=read_owner_secret(paths), running=running)
    try:
        health = daemon.health(timeout_s=ANSWER_S)
    except (DaemonNotRunning, RemoteError):
        return Told(DaemonFacts("silent", **common))
    status, told = _ask(daemon, "/+admin/status")
    checked, problems = _ask(daemon, "/+admin/check", within_s=CHECK_S)
    _, front = _ask(daemon, "/")
    facts = DaemonFacts(
        "serving",
        **common,
        owned=status not in {401, 403},
        program_gone=_gone_program(process),
        store=(*_store_problems(problems), *_unclaimed(paths)) if checked else None,
        refused=_refused(told),
        names=_names(daemon, running.port, settings.allowed_hosts),
    )
    return Told(facts, bases_from_json(health.get("bases")), _indexes(front))


def _ask(daemon: Daemon, path: str, *, within_s: float = ANSWER_S) -> tuple[int, dict[str, Any]]:
    """Return status and JSON object; 0 and {} when there is no answer in time, {} where there is none to be had."""
    try:
        answer = daemon.request("GET", path, timeout_s=within_s)
        found = answer.json() if answer.status == 200 else {}
    except DaemonNotRunning:
        return 0, {}
    except RemoteError:
        return answer.status, {}
    return answer.status, found if isinstance(found, dict) else {}


def _names(daemon: Daemon, port: int, allowed: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Return the status that each name of this machine gets, the names of `allowed_hosts` among them."""
    asked = []
    for name in dict.fromkeys((*CONTAINER_NAMES, *allowed[:20])):
        host = f"[{name}]:{port}" if name.count(":") > 1 else f"{name}:{port}"
        try:
            answer = daemon.request("GET", "/+health", headers={"Host": host}, owner=False, timeout_s=ANSWER_S)
        except (DaemonNotRunning, ValueError):  # ValueError: no name that a header can have
            continue
        asked.append((name, answer.status))
    return tuple(asked)


def _store_problems(found: dict[str, Any]) -> tuple[StoreProblem, ...]:
    rows = [row for row in _rows(found, "problems") if row.get("kind") in BROKEN]
    return tuple(StoreProblem(str(row["kind"]), str(row.get("where")), str(row.get("what"))) for row in rows)


def _refused(found: dict[str, Any]) -> tuple[Refused, ...]:
    rows = _rows(found, "refused_hosts")
    return tuple(Refused(str(row.get("host")), int(row.get("count") or 1), int(row.get("ago_s") or 0)) for row in rows)


def _rows(found: dict[str, Any], key: str) -> list[dict[str, Any]]:
    rows = found.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _indexes(front: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    users = front.get("result")
    if not isinstance(users, dict):
        return None
    return {
        f"{user}/{name}": config
        for user, row in users.items()
        if isinstance(row, dict)
        for name, config in (row.get("indexes") or {}).items()
        if isinstance(config, dict)
    }


def _gone_program(process: psutil.Process) -> str:
    """Return the daemon's interpreter when the file is gone: uninstalled, or replaced by an upgrade."""
    try:
        program = process.exe()
    except (psutil.Error, OSError):
        return ""
    named = program.removesuffix(" (deleted)")  # as Linux writes it in /proc/PID/exe
    return named if named and not Path(named).exists() else ""


def last_error(log: Path) -> str:
    """Return the error that the log ends with, "" when it ends with something else."""
    lines, _ = last_lines(log, 6)
    told = [match[1] for line in lines[-3:] if (match := re.match(r"\S+ (?:ERROR|CRITICAL) [\w.]+: (.*)", line))]
    return told[-1][:300] if told else ""


def _broken_databases(paths: Paths) -> tuple[StoreProblem, ...]:
    """Look at the first bytes of each: only the daemon opens them."""
    found = []
    for file in (paths.data / "localpi.sqlite", paths.cache / "cache.sqlite"):
        try:
            with file.open("rb") as source:
                head = source.read(len(MAGIC))
        except FileNotFoundError:
            if file.parent == paths.data and (uploads := _count(paths.data / "files")):
                found.append(
                    StoreProblem("gone", str(file), f"it is not there, and {uploads} would be without an index")
                )
            continue
        except OSError as error:
            found.append(StoreProblem("database", str(file), f"cannot be read: {error.strerror}"))
            continue
        if head and head != MAGIC:
            found.append(StoreProblem("database", str(file), "this is no SQLite database"))
    return tuple(found)


def _unclaimed(paths: Paths) -> tuple[StoreProblem, ...]:
    """Return the folder of uploads that were set aside at a start because no index had them."""
    folder = paths.data / "unclaimed"
    uploads = _count(folder)
    return (StoreProblem("unclaimed", str(folder), f"{uploads} that no index has"),) if uploads else ()


def _count(folder: Path) -> str:
    """Say how many uploads are in a folder, `ab/cdef…`; "" when none is, and no more than a thousand are counted."""
    found = sum(1 for _ in islice(folder.glob("??/*"), MOST_COUNTED + 1))
    return (
        "" if not found else f"more than {MOST_COUNTED:,} uploads" if found > MOST_COUNTED else plural(found, "upload")
    )
