"""`doctor`: what is wrong, what that means, what mends it; and the mending that is safe to do unasked."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.settings.running import remove_running
from localpi.setup import doctor_checks, doctor_roads
from localpi.setup.stop import find_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from localpi.reports import Finding
    from localpi.settings.paths import Paths
    from localpi.setup.doctor_facts import Facts, PathFacts

CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    doctor_checks.check_settings,
    doctor_checks.check_daemon,
    doctor_checks.check_port,
    doctor_checks.check_service,
    doctor_checks.check_linger,
    doctor_checks.check_store,
    doctor_checks.check_modes,
    doctor_checks.check_disks,
    doctor_checks.check_sqlite,
    doctor_checks.check_clock,
    doctor_roads.check_bases,
    doctor_roads.check_wiring,
    doctor_roads.check_shadows,
    doctor_roads.check_strays,
    doctor_roads.check_names,
    doctor_roads.check_hosts,
)
"""In the order of the report."""

WRONG = frozenset({"warning", "problem"})


@dataclass(frozen=True, slots=True)
class Mended:
    """What `--fix` did, or why it could not."""

    what: str
    failed: str = ""


def examine(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings of all checks."""
    return tuple(finding for check in CHECKS for finding in check(facts))


def is_well(findings: tuple[Finding, ...]) -> bool:
    """Return whether nothing is wrong; notes are no wrong."""
    return not any(finding.severity in WRONG for finding in findings)


def mend(facts: Facts, paths: Paths) -> tuple[Mended, ...]:
    """Do what is safe and exact: modes, a signpost without a daemon, a cache database that is none.

    Nothing that a person wrote is touched. Never raises; what could not be done says why.
    """
    done = [
        _attempt(f"chmod {path.wanted:o} {path.path}", partial(_tighten, path)) for path in facts.paths if path.mine
    ]
    if facts.daemon.stale_file:
        done.append(_attempt(f"removed {facts.daemon.stale_file}", partial(_remove_signpost, paths)))
    for problem in facts.daemon.store or ():
        cache = paths.cache / "cache.sqlite"
        if facts.daemon.state == "absent" and problem.where == str(cache):
            done.append(_attempt(f"removed {cache}", partial(_remove_cache, paths)))
    return tuple(done)


def _attempt(what: str, deed: Callable[[], None]) -> Mended:
    try:
        deed()
    except OSError as error:
        return Mended(what, error.strerror or str(error))
    return Mended(what)


def _tighten(path: PathFacts) -> None:
    """Take from others what is ours, give ourselves what is missing; not through a link that came since."""
    descriptor = os.open(path.path, os.O_RDONLY | os.O_NOFOLLOW) if path.mode & 0o400 else None
    if descriptor is None:
        Path(path.path).chmod(path.wanted)
        return
    try:
        os.fchmod(descriptor, path.wanted)
    finally:
        os.close(descriptor)


def _remove_signpost(paths: Paths) -> None:
    if find_process(paths) is None:  # else one has started meanwhile
        remove_running(paths)


def _remove_cache(paths: Paths) -> None:
    if find_process(paths) is not None:
        return
    for name in ("cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm"):
        with contextlib.suppress(FileNotFoundError):
            (paths.cache / name).unlink()
