"""A look at a URL that shall be a base: is it a simple index, what does it speak and have, whose are its names.

A few requests: the first bytes of the list of projects (never the whole of a long one), a project page, one byte of a
file. No name is sent there that it did not list, but those that it shall be asked for, and `pip` where it lists none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from localpi.errors import InvalidPage
from localpi.simple.names import ProjectName
from localpi.simple.parse import is_json, media_type, parse_page
from localpi.simple.read_names import read_names
from localpi.upstream import Fetched, Mirror, Missing, Unreachable
from localpi.upstream.bodies import decoded
from localpi.upstream.pieces import Peeked, Piece
from localpi.upstream.portals import judge_no_page

if TYPE_CHECKING:
    from localpi.simple.model import File
    from localpi.upstream import Upstream

FIRST_BYTES: Final = 256 * 1024
LOOK_S: Final = 8.0
MOST_PAGES: Final = 3
KNOWN: Final = ProjectName("pip")
PLACES: Final = ("simple/", "+simple/")
"""Where the simple index is when the URL given is that of the server, or of a devpi index."""
NO_INDEX: Final = "it answers, and neither lists projects there nor has a page of one that was tried"
AWAY: Final = frozenset({"dns", "connect", "timeout", "tls", "certificate", "proxy"})


@dataclass(frozen=True, slots=True)
class BaseCheck:
    """What was found at `url`, which may be below the one that was given.

    `good`: it can be a mirror; else `reason` says why not. `reachable`: something answered. `speaks`: json, html or "".
    `names`: the projects that were seen, `whole` whether those are all. `page`: whose page was looked at. What is None
    was not to be seen: there was no file, or no wheel.
    """

    url: str
    good: bool = False
    reachable: bool = True
    needs_credentials: bool = False
    reason: str = ""
    speaks: str = ""
    server: str = ""
    names: tuple[ProjectName, ...] = ()
    whole: bool = False
    page: str = ""
    hashes: bool | None = None
    metadata: bool | None = None
    sizes: bool | None = None
    upload_times: bool | None = None
    ranges: bool | None = None


def check_base(upstream: Upstream, url: str, names: tuple[ProjectName, ...] = ()) -> BaseCheck:
    """Look at a URL (no userinfo, http or https), and where a simple index may be below it.

    `names` are projects that it should have: some servers list none.
    """
    url = url if url.endswith("/") else url + "/"
    first = _look_at(upstream, url, names)
    if first.good or not first.reachable or first.needs_credentials:
        return first
    if url.endswith("simple/"):
        return first
    found = (_look_at(upstream, url + place, names) for place in PLACES)
    return next((one for one in found if one.good or one.needs_credentials), first)


def _look_at(upstream: Upstream, url: str, hoped: tuple[ProjectName, ...]) -> BaseCheck:
    mirror = Mirror("it", url)
    check = BaseCheck(url)
    peeked = upstream.peek(mirror, most=FIRST_BYTES, deadline_s=LOOK_S)
    if isinstance(peeked, Unreachable) and peeked.kind in AWAY | {"captive"}:
        return _refused(check, peeked)
    listed = False
    if isinstance(peeked, Peeked):
        listed = "html" in media_type(peeked.content_type) or is_json(peeked.content_type)
        names = _names(peeked)
        speaks = "json" if is_json(peeked.content_type) else "html" if listed else ""
        check = replace(check, names=names, whole=peeked.whole, server=peeked.server, speaks=speaks)
    for project in dict.fromkeys((*hoped[:MOST_PAGES], *_projects(check))):
        outcome = upstream.fetch_page(mirror, project, deadline_s=LOOK_S, fresh=True)
        if isinstance(outcome, Fetched):
            return _with_page(upstream, mirror, check, project, outcome)
        if isinstance(outcome, Unreachable):
            return _refused(check, outcome)
    if isinstance(peeked, Unreachable):
        return _refused(check, peeked)
    if isinstance(peeked, Peeked) and listed and peeked.whole and _is_empty_list(peeked):
        return replace(check, good=True)
    return replace(check, reason=NO_INDEX, names=())


def _names(peeked: Peeked) -> tuple[ProjectName, ...]:
    try:
        return read_names(peeked.body, peeked.content_type, whole=peeked.whole)
    except InvalidPage:
        return ()


def _projects(check: BaseCheck) -> tuple[ProjectName, ...]:
    """Choose whose pages to look at: its own, and `pip` where there is a list too long to be private, or none."""
    if check.whole and check.names:
        return check.names[:MOST_PAGES]
    return (KNOWN, *(name for name in check.names[: MOST_PAGES - 1] if name != KNOWN))


def _is_empty_list(peeked: Peeked) -> bool:
    """Say whether it calls itself a list of projects, of which there is none yet: a web page does not."""
    head = peeked.body[:2000].lower()
    if is_json(peeked.content_type):
        return b'"projects"' in head
    return b"<title>simple index</title>" in head or b'name="pypi:repository-version"' in head


def _refused(check: BaseCheck, outcome: Unreachable) -> BaseCheck:
    wants = outcome.kind == "auth"
    reachable = outcome.kind not in AWAY | {"server"}  # a 5xx is no answer about what is there
    return replace(check, reachable=reachable, needs_credentials=wants, reason=outcome.reason, names=())


def _with_page(upstream: Upstream, mirror: Mirror, check: BaseCheck, project: ProjectName, page: Fetched) -> BaseCheck:
    try:
        files = parse_page(decoded(page.body, page.encoding), page.content_type, project, page.url)["files"]
    except InvalidPage as error:
        seen = judge_no_page("it", decoded(page.body, page.encoding), page.content_type, error)
        return replace(check, reason=seen.reason, names=())
    wheels = [file for file in files if file["filename"].endswith(".whl")]
    found = replace(check, good=True, speaks="json" if is_json(page.content_type) else "html", page=project)
    if not files:
        return found
    return replace(
        found,
        hashes=all(file["hashes"].get("sha256") for file in files),
        metadata=any(file.get("core-metadata") for file in wheels) if wheels else None,
        sizes=all("size" in file for file in files),
        upload_times=all("upload-time" in file for file in files),
        ranges=_knows_ranges(upstream, mirror, (wheels or files)[-1]),
    )


def _knows_ranges(upstream: Upstream, mirror: Mirror, file: File) -> bool | None:
    found = upstream.read_range(mirror, file["url"], first=0, length=1, deadline_s=LOOK_S)
    if isinstance(found, Missing | Unreachable):
        return None
    return isinstance(found, Piece)


def facts_of(check: BaseCheck, *, elsewhere: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Say what was found in short sentences; `elsewhere` are its names that other bases have too."""
    if not check.good:
        return ()
    sentences = [
        "speaks JSON" if check.speaks == "json" else "speaks HTML only",
        _list_fact(check),
        *_file_facts(check),
    ]
    if elsewhere:
        more = f" and {len(elsewhere) - 5} more" if len(elsewhere) > 5 else ""
        sentences.append(f"has names that other bases have too: {', '.join(elsewhere[:5])}{more}")
    if _is_plain(check.url):
        sentences.append("is not encrypted: whoever is on the way can change what you install")
    return tuple(sentences)


def _list_fact(check: BaseCheck) -> str:
    if not check.names:
        return "is empty" if check.whole and not check.page else "gives no list of projects"
    count = f"{len(check.names):,}"
    return (
        f"lists {count} project{'s'[: len(check.names) != 1]}" if check.whole else f"lists more than {count} projects"
    )


def _file_facts(check: BaseCheck) -> tuple[str, ...]:
    facts = {
        "gives sha256 hashes": check.hashes is True,
        "gives no sha256: the first bytes seen of a file are taken for the right ones": check.hashes is False,
        "has core metadata": check.metadata is True,
        "has no core metadata: it is read out of the wheels": check.metadata is False,
        "takes range requests": check.ranges is True,
        "takes no range requests: a wheel is fetched whole for its metadata": check.ranges is False,
        "tells sizes and upload times": bool(check.sizes and check.upload_times),
        "tells no upload times: uv's --exclude-newer cannot be used": check.upload_times is False,
    }
    return tuple(sentence for sentence, so in facts.items() if so)


def _is_plain(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}
