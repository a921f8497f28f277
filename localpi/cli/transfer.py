"""`import` and `export`: moving from another devpi, and to one."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from localpi.cli import exits
from localpi.cli.output import human_size, json_option, print_json, say
from localpi.cli.scene import Scene, pass_scene
from localpi.reports import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.remote.devpi import Item, Source


@click.command("import")
@click.argument("source")
@json_option
@pass_scene
def import_command(scene: Scene, *, source: str, as_json: bool) -> int:
    """Take over what a devpi has: SOURCE is a folder that devpi-export wrote, or the URL of a running server.

    A dump has users with their passwords, indexes, files, documentation, test results and logs; a running server gives
    all but the passwords. What is here already is passed over, so an import may be run again. Exit 1: something could
    not be taken; it is named.
    """
    from localpi.remote.moving import Mover  # noqa: PLC0415 -- the help of all commands imports this module

    daemon = scene.daemon
    moved = Mover(_open(source), daemon, _progress(lambda item: f"{item.index}: {item.filename}")).move()
    _end_progress()
    if as_json:
        print_json(asdict(moved))
    else:
        say(f"imported {_counts(moved.users, moved.indexes, moved.files)} ({human_size(moved.bytes)})")
        if moved.kept:
            say(f"here already: {plural(moved.kept, 'file')}")
        for note in moved.notes:
            say(f"note: {note}")
        for lost in moved.not_taken:
            say(f"not taken: {lost}")
    return exits.NO if moved.not_taken else exits.DONE


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
@pass_scene
def export_command(scene: Scene, *, folder: Path, as_json: bool) -> None:
    """Write users, indexes and packages to a new FOLDER, as devpi-import and `localpi import` read it.

    Password hashes are in it: keep it to yourself. What mirrors cached is left out.
    """
    from localpi.remote.dumping import dump  # noqa: PLC0415 -- as above

    daemon = scene.daemon
    tell = _line_progress()
    done = dump(daemon, folder, tell)
    _end_progress()
    if as_json:
        print_json(asdict(done))
    say(f"wrote {_counts(done.users, done.indexes, done.files)} ({human_size(done.bytes)}) to {folder}")


def _counts(users: int, indexes: int, files: int) -> str:
    return f"{plural(users, 'user')}, {plural(indexes, 'index', 'indexes')}, {plural(files, 'file')}"


def _open(source: str) -> Source:
    if source.startswith(("http://", "https://")):
        from localpi.remote.devpi_site import Site  # noqa: PLC0415 -- as above

        return Site(source)
    from localpi.remote.devpi_dump import Dump  # noqa: PLC0415 -- as above

    if not Path(source).is_dir():
        raise click.UsageError(f"{source} is neither a folder nor an http URL")
    return Dump(Path(source))


def _progress(describe: Callable[[Item], str]) -> Callable[[int, Item], None]:
    tell = _line_progress()
    return lambda done, item: tell(f"{done + 1}  {describe(item)}")


def _line_progress() -> Callable[[str], None]:
    """Return what shows the file at hand on one line of a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _text: None
    return lambda text: click.echo(f"\r\x1b[K{text[:100]}", err=True, nl=False)


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
