"""`backup` and `restore`: everything that is yours in one file, and back."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from localpi.cli.output import human_size, json_option, print_json, say
from localpi.cli.scene import Scene, pass_scene
from localpi.reports import plural

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWN_EVERY_S = 0.1


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--cache", is_flag=True, help="Also what mirrors gave; without it only what you pinned.")
@json_option
@pass_scene
def backup_command(scene: Scene, *, file: Path, cache: bool, as_json: bool) -> None:
    """Write users, indexes, packages, documentation, pins and settings to FILE while the daemon serves.

    It is a plain tar that `localpi restore` reads. Password hashes and secrets are in it: keep it to yourself. An older
    backup of that name is replaced once the new one is whole. Credentials that the keyring keeps are left out.
    """
    from localpi.remote.backup import back_up  # noqa: PLC0415 -- the help of all commands imports this module

    done = back_up(scene.daemon, scene.paths, file, cache=cache, tell=_progress("written"))
    if as_json:
        report = asdict(done)
        del report["digests"]
        print_json(report)
        return
    say(f"wrote {plural(done.files, 'file')} ({human_size(done.bytes)}) to {file}")
    if done.missing:
        say(f"not on the disk any more, but listed: {plural(len(done.missing), 'file')}; localpi doctor")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Also where there is data; it is kept aside.")
@json_option
@pass_scene
def restore_command(scene: Scene, *, file: Path, force: bool, as_json: bool) -> None:
    """Put back what `localpi backup` wrote to FILE; the daemon must be stopped.

    Every file is checked against its digest first. All of it is restored, or nothing is changed.
    """
    from localpi.daemon.restore import restore  # noqa: PLC0415 -- SQLite

    done = restore(scene.paths, file, force=force, tell=_progress("checked"))
    if as_json:
        print_json(asdict(done))
        return
    say(f"restored the backup of {done.made_at}: {plural(done.files, 'file')} ({human_size(done.bytes)})")
    for folder in done.aside:
        say(f"what was there before is in {folder}")
    if done.missing:
        say(f"listed, but not on the disk when it was made: {plural(done.missing, 'file')}")
    say("  → localpi up")


def _progress(what: str) -> Callable[[int, int], None]:
    """Return what shows on one line of a terminal how far it is, and nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _done, _total: None
    shown = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if done >= total:
            click.echo("\r\x1b[K", err=True, nl=False)
        elif now - shown > SHOWN_EVERY_S:
            shown = now
            click.echo(f"\r\x1b[K{what} {human_size(done)} of {human_size(total)}", err=True, nl=False)

    return tell
