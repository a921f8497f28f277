"""`status`, `logs`: how things are, and what has been."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from localpi.cli import exits
from localpi.cli.health_text import describe
from localpi.cli.output import data, human_size, json_option, print_json, print_table, say
from localpi.cli.scene import Scene, pass_scene
from localpi.errors import DaemonNotRunning
from localpi.reports import plural

if TYPE_CHECKING:
    from localpi.reports import Status


@click.command("status")
@json_option
@pass_scene
def status_command(scene: Scene, *, as_json: bool) -> int:
    """Show whether the daemon runs, where, and how its bases and its cache are.

    Exits with 3 when it does not run.
    """
    from localpi.setup.gather import gather_status  # noqa: PLC0415 -- not needed by logs

    status = gather_status(scene.paths, scene.settings, scene.environ, sys.platform)
    if as_json:
        print_json(status)
    else:
        print_table(_rows(status))
    if not status.running:
        say(f"→ {DaemonNotRunning.hint}")
        return exits.NOT_RUNNING
    return exits.DONE


def _rows(status: Status) -> list[tuple[str, str]]:
    running = f"running, pid {status.pid}, for {_span(status.uptime_s or 0)}" if status.running else "not running"
    cache = f"{human_size(status.cache.bytes)} in {plural(status.cache.files, 'file')}"
    if status.cache.budget:
        cache += f" of {human_size(status.cache.budget)}"
    rows = [("daemon", running), ("url", status.url), ("index", status.index_url)]
    rows.append(("service", status.service or "none: localpi service install makes it start at login"))
    rows.append(("wired", ", ".join(status.wired) or "nothing"))
    if status.running:
        rows += [("cache", cache), *(("base", f"{base.index} {describe(base)}") for base in status.bases)]
        rows += [("note", note) for note in status.notes]
    return rows


def _span(seconds: int) -> str:
    for unit, scale in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= scale:
            return f"{seconds // scale} {unit}"
    return f"{seconds} s"


@click.command("logs")
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows, until interrupted.")
@click.option("-n", "--lines", type=click.IntRange(0, 100_000), default=50, show_default=True, help="How many lines.")
@click.option("--events", is_flag=True, help="What happened to mirrors instead: kept longer than the log.")
@json_option
@pass_scene
def logs_command(scene: Scene, *, follow: bool, lines: int, events: bool, as_json: bool) -> int:
    """Show the end of the daemon's log; works while it is stopped too.

    With --events (which --json goes with) the daemon is asked what happened to its mirrors.
    """
    if events or as_json:
        return _show_events(scene, lines, as_json=as_json)
    from localpi.setup.logfile import follow_lines, last_lines  # noqa: PLC0415 -- not needed by status

    log = scene.paths.log_file
    if not log.exists() and not follow:
        say(f"there is no log yet at {log}")
        return exits.DONE
    last, position = last_lines(log, lines)
    for line in last:
        data(line)
    if follow:
        for line in follow_lines(log, position):
            data(line)
    return exits.DONE


def _show_events(scene: Scene, limit: int, *, as_json: bool) -> int:
    found = scene.daemon.admin("GET", f"/events?limit={min(max(limit, 1), 1000)}")["events"]
    if as_json:
        print_json({"events": found})
        return exits.DONE
    for event in reversed(found):
        data(f"{event['at']} {event['text']}")
    if not found:
        say("nothing has happened to the mirrors yet")
    return exits.DONE
