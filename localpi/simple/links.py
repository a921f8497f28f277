"""Our own URLs of files, and the way from one back to the file that an upstream's page means by it.

`/{user}/{index}/+f/{sha256[:3]}/{sha256[3:16]}/{filename}`, and `+e/{origin}/{filename}` for a file whose page gives no
sha256, as devpi has them. Absolute paths without a host: one body serves every name that the daemon is reached by.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlsplit

import orjson

from localpi.errors import InvalidName, InvalidPage
from localpi.simple.entries import clean_file
from localpi.simple.model import FILE_KEYS, PAGE_KEYS, File, Page
from localpi.simple.names import Filename, check_filename
from localpi.simple.parse import is_json, parse_page
from localpi.simple.read_html import base_of, link_to_file
from localpi.simple.tags import start_tags
from localpi.simple.urls import Joiner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from localpi.simple.names import ProjectName

HASHED: Final = "+f"
UNHASHED: Final = "+e"
METADATA_SUFFIX: Final = ".metadata"
INDEX_SAFE: Final = "/@"
"""What stays as it is in the name of an index: devpi's client compares links with the URL that `+api` gave it."""

_MAX_ENTRY: Final = 64 * 1024
_MAX_HITS: Final = 16
_MAX_ORIGIN: Final = 250
_HEAD: Final = re.compile(r"[0-9a-f]{3}")
_TAIL: Final = re.compile(r"[0-9a-f]{13}")
_ORIGIN: Final = re.compile(rf"https?_[A-Za-z0-9_.-]{{1,{_MAX_ORIGIN}}}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class FileRef:
    """What a file URL below an index asks for.

    `key` is the first 16 hexadecimal digits of the sha256 (area `+f`) or the origin's name (area `+e`); `is_metadata`
    says that the core metadata beside the file is wanted (PEP 658), and `filename` is then still the file's.
    """

    area: str
    key: str
    filename: Filename
    is_metadata: bool

    @property
    def path(self) -> str:
        """The ref as it stands below `/{user}/{index}/`, not quoted."""
        key = f"{self.key[:3]}/{self.key[3:]}" if self.area == HASHED else self.key
        return f"{self.area}/{key}/{self.filename}" + (METADATA_SUFFIX if self.is_metadata else "")


def parse_ref(area: str, *parts: str) -> FileRef:
    """Read the parts of a path below an index, decoded once: `"+f", "abc", "def0123456789", name` or `"+e", dir, name`.

    A name that ends in `.metadata` asks for the core metadata of the file before it. Raises InvalidName.
    """
    if area == HASHED and len(parts) == 3 and _HEAD.fullmatch(parts[0]) and _TAIL.fullmatch(parts[1]):
        key = parts[0] + parts[1]
    elif area == UNHASHED and len(parts) == 2 and _ORIGIN.fullmatch(parts[0]):
        key = parts[0]
    else:
        raise InvalidName("/".join((area, *parts)), "no path of a file")
    name = parts[-1]
    plain = name.removesuffix(METADATA_SUFFIX)
    return FileRef(area, key, check_filename(plain), is_metadata=plain != name)


def ref_of(file: File) -> FileRef:
    """Name the file as its URL here does. The page has given it a checked filename and an absolute URL."""
    sha256 = file["hashes"].get("sha256")
    if sha256:
        return FileRef(HASHED, sha256[:16], Filename(file["filename"]), is_metadata=False)
    return FileRef(UNHASHED, origin_of(file["url"]), Filename(file["filename"]), is_metadata=False)


def origin_of(url: str) -> str:
    """Make a folder name of where a file comes from: scheme, host and path without its last part (as devpi: `+e`).

    At most 250 characters after the scheme; two places that differ only in separators or far behind fall together.
    """
    parts = urlsplit(url)
    folder = parts.path.rpartition("/")[0]
    netloc = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}_" + _UNSAFE.sub("_", netloc + folder)[:_MAX_ORIGIN]


def file_path(index: str, file: File) -> str:
    """Give the absolute path of a file of that index (`user/name`), percent-encoded (RFC 3986)."""
    return f"/{quote(index, safe=INDEX_SAFE)}/{_quoted(file)}"


def link_page(page: Page, index: str) -> Page:
    """Copy a page of absolute URLs with our own paths instead.

    Keys that begin with `_` are private to the server that sent them and stay behind (PEP 691); so does PyPI's
    `data-dist-info-metadata`, which no PEP has for JSON. 1.2 µs a file.
    """
    start = f"/{quote(index, safe=INDEX_SAFE)}/"
    files = [cast("File", {**file, "url": start + _quoted(file)}) for file in page["files"]]
    for at, file in enumerate(files):
        if not FILE_KEYS.issuperset(file):
            files[at] = cast("File", _public(file))
    linked = cast("Page", page if PAGE_KEYS.issuperset(page) else _public(page))
    return cast("Page", {**linked, "meta": _public(page["meta"]), "files": files})


def find_file(body: bytes, content_type: str, project: ProjectName, url: str, ref: FileRef) -> File | None:
    """Find the one file of a stored page that a ref means, its URL absolute; None when the page has none.

    Looks for the name in the bytes and reads only what is around it: under 2 ms in a page of 4 MB, where parse_page
    takes 50. Parses the whole page when the name is there but not so that this understands it, or can be there in
    another spelling. The page was valid when it was stored; one that no longer is has no files.
    """
    look = _json_entries if is_json(content_type) else _html_entries
    for file in look(body, url, ref.filename):
        if _means(ref, file):
            return file
    if ref.filename.encode() not in body and not _has_escapes(body, content_type):
        return None
    try:
        page = parse_page(body, content_type, project, url)
    except InvalidPage:
        return None
    return next((file for file in page["files"] if _means(ref, file)), None)


def _means(ref: FileRef, file: File) -> bool:
    if ref.filename != file["filename"]:
        return False
    found = ref_of(file)
    return (ref.area, ref.key) == (found.area, found.key)


def _hits(body: bytes, needles: tuple[bytes, ...]) -> Iterator[int]:
    for needle in needles:
        at = -1
        for _ in range(_MAX_HITS):
            if (at := body.find(needle, at + 1)) < 0:
                break
            yield at


def _json_entries(body: bytes, url: str, filename: str) -> Iterator[File]:
    """Read the objects around a file name: each `{` before it is tried, since `hashes` may stand in between."""
    joiner = Joiner(url)
    decoder = json.JSONDecoder()
    for hit in _hits(body, (f'"{filename}"'.encode(),)):
        start = hit
        for _ in range(8):
            start = body.rfind(b"{", max(0, hit - _MAX_ENTRY), start)
            if start < 0:
                break
            try:
                text = body[start : hit + _MAX_ENTRY].decode("utf-8", errors="replace")
                _value, end = decoder.raw_decode(text)
                raw = orjson.loads(text[:end])  # parse_page reads large numbers as orjson does
            except (ValueError, RecursionError):
                continue
            if raw.get("filename") == filename and (file := clean_file(raw, joiner)) is not None:
                yield file
                break


def _html_entries(body: bytes, url: str, filename: str) -> Iterator[File]:
    """Read the tags around a file name, which may be percent-encoded in a link."""
    joiner = Joiner(base_of(body, url))
    needles = dict.fromkeys((filename.encode(), quote(filename, safe="").encode(), quote(filename, safe="+").encode()))
    for hit in _hits(body, tuple(needles)):
        start = body.rfind(b"<", max(0, hit - _MAX_ENTRY), hit)
        text = body[max(start, 0) : hit + _MAX_ENTRY].decode("utf-8", errors="replace")
        name, attrs = next(start_tags(text), ("", {}))
        if name == "a" and (file := link_to_file(attrs, joiner)) is not None:
            yield file


def _has_escapes(body: bytes, content_type: str) -> bool:
    """Say whether the page can name a file in escapes."""
    if is_json(content_type):
        return b"\\u" in body
    return b"&#" in body or b"%" in body


def _quoted(file: File) -> str:
    filename = file["filename"]
    if "+" in filename or "!" in filename:
        filename = quote(filename, safe="")
    if sha256 := file["hashes"].get("sha256"):
        return f"+f/{sha256[:3]}/{sha256[3:16]}/{filename}"
    return f"+e/{origin_of(file['url'])}/{filename}"


def _public(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in values.items()
        if not key.startswith("_") and key not in {"data-dist-info-metadata", "dist-info-metadata"}
    }
