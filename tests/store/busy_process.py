"""Works on a store until it is killed: uploads, downloads, pages, removals; says on stdout what it was promised.

Run with the folder as argument. Each line is `kept FILENAME SHA256` or `removed FILENAME`, printed after the commit.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import sys
import threading
from pathlib import Path

from localpi.errors import Conflict
from localpi.settings.paths import Paths
from localpi.simple.names import check_filename, check_sha256, normalize
from localpi.store import Store, open_store
from localpi.store.accounts import UserRow
from localpi.store.cached import CachedFile
from localpi.store.indexes import IndexRow
from localpi.store.pages import StoredPage
from localpi.store.releases import FileRow

IDNA = normalize("idna")


def say(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())


def upload(store: Store, name: str, number: int) -> None:
    body = os.urandom(random.randrange(200_000))
    filename = check_filename(f"idna-{name}.{number}.zip")
    with store.uploads.receive(commit=False) as receiving:
        for start in range(0, len(body), 10_000):
            receiving.write(body[start : start + 10_000])
        sha256 = receiving.finish()
        receiving.publish()
        row = FileRow(
            index="ann/dev",
            project=IDNA,
            version=f"{name}.{number}",
            filename=filename,
            sha256=sha256,
            size=len(body),
            filetype="sdist",
            uploaded_us=number,
            uploaded_by="ann",
        )
        store.releases.add_file(row, {"summary": name}, volatile=True)
    say("kept", filename, sha256)
    if number % 5 == 4:
        for gone in store.releases.remove_files("ann/dev", IDNA, None, filename):
            say("removed", gone.filename)
            store.uploads.remove(gone.sha256)


def download(store: Store, name: str, number: int) -> None:
    body = os.urandom(random.randrange(1, 300_000))
    sha256 = check_sha256(hashlib.sha256(body).hexdigest())
    with store.files.receive(expected=sha256, size=len(body)) as receiving:
        for start in range(0, len(body), 10_000):
            receiving.write(body[start : start + 10_000])
        receiving.finish()
        store.cached.add_later(
            CachedFile(
                source=name,
                key=sha256[:16],
                filename=f"{number}.whl",
                project=IDNA,
                sha256=sha256,
                size=len(body),
                stored_us=number,
                used_us=number,
            )
        )


def refresh(store: Store, name: str, number: int) -> None:
    body = os.urandom(random.randrange(1, 300_000))
    page = StoredPage(
        source=name,
        project=normalize(f"p{number % 7}"),
        status="present",
        url="",
        content_type=hashlib.sha256(body).hexdigest(),
        encoding="",
        body=body,
        etag=None,
        last_modified=None,
        fetched_us=number,
        max_age_s=None,
        serial=None,
    )
    store.pages.put_later(page)
    store.seen.add_later(name, page.project, number)


def main(folder: str, name: str) -> None:
    store = open_store(Paths.under(Path(folder)))
    try:
        store.accounts.add_user(UserRow(name="ann", pwhash=None, created_us=0))
        store.indexes.add(IndexRow(user="ann", name="dev", type="stage", config={}, created_us=0))
    except Conflict:
        pass  # an earlier round made them
    say("ready")

    def repeat(work: object, kind: int) -> None:
        for number in itertools.count():
            work(store, f"{name}{kind}", number)  # type: ignore[operator]

    for kind, work in enumerate((upload, upload, download, refresh)):
        threading.Thread(target=repeat, args=(work, kind), daemon=True).start()
    threading.Event().wait(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
