"""What is wrong with the daemon and the machine under it: one small function for each question. Pure."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from localpi.reports import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localpi.reports import ServiceReport
    from localpi.setup.doctor_facts import Facts, PathFacts, StoreProblem

INSTALL = "localpi service install"
RESTART = "localpi down && localpi up"
SQLITE_SOUND = (3, 51, 3)
"""The first without the WAL-reset bug (https://sqlite.org/wal.html, 2026-03-13)."""
FULL = 100 * 1000**2
"""Bytes: less is as good as nothing, one wheel may be larger."""
FEW_FILES = 1000
OLDEST_YEAR = 2026
"""No clock that is right says less: this was written then."""
AHEAD_S = 600
MOST = 5
"""Of a kind are told one by one."""


def check_settings(facts: Facts) -> Iterator[Finding]:
    """Whether config.toml and the variables are understood."""
    settings = facts.settings
    if settings.error:
        meaning = "the daemon does not start with it; what follows was looked at with the defaults"
        yield Finding("settings", "problem", settings.error, meaning, settings.hint or f"edit {settings.file}")
    else:
        yield Finding("settings", "ok", f"{settings.file} is understood")


def check_daemon(facts: Facts) -> Iterator[Finding]:
    """Whether it runs, answers, is of this version, and takes the owner's word."""
    daemon = facts.daemon
    if daemon.stale_file:
        what = f"{daemon.stale_file} speaks of a daemon that is gone"
        meaning = "it was killed, or the machine went down; what was committed is there"
        yield Finding("daemon", "warning", what, meaning, "localpi up", f"remove {daemon.stale_file}")
    if daemon.waiting:
        yield Finding("daemon", "note", "the daemon is not running, and starts with the next request", "", "localpi up")
        return
    if daemon.state == "absent":
        said = f"; its last words: {daemon.last_words}" if daemon.last_words else ""
        meaning = f"whatever is wired to it cannot install meanwhile{said}"
        yield Finding("daemon", "problem", "the daemon is not running", meaning, "localpi up")
        return
    if daemon.state == "silent":
        what = f"process {daemon.pid} is there, and does not answer at {daemon.url}"
        yield Finding("daemon", "problem", what, "installs hang until they time out", RESTART)
        return
    if not daemon.owned:
        what = "the daemon does not take this user's secret"
        meaning = "commands that change something are refused; it runs on other folders, or its secret was replaced"
        yield Finding("daemon", "problem", what, meaning, RESTART)
    if daemon.program_gone:
        what = f"the daemon runs on {daemon.program_gone}, which is no longer there"
        meaning = "it goes on until it ends; then it cannot start by that program any more"
        yield Finding("daemon", "warning", what, meaning, RESTART)
    if daemon.version != daemon.own_version:
        what = f"the daemon is localpi {daemon.version}, this command is {daemon.own_version}"
        yield Finding("daemon", "warning", what, "what is new is not there until it has restarted", RESTART)
    else:
        yield Finding("daemon", "ok", f"localpi {daemon.version} answers at {daemon.url}, pid {daemon.pid}")


def check_store(facts: Facts) -> Iterator[Finding]:
    """Whether databases and files agree."""
    problems, serving = facts.daemon.store, facts.daemon.state == "serving"
    if problems is None:
        yield Finding("store", "note", "the store is too large to be checked while you wait")
        return
    for problem in problems[:MOST]:
        yield _store_finding(problem, running=facts.daemon.state != "absent")
    if len(problems) > MOST:
        yield Finding("store", "problem", f"and {len(problems) - MOST} more like these")
    if serving and not problems:
        yield Finding("store", "ok", "databases and files agree")


def _store_finding(problem: StoreProblem, *, running: bool) -> Finding:
    what = f"{problem.where}: {problem.what}"
    if problem.kind == "gone":
        meaning = "users and indexes are in it; the next start begins with none, and sets the uploads aside"
        return Finding("store", "problem", what, meaning, "localpi restore FILE --force, or put a copy of it there")
    if problem.kind == "unclaimed":
        meaning = "an upload that was cut short, or a database that was lost or replaced by an older one"
        remedy = "with the right database in place, localpi down && localpi up fetches them back; else delete them"
        return Finding("store", "note", what, meaning, remedy)
    if problem.kind != "database":
        meaning = "that file cannot be installed; what a mirror has is fetched again, an upload has to come from you"
        return Finding("store", "problem", what, meaning, "localpi upload FILE, with what was uploaded")
    if problem.where.endswith("cache.sqlite"):
        meaning = "it holds what upstreams can send again; without it the daemon begins anew"
        remedy = f"localpi down && rm {quote(problem.where)} && localpi up"
        return Finding("store", "problem", what, meaning, remedy, "" if running else f"remove {problem.where}")
    meaning = "users, indexes and what you uploaded are in it; keep the broken file, much of it can often be recovered"
    return Finding(
        "store", "problem", what, meaning, f"localpi down, then put a copy of it in place of {problem.where}"
    )


def check_service(facts: Facts) -> Iterator[Finding]:
    """Whether it starts at login, by a program that is there."""
    service = facts.service
    if service is None:
        return
    yield _no_service(service.unavailable) if not service.installed else _service_finding(service, facts)


def _no_service(unavailable: str) -> Finding:
    meaning = "the daemon does not start at login"
    if unavailable:
        what = f"no service can be installed here: {unavailable}"
        return Finding("service", "note", what, meaning, "localpi up, after each boot")
    return Finding("service", "note", "no service is installed", meaning, INSTALL)


def _service_finding(service: ServiceReport, facts: Facts) -> Finding:
    if service.fault:
        what = f"{service.name} cannot run its program: {service.fault}"
        return Finding("service", "problem", what, "the daemon does not start at login any more", INSTALL)
    if service.unavailable:
        what = f"{service.name} is installed, but cannot be asked: {service.unavailable}"
        return Finding("service", "note", what, "under su and cron that is so; ask from a login of your own")
    if service.activity == "failed":
        what = f"{service.name} has given up: {service.ended or 'it failed'}"
        return Finding("service", "problem", what, "it is not started again by itself", "localpi service restart")
    if not service.enabled:
        what = f"{service.name} is installed and switched off"
        return Finding("service", "warning", what, "the daemon does not start at login", INSTALL)
    if not service.current and not facts.settings.error:
        what = f"{service.name} says something else than the settings"
        return Finding("service", "warning", what, "what was set since does not count for it", INSTALL)
    return Finding("service", "ok", f"{service.name} starts it at login")


def check_linger(facts: Facts) -> Iterator[Finding]:
    """Whether the service outlives the last logout."""
    service = facts.service
    if service is None or not service.installed or service.lingers is None:
        return
    if service.lingers:
        yield Finding("linger", "ok", "it runs from boot on, and after the last logout")
    else:
        meaning = "fine on a laptop; on a machine that is reached by ssh it stops with the last session"
        yield Finding("linger", "note", "it runs while you are logged in", meaning, "loginctl enable-linger")


def check_port(facts: Facts) -> Iterator[Finding]:
    """Whether the port that is set is the daemon's."""
    daemon, settings = facts.daemon, facts.settings
    if daemon.state != "absent" and settings.port not in {0, daemon.port}:
        what = f"the daemon listens on port {daemon.port}, {settings.port} is set"
        meaning = "what is wired names the one, the next start takes the other"
        yield Finding("port", "warning", what, meaning, RESTART)
    elif facts.port is not None and settings.port:
        kind = ", a devpi-server" if facts.port.devpi else ""
        what = f"port {settings.port} is in use by {facts.port.owner or 'another program'}{kind}"
        remedy = f"stop it, or: localpi config set port {settings.port + 1 if settings.port < 65535 else 3141}"
        yield Finding("port", "problem", what, "the daemon cannot start", remedy)
    elif daemon.waiting:
        yield Finding("port", "ok", f"port {settings.port} is held by systemd, for the daemon")
    elif daemon.state == "absent" and settings.port:
        yield Finding("port", "ok", f"port {settings.port} is free")


def check_modes(facts: Facts) -> Iterator[Finding]:
    """Whether folders and files are ours, and ours alone."""
    for path in facts.paths[:MOST]:
        yield _mode_finding(path)
    if len(facts.paths) > MOST:
        yield Finding("modes", "problem", f"and {len(facts.paths) - MOST} more like these", "", "localpi doctor --fix")
    if not facts.paths:
        yield Finding("modes", "ok", "folders and secrets are this user's alone")


def _mode_finding(path: PathFacts) -> Finding:
    if not path.mine:
        what = f"{path.path} belongs to another user"
        return Finding(
            "modes", "problem", what, "the daemon cannot rely on it", f'sudo chown -R "$(id -un)" {quote(path.path)}'
        )
    command = f"chmod {path.wanted:o} {quote(path.path)}"
    if not path.writable:
        what = f"{path.path} has mode {path.mode:04o}: it cannot be written to"
        return Finding("modes", "problem", what, "the daemon cannot start", command, command)
    what = f"{path.path} has mode {path.mode:04o}"
    meaning = (
        "other users of this machine can look into it" if path.folder else "other users of this machine can read it"
    )
    return Finding("modes", "warning", what, meaning, command, command)


def check_disks(facts: Facts) -> Iterator[Finding]:
    """Whether there is room."""
    for disk in facts.disks:
        where = ", ".join(disk.folders)
        if disk.read_only:
            yield Finding("disk", "problem", f"the disk of {where} is read-only", "the daemon cannot start")
        elif disk.free < FULL:
            what = f"{_size(disk.free)} are free for {where}"
            yield Finding("disk", "problem", what, "uploads and downloads fail", "free some space on that disk")
        elif disk.files_free is not None and disk.files_free < FEW_FILES:
            what = f"{disk.files_free} more files fit on the disk of {where}"
            yield Finding("disk", "problem", what, "uploads and downloads fail", "remove files on that disk")
        elif disk.free < facts.settings.keep_free:
            what = f"{_size(disk.free)} are free for {where}, cache.keep_free is {_size(facts.settings.keep_free)}"
            meaning = "the cache gives way: less of it is here when you are offline"
            yield Finding("disk", "warning", what, meaning, "free some space on that disk")
        else:
            yield Finding("disk", "ok", f"{_size(disk.free)} are free for {where}")


def check_sqlite(facts: Facts) -> Iterator[Finding]:
    """Whether SQLite is one with the WAL-reset bug."""
    if not facts.sqlite:
        return
    version = ".".join(str(part) for part in facts.sqlite)
    if facts.sqlite < SQLITE_SOUND:
        meaning = "two checkpoints at once may damage a database; localpi makes them one after the other, so it is safe"
        yield Finding("sqlite", "note", f"SQLite {version} has the WAL-reset bug (mended in 3.51.3)", meaning)
    else:
        yield Finding("sqlite", "ok", f"SQLite {version}")


def check_clock(facts: Facts) -> Iterator[Finding]:
    """Whether the clock can be right."""
    clock = facts.clock
    if clock is None:
        return
    if clock.year < OLDEST_YEAR:
        meaning = "no certificate is valid then, so no base can be reached; tokens do not expire"
        yield Finding("clock", "problem", f"the clock says {clock.year}", meaning, "set the clock")
    elif clock.ahead_s > AHEAD_S:
        what = f"{clock.newest} is from {_span(clock.ahead_s)} in the future"
        meaning = "the clock was set back: pages may count as fresh for too long, logs are out of order"
        yield Finding(
            "clock", "warning", what, meaning, "set the clock; if it is right now: localpi down && localpi up"
        )
    else:
        yield Finding("clock", "ok", "no file is from the future")


def _size(count: int) -> str:
    """Write bytes for people, decimal."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _span(seconds: int) -> str:
    for unit, scale in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * scale:
            return f"{seconds // scale} {unit}"
    return f"{seconds} s"
