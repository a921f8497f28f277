"""What devpi-import reads (dump version 2): users with their hashes, settings, projects, files with their logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from localpi.index.config import to_json
from localpi.index.file_times import format_http, format_second
from localpi.index.views import UNSET
from localpi.store.file_log import read_log

if TYPE_CHECKING:
    from localpi.index.registry import Registry
    from localpi.store import Store
    from localpi.store.attachments import AttachmentRow
    from localpi.store.releases import FileRow

OURS = frozenset({"resolution", "claims", "cooldown", "unseen"})
"""Settings that devpi does not know, and would refuse."""


class Exporting:
    """Makes the parts of a dump; whoever asks writes them, and fetches the bytes by their paths."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store, self._registry = store, registry

    def overview(self) -> dict[str, Any]:
        """Return `users` (with `pwhash`) and `indexes` (name -> `indexconfig`)."""
        users = {}
        for row in self._store.accounts.users():
            told = {"username": row.name, "pwhash": row.pwhash or "", "created": format_second(row.created_us)}
            facts = {"email": row.email, "title": row.title, "description": row.description}
            if row.modified_us is not None:
                told["modified"] = format_second(row.modified_us)
            said: dict[str, Any] = {**told, **{key: value for key, value in facts.items() if value is not None}}
            if row.custom_data is not None:
                said["custom_data"] = row.custom_data
            users[row.name] = said
        configs = {index.name: to_json(index.config) for index in self._registry.all()}
        return {
            "users": users,
            "indexes": {
                name: {"indexconfig": {key: value for key, value in config.items() if key not in OURS}}
                for name, config in configs.items()
            },
        }

    def index(self, name: str) -> dict[str, Any]:
        """Return `projects` (name -> version -> metadata) and `files` of a stage; of a mirror nothing.

        Each file has devpi's keys, and under `path` where its bytes are here. Raises `IndexNotFound`.
        """
        if self._registry.get(name).stage is None:
            return {"projects": {}, "files": []}
        projects: dict[str, Any] = {}
        files: list[dict[str, Any]] = []
        for project in self._store.releases.projects(name):
            metadata = self._store.releases.metadata(name, project)
            projects[project] = {version: {**UNSET, **said} for version, said in metadata.items()}
            rows = self._store.releases.files(name, project)
            files += [_file(row) for row in rows]
            hashes: dict[str, str] = {row.filename: row.sha256 for row in rows}
            files += [_attachment(row, hashes) for row in self._store.attachments.of_project(name, project)]
        return {"projects": projects, "files": files}


def _file(row: FileRow) -> dict[str, Any]:
    yanked = {} if row.yanked is None else {"yanked": row.yanked}  # ours: devpi passes it over
    return yanked | {
        "type": "releasefile",
        "projectname": row.project,
        "version": row.version,
        "relpath": f"{row.index}/{row.project}/{row.version}/{row.filename}",
        "entrymapping": _mapping(row.project, row.version, row.sha256, row.uploaded_us),
        "log": read_log(row),
        "path": _path(row.index, row.sha256[:16], row.filename),
        "size": row.size,
    }


def _attachment(row: AttachmentRow, hashes: dict[str, str]) -> dict[str, Any]:
    described = {
        "type": row.rel,
        "projectname": row.project,
        "version": row.version,
        "relpath": f"{row.index}/{row.project}-{row.version}.doc.zip",
        "entrymapping": _mapping(row.project, row.version, row.sha256, row.stored_us),
        "log": json.loads(row.log),
        "path": _path(row.index, row.key, row.filename),
        "size": row.size,
    }
    if row.of_filename is not None:
        described["for_entrypath"] = f"{row.index}/+f/{row.key[:3]}/{row.key[3:]}/{row.of_filename}"
        digest = hashes.get(row.of_filename, "")
        described["relpath"] = f"{row.index}/{row.project}/sha256={digest}/{row.filename}"
    return described


def _mapping(project: str, version: str, sha256: str, at_us: int) -> dict[str, Any]:
    return {
        "hash_spec": f"sha256={sha256}",
        "hashes": {"sha256": sha256},
        "last_modified": format_http(at_us),
        "project": project,
        "version": version,
    }


def _path(index: str, key: str, filename: str) -> str:
    return quote(f"/{index}/+f/{key[:3]}/{key[3:]}/{filename}")
