"""A file of an index, from the store, from a download under way, or by a redirect.

A path names the index, sixteen hex digits of the sha256 and the file name (devpi's `+f`); which URL that is at the
upstream stands in the stored page of its project. What is here is served whatever the upstream says meanwhile.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from localpi.errors import CannotKnow, FileNotHere
from localpi.index.downloads import Download, Downloads, Wanted
from localpi.index.file_facts import absent
from localpi.index.metadata_files import MetadataFiles
from localpi.index.mirror_index import MirrorIndex, mirror_index
from localpi.index.resolve import Word
from localpi.index.sizes import Sizes
from localpi.index.waiting import Waiting
from localpi.index.wanted import find_listed, offered_metadata, stored_name, wanted_file, wanted_metadata
from localpi.simple.links import HASHED, METADATA_SUFFIX, UNHASHED, FileRef
from localpi.simple.names import check_filename, check_sha256, project_candidates
from localpi.store.cached import CachedFile
from localpi.upstream.outcomes import Missing, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.cache import Cache
    from localpi.index.mirroring import Mirroring
    from localpi.index.registry import Registry
    from localpi.simple.model import File
    from localpi.simple.names import ProjectName, Sha256
    from localpi.store import Store
    from localpi.store.blobs import Blobs
    from localpi.upstream import Upstream


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file to send: `size` in bytes, `etag` unquoted.

    `file` is seekable, never blocks, and may still be growing; None when only the head was asked for. `path` is set
    where the whole file lies on disk.
    """

    file: BinaryIO | None
    size: int
    etag: str
    filename: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """The client should fetch it from there (`mirror_use_external_urls`)."""

    url: str


class Files:
    """Opens files of indexes; never waits for the network."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: Store,
        upstream: Upstream,
        mirroring: Mirroring,
        cache: Cache,
        now_us: Callable[[], int],
    ) -> None:
        watch = mirroring.watch
        self._registry, self._store, self._mirrors, self._watch = registry, store, mirroring.mirrors, watch
        self._journal, self._cache, self._now_us = mirroring.journal, cache, now_us
        self._downloads = Downloads(upstream, store.files, self._keep, watch=watch, cache=cache)
        self._sizes = Sizes(upstream, watch)
        self._metadata = MetadataFiles(
            store=store,
            upstream=upstream,
            downloads=self._downloads,
            watch=watch,
            announcing=mirroring.announcing,
            keep=self._keep_small,
        )

    def open(self, index: str, ref: FileRef, *, asked_at: float, head: bool = False) -> FileAnswer | Redirect | Waiting:
        """Open the file that a link of that index names; with `head` its bytes are not wanted.

        Raises IndexNotFound, FileNotHere, FileGone, CannotKnow (known or unknown, but not to be had now).
        """
        found = self._registry.get(index)
        if found.mirror is None:
            return self._from_stage(index, ref)
        try:
            return self._from_mirror(mirror_index(index, found.mirror), ref, asked_at=asked_at, head=head)
        except CannotKnow as error:
            self._journal.refused(index, next(iter(project_candidates(ref.filename)), ""), error)
            raise

    def _from_mirror(
        self, mirror: MirrorIndex, ref: FileRef, *, asked_at: float, head: bool
    ) -> FileAnswer | Redirect | Waiting:
        name = stored_name(ref)
        cached = self._store.cached.find(mirror.source, ref.key, name)
        if cached is not None:
            began_us = self._now_us() - int((time.monotonic() - asked_at) * 1e6)
            answer = self._from_cache(cached.sha256, name, head=head, awaited=cached.stored_us > began_us)
            if answer is not None:
                return answer
        if not head and (download := self._downloads.find(mirror.source, ref.key, name)) is not None:
            return self._await(download)
        looked = self._look_up(mirror, ref, asked_at)
        if isinstance(looked, Waiting):
            return looked
        wanted = self._known_hash(wanted_file(mirror, ref, *looked))
        if ref.is_metadata:
            if self._makes_metadata(wanted, looked[1]):
                return self._from_wheel(wanted, wanted_metadata(wanted, looked[1]), asked_at)
            wanted = self._known_hash(offered_metadata(wanted, looked[1]))
        return self._from_page(wanted, is_metadata=ref.is_metadata, head=head)

    def _from_page(self, wanted: Wanted, *, is_metadata: bool, head: bool) -> FileAnswer | Redirect | Waiting:
        if wanted.sha256 is not None:
            answer = self._from_cache(wanted.sha256, wanted.filename, head=head)
            if answer is not None:
                self._keep(wanted, wanted.sha256, answer.size)
                return answer
        if wanted.mirror.config.mirror_use_external_urls and not is_metadata:
            return Redirect(wanted.url)
        return self._head(wanted) if head and not is_metadata else self._from_upstream(wanted)

    def _head(self, wanted: Wanted) -> FileAnswer | Waiting:
        """Say how large a file is that is not here, without fetching it where that can be had."""
        if wanted.size is None:
            self._check_reachable(wanted)
        size = self._sizes.find(wanted)
        match size:
            case Waiting():
                return size
            case Missing():
                raise FileNotHere(wanted.mirror.name, wanted.filename)
            case Unreachable():
                raise CannotKnow(wanted.mirror.name, f"{size.reason}: {wanted.filename}")
            case None:
                return self._from_upstream(wanted)
        return FileAnswer(None, size, wanted.sha256 or wanted.key, wanted.filename)

    def _makes_metadata(self, wheel: Wanted, file: File) -> bool:
        """Say whether core metadata is read from the wheel: its upstream has none, or is away and the wheel is here."""
        if not wheel.filename.endswith(".whl"):
            return False
        if "core-metadata" not in file:
            return not wheel.mirror.config.mirror_use_external_urls
        away = not self._watch.reachable(wheel.mirror)
        return away and bool(file["core-metadata"]) and self._metadata.has(wheel)

    def _from_wheel(self, wheel: Wanted, metadata: Wanted, asked_at: float) -> FileAnswer | Waiting:
        made = self._metadata.open(wheel, metadata, asked_at=asked_at)
        if isinstance(made, Waiting):
            return made
        return FileAnswer(io.BytesIO(made.data), len(made.data), made.sha256, metadata.filename)

    def _from_stage(self, index: str, ref: FileRef) -> FileAnswer:
        row = self._store.releases.file(index, ref.key, ref.filename)
        if row is None:
            attached = self._store.attachments.find(index, ref.key, stored_name(ref))
            answer = self._from_blobs(self._store.uploads, attached.sha256, attached.filename) if attached else None
            if answer is not None:
                return answer
            raise absent(self._store, index, ref)
        if ref.is_metadata:
            if not row.core_metadata:
                raise FileNotHere(index, stored_name(ref))
            data = row.core_metadata
            return FileAnswer(io.BytesIO(data), len(data), f"{row.sha256}.metadata", stored_name(ref))
        answer = self._from_blobs(self._store.uploads, check_sha256(row.sha256), ref.filename)
        if answer is None:
            raise FileNotHere(index, ref.filename)
        return answer

    def _from_blobs(self, blobs: Blobs, sha256: Sha256, filename: str) -> FileAnswer | None:
        """Open a whole file; None when its bytes are not here (deleted under us: not here, never a 500)."""
        file = blobs.open(sha256)
        if file is None:
            return None
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        return FileAnswer(file, size, sha256, filename, Path(file.name))

    def _from_cache(self, sha256: Sha256, filename: str, *, head: bool, awaited: bool = False) -> FileAnswer | None:
        """Open a file of a mirror that is here; `awaited` says that it came while this client waited: no hit."""
        answer = self._from_blobs(self._store.files, sha256, filename)
        if answer is not None and answer.file is not None and not head:
            self._cache.uses.sent(answer.file, sha256, answer.size, hit=not awaited)
        return answer

    def fetch_again(self, mirror: MirrorIndex, link: CachedFile) -> Download | None:
        """Begin to download a file anew whose bytes are not here any more; None when it cannot be had now."""
        plain = link.filename.removesuffix(METADATA_SUFFIX)
        area = UNHASHED if link.key.startswith(("http_", "https_")) else HASHED
        ref = FileRef(area, link.key, check_filename(plain), is_metadata=plain != link.filename)
        file = find_listed(self._store, mirror, link.project, ref)
        if file is None or not self._watch.reachable(mirror) or (ref.is_metadata and not file.get("core-metadata")):
            return None
        wanted = wanted_file(mirror, ref, link.project, file)
        return self._downloads.join(self._known_hash(offered_metadata(wanted, file) if ref.is_metadata else wanted))

    def _look_up(self, mirror: MirrorIndex, ref: FileRef, asked_at: float) -> tuple[ProjectName, File] | Waiting:
        """Find the file in the stored pages of the projects it may belong to; ask the upstream for those missing."""
        candidates = project_candidates(ref.filename)
        for project in candidates:
            file = find_listed(self._store, mirror, project, ref)
            if file is not None:
                return project, file
        for project in candidates:
            # A page that is fresh may still lack a file that is newer than it: a lock file names it before we look.
            look = self._mirrors.look(mirror, project, asked_at=asked_at, revalidate=True)
            if isinstance(look, Waiting):
                return look
            if look.said.word is Word.UNKNOWN:
                raise self._watch.cannot_know(mirror, look.said.reason)
            file = find_listed(self._store, mirror, project, ref) if look.said.word is Word.HAS else None
            if file is not None:
                return project, file
        raise FileNotHere(mirror.name, ref.filename)

    def _known_hash(self, wanted: Wanted) -> Wanted:
        """Expect of a file that has no hash upstream what it had when it was first fetched."""
        if wanted.sha256 is not None:
            return wanted
        first = self._store.seen.first_hash(wanted.mirror.source, wanted.project, wanted.filename)
        return replace(wanted, sha256=first)

    def _check_reachable(self, wanted: Wanted) -> None:
        health = self._watch.health(wanted.mirror)
        if not health.reachable:
            self._watch.demand(wanted.mirror)
            raise self._watch.cannot_know(wanted.mirror, health.reason, also=f"{wanted.filename} is not here")

    def _from_upstream(self, wanted: Wanted) -> FileAnswer | Waiting:
        self._check_reachable(wanted)
        return self._await(self._downloads.join(wanted))

    def _await(self, download: Download) -> FileAnswer | Waiting:
        wanted = download.wanted
        if not download.begun.is_set():
            now = time.monotonic()
            if now >= download.until:
                raise CannotKnow(wanted.mirror.name, f"does not send {wanted.filename}")
            if download.is_silent(now):
                self._watch.doubt(wanted.mirror)
            ready = download.begun.is_set
            return Waiting(lambda: ready() or not self._watch.reachable(wanted.mirror), min(download.until, now + 1.0))
        return self._follow(download)

    def _follow(self, download: Download) -> FileAnswer | Waiting:
        wanted, receiving = download.wanted, download.receiving
        stored = receiving.sha256 if receiving is not None and receiving.stored else None
        if stored and (whole := self._from_cache(stored, wanted.filename, head=False, awaited=True)) is not None:
            return whole  # by its path: the loop can send it from now on
        if receiving is None or receiving.error is not None or receiving.total is None:
            if isinstance(download.refusal, Missing):
                raise FileNotHere(wanted.mirror.name, wanted.filename)
            reason = download.refusal.reason if isinstance(download.refusal, Unreachable) else "sent a wrong file"
            raise CannotKnow(wanted.mirror.name, f"{reason}: {wanted.filename}")
        reader = receiving.open_reader()
        if reader.broken():  # handed on, and its beginning has gone since: a download of one's own
            reader.close()
            return self._from_upstream(wanted)
        self._cache.uses.miss()
        etag = wanted.sha256 or receiving.sha256 or wanted.key
        return FileAnswer(cast("BinaryIO", reader), receiving.total, etag, wanted.filename)

    def _keep_small(self, wanted: Wanted, sha256: Sha256, size: int) -> None:
        """Note core metadata that was made: nobody made room for it before."""
        self._keep(wanted, sha256, size)
        self._cache.room.kept(None, size)

    def _keep(self, wanted: Wanted, sha256: Sha256, size: int) -> None:
        """Note that a file of a mirror is here; the first hash of one that has none upstream is its hash for good."""
        now_us = self._now_us()
        if wanted.sha256 is None:
            self._store.seen.keep_first_hash(wanted.mirror.source, wanted.project, wanted.filename, sha256, now_us)
        self._store.cached.add_later(
            CachedFile(
                source=wanted.mirror.source,
                key=wanted.key,
                filename=wanted.filename,
                project=wanted.project,
                sha256=sha256,
                size=size,
                stored_us=now_us,
                used_us=now_us,
            )
        )
