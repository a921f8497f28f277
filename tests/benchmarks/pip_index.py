"""What pip itself is configured with: a few real pages through pip's own client, wheels of its file: indexes.

A public index is not a corpus to be copied: at most MOST_PAGES pages are asked for, the ones that rows name.
`file:` indexes are folders of this machine and are read as such.
"""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from benchmarks.listing import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_PAGES = 6
ANCHOR = re.compile(r"<a\s([^>]*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"', re.IGNORECASE)
FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*\.(whl|tar\.gz|zip|egg|tar\.bz2|exe|msi)")
SHA256 = re.compile(r"[0-9a-f]{64}")
TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel in a `file:` index; size in bytes."""

    project: str
    path: Path
    size: int
    sha256: str

    def listed(self) -> Listed:
        """Give it as a page lists it."""
        return Listed(self.path.name, self.sha256, self.size)


@dataclass(frozen=True, slots=True)
class Source:
    """What there is: one wheel per project, and the files of each real page."""

    wheels: tuple[Wheel, ...]
    pages: dict[str, tuple[Listed, ...]]


def ask(names: Sequence[str], *, say: Callable[[str], None]) -> Source:
    """Ask pip for its indexes and the pages of `names` on its index-url; nothing without pip."""
    command = [sys.executable, "-m", "benchmarks.ask_pip", *names[:MOST_PAGES]]
    try:
        run = subprocess.run(command, cwd=TESTS, capture_output=True, check=True, timeout=180)
        answer = json.loads(run.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        say(f"corpus: pip cannot be asked ({error}); everything is made")
        return Source((), {})
    pages = {name: tuple(_read_page(page)) for name, page in answer["pages"].items()}
    wheels: dict[str, Wheel] = {}
    for url in answer["indexes"]:
        for wheel in _file_index(url):
            wheels.setdefault(wheel.project, wheel)
    return Source(tuple(wheels.values()), {name: files for name, files in pages.items() if files})


def download(name: str, folder: Path, largest: int, *, say: Callable[[str], None]) -> Listed | None:
    """Let pip download the newest wheel of `name` into `folder`; None when it cannot or the file is too large."""
    before = set(folder.iterdir())
    options = ("-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder))
    command = [sys.executable, "-m", "pip", "download", *options, name]
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=180)
    except (OSError, subprocess.SubprocessError) as error:
        say(f"corpus: no wheel of {name}: {error}")
        return None
    for path in set(folder.iterdir()) - before:
        size = path.stat().st_size
        if size <= largest:
            return Listed(path.name, sha256(path.read_bytes()).hexdigest(), size)
        path.unlink()
    return None


def _file_index(url: str) -> Iterator[Wheel]:
    """Give the last wheel that each project of a `file:` index lists."""
    root = _folder(url)
    if root is None or not root.is_dir():
        return
    for folder in sorted(path for path in root.iterdir() if (path / "index.html").is_file()):
        for attributes in _anchors((folder / "index.html").read_text(encoding="utf-8", errors="replace")):
            target, _, fragment = attributes.get("href", "").partition("#")
            digest = fragment.removeprefix("sha256=")
            path = folder / unquote(target)
            if path.suffix == ".whl" and "+" not in path.name and SHA256.fullmatch(digest) and path.is_file():
                yield Wheel(folder.name, path.resolve(), path.stat().st_size, digest)
                break


def _folder(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _read_page(page: dict[str, str]) -> Iterator[Listed]:
    body = base64.b64decode(page["body"]).decode("utf-8", "replace")
    entries = _json_entries(body) if "json" in page["content_type"] else _html_entries(body)
    for file in entries:
        if FILENAME.fullmatch(file.filename) and SHA256.fullmatch(file.sha256):
            yield file


def _json_entries(body: str) -> Iterator[Listed]:
    for file in json.loads(body)["files"]:
        yanked: Any = file.get("yanked", False)
        yield Listed(
            filename=file["filename"],
            sha256=file["hashes"].get("sha256", ""),
            size=file.get("size"),
            upload_time=file.get("upload-time"),
            requires_python=file.get("requires-python"),
            yanked=None if yanked is False else "" if yanked is True else str(yanked),
        )


def _html_entries(body: str) -> Iterator[Listed]:
    for attributes in _anchors(body):
        target, _, fragment = attributes.get("href", "").partition("#")
        yield Listed(
            filename=unquote(urlsplit(target).path.rpartition("/")[2]),
            sha256=fragment.removeprefix("sha256="),
            upload_time=attributes.get("data-upload-time"),
            requires_python=attributes.get("data-requires-python"),
            yanked=attributes.get("data-yanked"),
        )


def _anchors(body: str) -> Iterator[dict[str, str]]:
    for anchor in ANCHOR.finditer(body):
        yield {name.lower(): html.unescape(value) for name, value in ATTRIBUTE.findall(anchor[1])}
