"""`upload`: files from disk to an index, in the form that twine sends."""

from __future__ import annotations

from pathlib import Path

import click

from localpi.cli.output import human_size, say
from localpi.cli.scene import Scene, index_option, pass_scene


@click.command("upload")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@index_option
@pass_scene
def upload_command(scene: Scene, *, files: tuple[Path, ...], index: str | None) -> None:
    """Upload wheels and sdists."""
    from localpi.remote.upload import upload  # noqa: PLC0415 -- the help of all commands imports this module

    index = scene.index(index)
    daemon = scene.daemon
    for file, fields in [(file, form_fields(file)) for file in files]:
        upload(daemon, index, file, fields)
        say(f"{file.name} ({human_size(file.stat().st_size)}) is on {index}")


def form_fields(file: Path) -> dict[str, str | tuple[str, ...]]:
    """Return the fields of the legacy upload form for `file`, from what it says about itself.

    Raises InvalidName for a name that is no distribution's, InvalidUpload for metadata that cannot be read.
    """
    from localpi.simple.archive import read_core_metadata  # noqa: PLC0415 -- as above
    from localpi.simple.metadata import parse_core_metadata  # noqa: PLC0415 -- as above
    from localpi.simple.names import parse_filename  # noqa: PLC0415 -- as above

    parsed = parse_filename(file.name)
    with file.open("rb") as source:
        data = read_core_metadata(source, parsed)
    fields: dict[str, str | tuple[str, ...]] = {"name": parsed.project, "version": parsed.version}
    if data:
        found = parse_core_metadata(data)
        fields |= {**found.fields, "name": found.name, "version": found.version}
    wheel = parsed.filetype == "bdist_wheel"
    tags = file.name.removesuffix(".whl").split("-")
    return fields | {"filetype": parsed.filetype, "pyversion": tags[-3] if wheel else "source"}
