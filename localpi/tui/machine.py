"""The drawers of the desk that are about this machine: the process, its service, its log, the tools' wiring.

What they need is imported when it is called: psutil, subprocess and the parsers would be in the way of the first frame.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.remote.cache import RemoteCache, RemoteReasons
from localpi.remote.indexes import RemoteBases, RemoteIndexes
from localpi.remote.packages import RemotePackages
from localpi.tui.desk import Desk, LogChunk, LogLine, ServiceState
from localpi.tui.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.remote.told import Event, Why
    from localpi.reports import Status
    from localpi.settings.load import Settings
    from localpi.settings.paths import Paths

AT_ONCE = 500
"""Lines of the log."""
MOST_BYTES = 2_000_000
_LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT\S+) (?P<level>[A-Z]+) (?P<room>\S+): (?P<text>.*)")
_REQUEST = re.compile(r"(?:GET|HEAD) /(?P<index>[^/+ ]+/[^/+ ]+)/\+simple/(?P<project>[a-z0-9][a-z0-9.-]*)/")


@dataclass(frozen=True, slots=True)
class Machine:
    """The process and its service."""

    paths: Paths
    settings: Settings
    environ: Mapping[str, str]

    def status(self) -> Status:
        """Return how things are; never raises for a daemon that is away."""
        from localpi.setup.gather import gather_status  # noqa: PLC0415 -- see above

        return gather_status(self.paths, self.settings, self.environ, sys.platform)

    def is_first_run(self) -> bool:
        """Return whether localpi has never run here: there is no database."""
        return not (self.paths.data / "localpi.sqlite").exists()

    def start_daemon(self) -> str:
        """Start it and wait until it answers; returns the index URL. Raises StartFailed, OSError."""
        from localpi.setup.gather import index_url  # noqa: PLC0415 -- see above
        from localpi.setup.start import start  # noqa: PLC0415 -- as above

        return index_url(start(self.paths, self.environ).daemon.url, self.settings.default_index)

    def stop_daemon(self) -> None:
        """Stop it; raises StillRunningError."""
        from localpi.setup.stop import stop  # noqa: PLC0415 -- see above

        stop(self.paths, self.environ)

    def service_state(self) -> ServiceState:
        """Return how it is started at login; never writes."""
        from localpi.setup.service import report_service  # noqa: PLC0415 -- see above

        report = report_service(self.paths, self.environ)
        kind = "launchd" if sys.platform == "darwin" else "systemd"
        detail = report.fault or report.unavailable or f"{report.name} is {report.activity}"
        return ServiceState("" if report.unavailable else kind, report.installed, detail)

    def install_service(self) -> str:
        """Have it started at login; raises NoServiceManagerError and what starting raises."""
        from localpi.setup.serving import install_service  # noqa: PLC0415 -- see above

        made = install_service(self.paths, self.environ)
        kept = f"; kept in config.toml: {', '.join(each.key for each in made.kept)}" if made.kept else ""
        return f"{made.name} is started at login{kept}"

    def remove_service(self) -> str:
        """Start it at login no longer."""
        from localpi.setup.removal import remove_service  # noqa: PLC0415 -- see above

        name = remove_service(self.paths, self.environ)
        return f"{name} is gone; the daemon has stopped (s starts it)" if name else "there was none"


@dataclass(frozen=True, slots=True)
class LogFile:
    """The daemon's log, and the daemon's own reasons."""

    paths: Paths
    reasons: RemoteReasons

    def events(self) -> tuple[Event, ...]:
        """Return the last events, newest first."""
        return self.reasons.events()

    def log_lines(self, position: int) -> LogChunk:
        """Return the lines after a byte position, the last ones for -1; a file that was rotated begins again."""
        from localpi.setup.logfile import last_lines  # noqa: PLC0415 -- see above

        if position < 0:
            lines, position = last_lines(self.paths.log_file, AT_ONCE)
            return LogChunk(tuple(read_line(line) for line in lines), position)
        try:
            with self.paths.log_file.open("rb") as file:
                end = file.seek(0, 2)
                start = 0 if end < position else position
                file.seek(start)
                whole, newline, _ = file.read(MOST_BYTES).rpartition(b"\n")
        except FileNotFoundError:
            return LogChunk((), 0)
        added = (whole + newline).decode("utf-8", "replace").splitlines()
        return LogChunk(tuple(read_line(line) for line in added[-AT_ONCE:]), start + len(whole) + len(newline))

    def why(self, index: str, project: str) -> Why:
        """Return why a name is answered as it is."""
        return self.reasons.why(index, project)


def read_line(line: str) -> LogLine:
    """Take a line of the log apart; one that is none is all text."""
    found = _LINE.fullmatch(line)
    if found is None:
        return LogLine("", "INFO", "", line)
    request = _REQUEST.search(found["text"])
    project, index = (request["project"], request["index"]) if request else ("", "")
    return LogLine(found["at"], found["level"], found["room"], found["text"], project, index)


def open_desk(paths: Paths, settings: Settings, environ: Mapping[str, str]) -> Desk:
    """Return the desk of this machine; nothing is asked or read yet."""
    return Desk(
        running=Machine(paths, settings, environ),
        wiring=Tools(paths, settings, environ),
        indexes=RemoteIndexes(paths),
        packages=RemotePackages(paths),
        bases=RemoteBases(paths),
        cache=RemoteCache(paths, settings.cache_max_size),
        log=LogFile(paths, RemoteReasons(paths)),
    )
