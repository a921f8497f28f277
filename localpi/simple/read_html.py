"""PEP 503: an HTML page. It makes the same dict as a JSON one.

Nearly all pages write their links in one way (`<a href="…#sha256=…" data-…="…">`), which one regular expression finds:
50 ms for 15,000 files. It finds whatever else begins with `<a` as well, and comments, which could hide a link: then
every tag is read.

Groups are repeated as `(?>(…)*)`, not as `(…)*+`, which Python before 3.11.5 matches wrongly (CPython 106052).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from localpi.errors import InvalidName, InvalidPage
from localpi.simple.entries import fragment_hashes, is_web_address, metadata_value
from localpi.simple.model import HONEST_VERSION, File, Page
from localpi.simple.names import ARCHIVE_SUFFIXES, belonging, is_filename, is_sha256, normalize
from localpi.simple.read_json import MAX_FILES, is_spoken
from localpi.simple.tags import attributes, start_tags
from localpi.simple.urls import PLAIN_ORIGIN, Joiner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localpi.simple.names import ProjectName

_MAX_HEAD: Final = 64 * 1024
_MAX_TEXT: Final = 1000
_MAX_PATH: Final = 3000
_MAX_ANCHORS: Final = 2 * MAX_FILES
"""Beginnings of links and comments: 3 million of them in 9 MB keep the interpreter for 5 s in a single call."""

_MAX_SIGNS: Final = 2_000_000
_SEGMENTS: Final = r"(?>(?:[A-Za-z0-9_!$%'()*+,=~-][A-Za-z0-9_.!$%'()*+,=~-]*+/)*)"
_HEX: Final = "([0-9a-f]{64})"
_ANCHOR: Final = re.compile(
    rf'<(?:a href="({PLAIN_ORIGIN}|/|(?>(?:\.\.?/)*))'  # 1: where the path begins
    rf"({_SEGMENTS})([A-Za-z0-9][A-Za-z0-9._+!-]{{0,250}}+)(?>(?:#sha256={_HEX})?)"  # 2: path, 3: file, 4: digest
    r'"((?>(?: data-requires-python="[^"<]*+")?))'  # 5
    rf'(?>(?: data-dist-info-metadata="sha256={_HEX}")?)(?>(?: data-core-metadata="sha256={_HEX}")?)'  # 6, 7
    r'((?>(?: [a-z][a-z-]*+="[^"<]*+")*)) ?>'  # 8: attributes of few files
    "|[aA]|(!--))"  # a link of another shape: no groups; 9: a comment
)
_LINKS_FOR: Final = re.compile(r"links for\s++(?:<[^<>]*+>)?([A-Za-z0-9._-]++)", re.IGNORECASE)
_DISTRIBUTION: Final = ARCHIVE_SUFFIXES


def read_html(body: bytes, project: ProjectName, url: str) -> Page:
    """Parse an HTML page of that project; `url` is where it came from. Raises InvalidPage."""
    text = body.decode("utf-8", errors="replace")
    if "<html" in text[:2000].lower() and "</html" not in text[-2000:].lower():
        raise InvalidPage("it ends in the middle")
    if text.count("<") > _MAX_SIGNS or sum(map(text.count, ("<a", "<A", "<!--"))) > _MAX_ANCHORS:
        raise InvalidPage("it has too many tags")
    head = Head(text, url)
    anchors = _ANCHOR.findall(text)
    while anchors and anchors[-1][8]:  # PyPI ends with <!--SERIAL …-->
        anchors.pop()
    if all(anchor[2] for anchor in anchors):
        files = _usual_files(anchors, head.joiner)
    else:
        files = _files((attrs for name, attrs in start_tags(text) if name == "a"), head.joiner)
    if len(files) > MAX_FILES:
        raise InvalidPage(f"it lists {len(files):,} files; the limit is {MAX_FILES:,}")
    page: Page = {"meta": {"api-version": head.version or HONEST_VERSION}, "name": project, "files": []}
    page["files"] = _own_files(files, head, project)
    if head.status:
        page["project-status"] = {"status": head.status}
        if head.reason:
            page["project-status"]["reason"] = head.reason
    return page


def base_of(body: bytes, url: str) -> str:
    """Give the URL that the links of a page are relative to: its `<base href>`, or its own."""
    end = min(at for at in (body.find(b"<a "), _MAX_HEAD) if at >= 0)
    text = body[:end].decode("utf-8", errors="replace")
    return Head(text, url).joiner.base if "<base" in text.lower() else url


def link_to_file(attrs: dict[str, str], joiner: Joiner) -> File | None:
    """Make a file of an anchor's attributes; None when it does not link to a distribution.

    The name is the last part of the path, as pip has it: the text may be cut short in a directory listing.
    """
    href, _, fragment = attrs.get("href", "").strip(" \t\r\n\f").partition("#")
    filename = href.partition("?")[0].rpartition("/")[2]
    if "%" in filename:
        filename = unquote(filename)
    if not filename.endswith(_DISTRIBUTION) or not is_filename(filename):
        return None
    if (url := joiner.absolute(href)) is None:
        return None
    hashes: dict[str, str] = {}
    if fragment:
        digest = fragment[7:]
        hashes = {"sha256": digest} if fragment[:7] == "sha256=" and is_sha256(digest) else fragment_hashes(fragment)
    file: File = {"filename": filename, "url": url, "hashes": hashes}
    if len(attrs) > 1:
        _add_optional(file, attrs)
    return file


class Head:
    """What stands before the first link: version and status (PEP 629, 792), the base URL, whose page it says it is."""

    def __init__(self, text: str, url: str) -> None:
        self.version = self.status = self.reason = self.named = ""
        first = re.search(r"<[aA][\s>]", text)
        text = text[: first.start()] if first else text
        base = url
        for name, attrs in start_tags(text):
            if name == "base" and base == url and attrs.get("href"):
                base = Joiner(url).absolute(attrs["href"]) or url
            elif name == "meta":
                self._take(attrs.get("name", "").lower(), attrs.get("content", "").strip()[:_MAX_TEXT])
        if title := _LINKS_FOR.search(text):
            self.named = title[1]
        self.joiner = Joiner(base)

    def _take(self, name: str, content: str) -> None:
        if name == "pypi:repository-version":
            if not is_spoken(content):
                raise InvalidPage(f"it speaks version {content[:20]!r} of the Simple API, not 1")
            self.version = self.version or content
        elif name == "pypi:project-status":
            self.status = self.status or content.lower()
        elif name == "pypi:project-status-reason":
            self.reason = self.reason or content


def _usual_files(anchors: list[tuple[str, ...]], joiner: Joiner) -> list[File]:
    """Make files of what `_ANCHOR` found: 2 µs each, since it has checked all but the few kinds of optional text."""
    files: dict[str, File] = {}
    optional: dict[str, File] = {}
    starts: dict[str, str | None] = {}
    for start, path, filename, digest, requires, old_metadata, metadata, rest, _ in anchors:
        if filename in files or not filename.endswith(_DISTRIBUTION):
            continue
        if (begin := starts.get(start, "")) == "":
            begin = starts[start] = start if "://" in start else joiner.absolute(start or "./")
        if begin is None or len(path) > _MAX_PATH:
            continue
        file: File = {
            "filename": filename,
            "url": begin + path + filename,
            "hashes": {"sha256": digest} if digest else {},
        }
        if metadata or old_metadata:
            file["core-metadata"] = {"sha256": metadata or old_metadata}
        if text := requires + rest:
            if (extra := optional.get(text)) is None:
                extra = optional[text] = File()
                _add_optional(extra, attributes(text))
            file.update(extra)
        files[filename] = file
    return list(files.values())


def _files(anchors: Iterable[dict[str, str]], joiner: Joiner) -> list[File]:
    files: dict[str, File] = {}
    for attrs in anchors:
        if (file := link_to_file(attrs, joiner)) is not None:
            files.setdefault(file["filename"], file)
    return list(files.values())


def _add_optional(file: File, attrs: dict[str, str]) -> None:
    get = attrs.get
    if (requires := get("data-requires-python")) and len(requires) <= _MAX_TEXT:
        file["requires-python"] = requires
    if metadata := get("data-core-metadata") or get("data-dist-info-metadata"):
        file["core-metadata"] = metadata_value(metadata)
    if (yanked := get("data-yanked")) is not None:
        file["yanked"] = yanked[:_MAX_TEXT] or True
    if signed := get("data-gpg-sig"):
        file["gpg-sig"] = signed.lower() == "true"
    if (provenance := get("data-provenance")) and len(provenance) <= _MAX_TEXT and is_web_address(provenance):
        file["provenance"] = provenance


def _own_files(files: list[File], head: Head, project: ProjectName) -> list[File]:
    """Leave out other projects' files; refuse what is no page of this one: a login form, a portal, another's page.

    The page of `a-b` may pass for that of `a`: its sdist `a-b-1.0.tar.gz` may be either's.
    """
    belongs = belonging(project)
    own = [file for file in files if belongs(file["filename"])]
    try:
        named = normalize(head.named) if head.named else None
    except InvalidName:
        named = None
    if named is not None and named != project:
        theirs = belonging(named)
        if all(theirs(file["filename"]) for file in own):
            raise InvalidPage(f"it is the page of {named!r}, not of {project!r}")
    if files and not own:
        raise InvalidPage(f"none of its links is a distribution of {project!r}")
    if not own and not head.version:
        raise InvalidPage(f"it has no link to a distribution of {project!r} and does not say that it is a project page")
    return own
