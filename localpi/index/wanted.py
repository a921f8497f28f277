"""From a link and what its page says of it to what there is to fetch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from localpi.errors import FileNotHere
from localpi.index.downloads import Wanted
from localpi.simple.links import METADATA_SUFFIX, find_file, ref_of
from localpi.simple.names import check_sha256
from localpi.upstream.bodies import decoded

if TYPE_CHECKING:
    from localpi.index.mirror_index import MirrorIndex
    from localpi.simple.links import FileRef
    from localpi.simple.model import File
    from localpi.simple.names import ProjectName
    from localpi.store import Store


def stored_name(ref: FileRef) -> str:
    """Return the name under which it is kept: that in the URL."""
    return ref.filename + METADATA_SUFFIX if ref.is_metadata else ref.filename


def find_listed(store: Store, mirror: MirrorIndex, project: ProjectName, ref: FileRef) -> File | None:
    """Find what the stored page of a project says of a file, or said before it was gone or changed."""
    for kept in store.kept.of(mirror.source, project):
        entry = cast("File", kept.entry)
        if kept.filename == ref.filename and ref_of(entry).key == ref.key:
            return entry
    stored = store.pages.get(mirror.source, project)
    if stored is None or not stored.body:
        return None
    body = decoded(stored.body, stored.encoding)
    return find_file(body, stored.content_type, project, stored.url, ref)


def wanted_file(mirror: MirrorIndex, ref: FileRef, project: ProjectName, file: File) -> Wanted:
    """Return what to fetch for a link, or the file that a link to core metadata stands beside."""
    sha256 = file["hashes"].get("sha256")
    return Wanted(
        mirror=mirror,
        project=project,
        key=ref.key,
        filename=ref.filename,
        url=file["url"],
        sha256=check_sha256(sha256) if sha256 else None,
        size=file.get("size"),
    )


def offered_metadata(wanted: Wanted, file: File) -> Wanted:
    """Return what to fetch for a file's core metadata; FileNotHere when its page offers none."""
    if not file.get("core-metadata"):
        raise FileNotHere(wanted.mirror.name, wanted.filename + METADATA_SUFFIX)
    return wanted_metadata(wanted, file)


def wanted_metadata(wanted: Wanted, file: File) -> Wanted:
    """Return where a file's core metadata is, or would be (PEP 658: beside it, `.metadata` added to the URL)."""
    core = file.get("core-metadata")
    sha256 = core.get("sha256") if isinstance(core, dict) else None
    return replace(
        wanted,
        filename=wanted.filename + METADATA_SUFFIX,
        url=wanted.url + METADATA_SUFFIX,
        sha256=check_sha256(sha256) if sha256 else None,
        size=None,
    )
