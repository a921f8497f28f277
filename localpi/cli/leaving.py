"""`uninstall`: off the machine again; what was kept stays, unless it is told to go."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from localpi.cli import exits
from localpi.cli.output import human_size, say
from localpi.cli.scene import Scene, pass_scene


@click.command("uninstall")
@click.option("--purge", is_flag=True, help="Delete settings, packages, cache and logs as well.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, do nothing.")
@pass_scene
def uninstall_command(scene: Scene, *, purge: bool, yes: bool, dry_run: bool) -> int:
    """Unwire everything, stop the daemon, remove its service, and say where the data is.

    The program itself stays: what installed it removes it.
    """
    from localpi.cli.wiring import unwire_command  # noqa: PLC0415 -- not needed for help
    from localpi.setup import removal  # noqa: PLC0415 -- psutil and subprocess

    folders = removal.kept_folders(scene.paths)
    if purge and not dry_run and not yes and scene.may_ask():
        for folder in folders:
            say(f"  {folder}   ({human_size(_size(folder))})")
        click.confirm("Delete these folders, with your own packages in them?", abort=True, err=True)
    unwired = int(click.get_current_context().invoke(unwire_command, tool="all", dry_run=dry_run) or exits.DONE)
    if dry_run:
        say(f"would stop the daemon and remove its service; would {'delete' if purge else 'keep'}:")
    else:
        name = removal.stop_all(scene.paths, scene.environ)
        say(f"{name}: stopped and removed" if name else "the daemon is stopped; it had no service")
        if purge and unwired != exits.DONE:
            say("nothing was deleted: what could not be unwired needs the records in the data")
            return unwired
        if purge:
            removal.purge(scene.paths)
        say("deleted:" if purge else "what it kept is still there:")
    for folder in folders:
        say(f"  {folder}")
    if not (purge or dry_run):
        say("to delete that too: localpi uninstall --purge")
    say(f"the program goes with: {removing_command(Path(sys.prefix), sys.executable)}")
    return unwired


def removing_command(prefix: Path, executable: str) -> str:
    """Return what removes the program, by where it is installed."""
    place = prefix.as_posix()
    if "/pipx/venvs/" in place:
        return "pipx uninstall localpi"
    return "uv tool uninstall localpi" if "/uv/tools/" in place else f"{executable} -m pip uninstall localpi"


def _size(folder: Path) -> int:
    """Return what a folder holds, in bytes."""
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
