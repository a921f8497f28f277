"""`upload`: files from disk to an index, in the form that twine sends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from localpi.cli.output import human_size, say
from localpi.cli.scene import Scene, index_option, pass_scene

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORM_NAMES = {"platforms": "platform", "supported_platforms": "supported_platform", "license_files": "license_file"}
"""Fields that the upload form names in the singular (legacy upload API) where packaging.metadata has a plural."""


@click.command("upload")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@index_option
@pass_scene
def upload_command(scene: Scene, *, files: tuple[Path, ...], index: str | None) -> None:
    """Upload wheels and sdists; all are looked at before the first is sent."""
    from localpi.remote.upload import prepare_upload  # noqa: PLC0415 -- the help of all commands imports this module

    index = scene.index(index)
    daemon = scene.daemon
    for file, fields in [(file, form_fields(file)) for file in files]:
        form = prepare_upload(file, fields)
        daemon.send(f"/{index}/", show_progress(form.pieces, form.size, file.name), form.headers)
        say(f"{file.name} ({human_size(file.stat().st_size)}) is on {index}")


def show_progress(pieces: Iterable[bytes], size: int, label: str) -> Iterator[bytes]:
    """Pass `pieces` on, with a bar on stderr when a person watches."""
    with click.progressbar(length=size, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for piece in pieces:
            yield piece
            bar.update(len(piece))


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
        named = {FORM_NAMES.get(key, key): value for key, value in found.fields.items()}
        fields |= {**named, "name": found.name, "version": found.version}
        if isinstance(keywords := found.fields.get("keywords"), tuple):
            fields["keywords"] = ",".join(keywords)
    wheel = parsed.filetype == "bdist_wheel"
    tags = file.name.removesuffix(".whl").split("-")
    return fields | {"filetype": parsed.filetype, "pyversion": tags[-3] if wheel else "source"}
