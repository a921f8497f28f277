"""Projects, releases and files, for the owner's desk."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from localpi.errors import InvalidUpload
from localpi.remote.asking import Asking, number, rows, text
from localpi.remote.daemon import RemoteError
from localpi.remote.told import FileRow, Metadata, Release, Unsupported
from localpi.remote.upload import prepare_upload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from localpi.remote.told import Meter
    from localpi.settings.paths import Paths

MOST_FIELDS = 300
MOST_DESCRIPTION = 200_000


class RemotePackages:
    """What an index holds."""

    def __init__(self, paths: Paths) -> None:
        self._ask = Asking(paths)

    def projects(self, index: str) -> tuple[str, ...]:
        """Return the names that the index itself holds; raises DaemonNotRunning, RemoteError, as all here."""
        found = self._ask.daemon.api("GET", f"/{quote(index)}").get("projects", [])
        return tuple(str(name) for name in found)

    def releases(self, index: str, project: str) -> tuple[Release, ...]:
        """Return the releases that the index offers, its bases' too, newest first."""
        page = self._ask.daemon.project(index, project)
        here, own = self._presence(project), self._stages()
        files: dict[str, list[FileRow]] = {}
        for file in page.get("files", []):
            if isinstance(file, dict) and (version := _version(text(file, "filename"))):
                files.setdefault(version, []).append(_file(file, here, own))
        return tuple(Release(version, tuple(files[version])) for version in sorted(files, key=_order, reverse=True))

    def metadata(self, path: str) -> Metadata:
        """Return the core metadata of the file at a path of the daemon's URLs; raises as above."""
        answer = self._ask.daemon.request("GET", path + ".metadata", headers={"Accept": "*/*"})
        if answer.status != 200:
            raise RemoteError(answer.status, "there is no core metadata for this file", hint="choose a wheel")
        message = message_from_bytes(answer.body, policy=policy.compat32)
        fields = [(key, str(value)) for key, value in message.items() if key != "Description"][:MOST_FIELDS]
        body = message.get_payload()
        description = body if isinstance(body, str) and body.strip() else str(message.get("Description", ""))
        return Metadata(tuple(fields), description.strip()[:MOST_DESCRIPTION])

    def upload(self, index: str, file: Path, meter: Meter) -> None:
        """Upload a file; raises InvalidUpload for a name that is none, OSError."""
        form = prepare_upload(file, _fields(file.name))
        meter.total = form.size
        self._ask.daemon.send(f"/{quote(index)}/", _counted(form.pieces, meter), form.headers)

    def push(self, index: str, project: str, version: str, target: str) -> str:
        """Copy a release to another index, as devpi's push does."""
        body = {"name": project, "version": version, "targetindex": target}
        try:
            log = self._ask.daemon.api("POST", f"/{quote(index)}/", body)
        except RemoteError as error:
            if error.code == "invalid-upload" or error.status == 415:
                raise Unsupported("pushing a release to another index") from None
            raise
        done = (
            [str(step[1]) for step in log if isinstance(step, list) and len(step) > 1] if isinstance(log, list) else []
        )
        return f"{len(done)} steps done" if done else "copied"

    def yank(self, index: str, project: str, version: str, reason: str | None) -> None:
        """Yank a release, or with None take that back."""
        body = {"index": index, "project": project, "version": version, "reason": reason}
        self._ask.daemon.admin("POST", "/yank", body)

    def remove(self, index: str, project: str, version: str | None) -> None:
        """Delete a release, or all of a project."""
        path = f"/{quote(index)}/{quote(project)}" + (f"/{quote(version, safe='')}" if version else "/")
        self._ask.daemon.api("DELETE", path, force="")

    def _stages(self) -> frozenset[str]:
        """Return the indexes whose files are uploads, which are always here."""
        return frozenset(name for name, config in self._ask.configs().items() if config.get("type") != "mirror")

    def _presence(self, project: str) -> frozenset[str] | None:
        """Return the names of the files that are here, None where the daemon does not tell."""
        try:
            found = self._ask.daemon.admin("GET", f"/cache?by=file&name={quote(project)}")
        except RemoteError:
            return None
        return frozenset(text(row, "name") for row in rows(found, "rows"))


def _file(file: Mapping[str, Any], here: frozenset[str] | None, own: frozenset[str]) -> FileRow:
    path = text(file, "url")
    owner = "/".join(unquote(part) for part in path.partition("/+")[0].split("/")[-2:])
    yanked = file.get("yanked", False)
    return FileRow(
        filename=text(file, "filename"),
        index=owner,
        path=path,
        size=number(file, "size"),
        uploaded=text(file, "upload-time"),
        yanked=(yanked if isinstance(yanked, str) else "") if yanked else None,
        cached=owner in own or (None if here is None else text(file, "filename") in here),
        requires_python=text(file, "requires-python"),
    )


def _version(filename: str) -> str:
    """Return the version that a file's name says, "" for a name that is no wheel's or sdist's."""
    try:
        if filename.endswith(".whl"):
            return str(parse_wheel_filename(filename)[1])
        return str(parse_sdist_filename(filename)[1])
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return ""


def _order(version: str) -> Version:
    return Version(version)


def _fields(filename: str) -> dict[str, str | tuple[str, ...]]:
    """Return what the form needs; the daemon reads the rest out of the file."""
    try:
        if filename.endswith(".whl"):
            name, version, _, tags = parse_wheel_filename(filename)
            python = min(tag.interpreter for tag in tags)
            return {"name": name, "version": str(version), "filetype": "bdist_wheel", "pyversion": python}
        name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion) as error:
        raise InvalidUpload(str(error)) from None
    return {"name": name, "version": str(version), "filetype": "sdist", "pyversion": "source"}


def _counted(pieces: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        meter.done += len(piece)
