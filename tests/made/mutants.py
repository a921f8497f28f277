"""Answers that came out wrong: a project's page, HTML or JSON, changed by a seed.

`RUINS` make what is no page of the project, whatever else it is. `TWISTS` make what may still be one: whoever uses
them judges the result, `is_page_of` without a line of localpi's own code.
"""

from __future__ import annotations

import gzip
import html.parser
import itertools
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from made.answering import bomb
from made.corpus import V1_JSON

HTML = "text/html; charset=utf-8"
LOGIN = """<!DOCTYPE html><html><head><title>Welcome to {0}</title>{1}</head><body><form action="{2}" method="post">
<input name="user"><input type="password" name="pass"><a href="{2}">Terms</a> <a href="/help-1.0.tar.gz">Help</a>
</form>{3}</body></html>"""
STATUSES = (204, 206, 302, 400, 401, 403, 407, 418, 429, 500, 502, 503, 511)
OTHERS_FILES = ("evil-1.0-py3-none-any.whl", "requests-9.9.tar.gz", "numpy-99.0-cp313-cp313-win32.whl")
NO_FILES = ("../../../etc/passwd-1.0.zip", "..%2f..%2fa-1.0.zip", "a\\b-1.0.zip", "-1.0.whl", ".whl", "a\x00b-1.zip")
NO_URLS = (
    "javascript:alert(1)//{}", "file:///etc/{}", "data:text/html,{}", "ftp://files.example/{}", "http:///{}",
    "https://[::1/{}", "//{}", "http://files.example:99999/{}", "\x01https://files.example/{}", "https://a b/{}",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "x" * 5000,
    [],
    {},
    [[]],
    {"a": None},
    "\u202e\ud83d\ude00",
    "</script>",
)


@dataclass(frozen=True, slots=True)
class Page:
    """A project's page as its server sent it; `others` are the pages of other projects, of the same type."""

    project: str
    content_type: str
    body: bytes
    others: tuple[bytes, ...] = ()

    @property
    def is_json(self) -> bool:
        return self.content_type == V1_JSON


@dataclass(frozen=True, slots=True)
class Mutant:
    """An answer; `body` as it goes over the wire, `page` what a client has of it in the end, None for nothing."""

    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    page: bytes | None = None
    done: str = ""


Change = Callable[[random.Random, Page], Mutant]


def is_page_of(project: str, content_type: str, body: bytes) -> bool:
    """Say whether it is a page of that project, as pip, uv and the PEPs see one: 503, 629, 691."""
    if content_type.partition(";")[0].strip().lower().endswith("+json"):
        try:
            page = json.loads(body)
            return (
                _normal(page["name"]) == project
                and page.get("meta", {}).get("api-version", "1.0").partition(".")[0] == "1"
                and (not page["files"] or any(_is_of(project, file) for file in page["files"]))
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False
    reader = _Links()
    reader.feed(body.decode("utf-8", errors="replace"))
    return any(is_file_of(project, link) for link in reader.names) and reader.major in ("", "1")


def is_file_of(project: str, filename: str) -> bool:
    """Say whether pip would take a file for one of the project: what stands before some dash is its name."""
    starts = [filename[: dash.start()] for dash in re.finditer("-", filename)]
    if filename.endswith((".whl", ".egg")):
        starts = starts[:1]
    return any(_normal(start) == project for start in starts)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_of(project: str, file: Any) -> bool:
    return isinstance(file, dict) and isinstance(file.get("filename"), str) and is_file_of(project, file["filename"])


class _Links(html.parser.HTMLParser):
    """The last parts of a page's links, and the major version that it says it speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.major = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.names.append(found.get("href", "").partition("#")[0].partition("?")[0].rpartition("/")[2])
        elif tag == "meta" and found.get("name") == "pypi:repository-version":
            self.major = self.major or found.get("content", "").partition(".")[0]


# -- ruins: never a page of the project -------------------------------------------------------------------------------


def login(dice: random.Random, _page: Page) -> Mutant:
    """A portal's form, now and then with what looks like links to files of nobody."""
    words = ["Hotel WLAN", "Single sign-on", "Zscaler", "Captive"]
    extra = dice.choice(["", "<script>location='/'</script>", '<meta http-equiv="refresh" content="0;url=/x">'])
    links = "".join(
        f'<a href="/d/{name}-{dice.random():.3f}.zip">x</a>' for name in ("app", "setup")[: dice.randrange(3)]
    )
    place = dice.choice(["/login", "https://sso.example/"])
    return Mutant(LOGIN.format(dice.choice(words), extra, place, links).encode(), HTML)


def cut_short(dice: random.Random, page: Page) -> Mutant:
    """Half a page whose length fits."""
    return Mutant(page.body[: dice.randrange(len(page.body) - 60)], page.content_type)


def of_another(dice: random.Random, page: Page) -> Mutant:
    """The page of another project, be it one whose name begins alike."""
    other = dice.choice(
        [b"numpy2", b"acme", b"lib", page.project.encode() + b"s", page.project.replace("-", "_").encode() + b"_more"]
    )
    made = re.sub(rb"(?i)" + _spelt(page.project) + rb'(?=[-"<])', other, page.body)
    return Mutant(dice.choice((*page.others, made)), page.content_type)


def of_a_later_api(dice: random.Random, page: Page) -> Mutant:
    """A major version that nobody knows; HTML has it in a tag."""
    major = dice.randrange(2, 9)
    body = re.sub(rb'"api-version": ?"1', b'"api-version":"%d' % major, page.body)
    if not page.is_json:
        body = re.sub(rb'<meta name="pypi:repository-version"[^>]*>', b"", body)
        body = b'<meta name="pypi:repository-version" content="%d.0">' % major + body
    return Mutant(body, page.content_type)


def noise(dice: random.Random, page: Page) -> Mutant:
    """Bytes."""
    return Mutant(dice.randbytes(dice.randrange(1, 5000)), page.content_type)


def other_type(dice: random.Random, page: Page) -> Mutant:
    """A content type that no page has, or that of the other kind."""
    wrong = [
        "application/json",
        "text/plain",
        "application/octet-stream",
        "",
        "text/xml",
        HTML if page.is_json else V1_JSON,
    ]
    return Mutant(page.body, dice.choice(wrong))


def error_object(dice: random.Random, page: Page) -> Mutant:
    """An error with status 200, or a frame with nothing in it."""
    if dice.random() < 0.5:
        return Mutant(json.dumps({"error": "log in", "page": page.body[:100].decode("latin-1")}).encode(), V1_JSON)
    return Mutant(b"<html><body><script>var a=1</script><iframe src='/x'></iframe>Please log in</body></html>", HTML)


def empty(_dice: random.Random, page: Page) -> Mutant:
    """Nothing at all."""
    return Mutant(b"", page.content_type)


def error_status(dice: random.Random, page: Page) -> Mutant:
    """The page itself, or a form, with a status that says no."""
    status = dice.choice(STATUSES)
    place = dice.choice(["/login", "http://192.0.2.7/portal", "https://sso.example/?next=1"])
    body = b"" if status == 204 else dice.choice((page.body, login(dice, page).body))
    return Mutant(body, page.content_type, {"Location": place}, status)


def broken_off(dice: random.Random, page: Page) -> Mutant:
    """Fewer bytes than were announced."""
    return Mutant(page.body, page.content_type, {"Content-Length": str(len(page.body) + dice.randrange(1, 5000))})


def bad_gzip(dice: random.Random, page: Page) -> Mutant:
    """Cut, spoiled, not gzip at all, another encoding, or far larger than any page."""
    packed = bytearray(gzip.compress(page.body, 1, mtime=0))
    encoding = "gzip"
    match dice.randrange(12):
        case 0:
            packed = bytearray(bomb(100_000_000))
        case 1 | 2 | 3:
            del packed[dice.randrange(1, len(packed)) :]
        case 4 | 5:
            packed[-dice.randrange(1, 9)] ^= 1 << dice.randrange(8)  # the check at the end
        case 6 | 7:
            packed = bytearray(page.body)
        case 8 | 9:
            packed, encoding = bytearray(zlib.compress(page.body)), dice.choice(["deflate", "br", "zstd"])
        case _:
            return Mutant(bytes(packed), page.content_type)  # and nobody says so
    return Mutant(bytes(packed), page.content_type, {"Content-Encoding": encoding})


def older(dice: random.Random, page: Page) -> Mutant:
    """A serial that went back: a mirror's mirror that lags behind. The good page has SERIAL."""
    return Mutant(page.body, page.content_type, {"X-PyPI-Last-Serial": str(SERIAL - dice.randrange(1, SERIAL))})


SERIAL = 1_000_000

# -- twists: may still be a page of the project -----------------------------------------------------------------------


def _twisted(page: Page, body: bytes, **headers: str) -> Mutant:
    return Mutant(body, page.content_type, {name.replace("_", "-"): text for name, text in headers.items()}, page=body)


def cut_anywhere(dice: random.Random, page: Page) -> Mutant:
    """Cut near the end, where least is missing."""
    return _twisted(page, page.body[: len(page.body) - dice.randrange(1, 200)])


def cut_by_length(dice: random.Random, page: Page) -> Mutant:
    """More bytes than were announced."""
    length = len(page.body) - dice.randrange(1, 60)
    return Mutant(page.body, page.content_type, {"Content-Length": str(length)}, page=page.body[:length])


def flipped(dice: random.Random, page: Page) -> Mutant:
    """A few bits, as memory without a check has it."""
    body = bytearray(page.body)
    for _ in range(dice.randrange(1, 9)):
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
    return _twisted(page, bytes(body))


def shuffled(dice: random.Random, page: Page) -> Mutant:
    """Blocks left out, repeated or swapped, as a broken cache has them."""
    size = dice.choice([512, 1460, 4096])
    blocks = [page.body[at : at + size] for at in range(0, len(page.body), size)]
    for _ in range(dice.randrange(1, 4)):
        at, to = dice.randrange(len(blocks)), dice.randrange(len(blocks))
        blocks[at] = dice.choice([b"", blocks[to], blocks[at] * 2])
    return _twisted(page, b"".join(blocks))


def doubled(dice: random.Random, page: Page) -> Mutant:
    """Twice, or with another project's page before or behind."""
    other = dice.choice((page.body, *page.others))
    return _twisted(page, dice.choice([page.body + other, other + page.body]))


def encoded(dice: random.Random, page: Page) -> Mutant:
    """In another encoding, in two, with a mark in front or NULs in between."""
    text = page.body.decode("utf-8", errors="replace")
    middle = dice.randrange(len(text))
    body = dice.choice(
        [
            text.encode("utf-16"),
            text.encode("utf-32"),
            text.encode("utf-8-sig"),
            text[:middle].encode() + text[middle:].encode("utf-16-le"),
            text[:middle].encode() + b"\xff\xfe\xc3\x28" + text[middle:].encode(),
            text[:middle].encode() + b"\0" + text[middle:].encode(),
            text.encode("cp037", errors="replace"),
        ]
    )
    return _twisted(page, body)


def framed(dice: random.Random, page: Page) -> Mutant:
    """A portal's form around the page, or a script put into it."""
    form = login(dice, page).body
    body = dice.choice(
        [
            form.replace(b"</form>", b"</form>" + page.body),
            form + page.body,
            page.body + form,
            page.body.replace(b"<body>", b"<body><script>document.write('<a href=/x-1.0.zip>')</script>"),
            b'{"page": ' + page.body + b"}",
        ]
    )
    return _twisted(page, body)


def based_elsewhere(dice: random.Random, page: Page) -> Mutant:
    """A `<base>` that leads away, or none that could."""
    base = dice.choice(["https://elsewhere.example/x/", "javascript:alert(1)", "file:///", "//elsewhere.example", "%"])
    return _twisted(page, re.sub(rb"(?i)<head>|^", f'<head><base href="{base}">'.encode(), page.body, count=1))


def others_files(dice: random.Random, page: Page) -> Mutant:
    """Files of other projects among its own, or in their place."""
    names = itertools.cycle(dice.sample((*OTHERS_FILES, f"{page.project}-more-1.0-py3-none-any.whl"), 3))
    every = dice.choice([1, 2, 10])
    return _with_files(dice, page, lambda at, name: next(names) if at % every == 0 else name)


def no_files(dice: random.Random, page: Page) -> Mutant:
    """Names with ways out of a folder, and with what no name has."""
    return _with_files(dice, page, lambda at, name: dice.choice(NO_FILES) + name * (at % 2) if at % 3 == 0 else name)


def no_urls(dice: random.Random, page: Page) -> Mutant:
    """Links that lead to scripts, disks and nowhere."""
    bad = dice.choice(NO_URLS)
    every = dice.choice([1, 3])
    return _with_urls(page, lambda at, url: bad.format(url.rpartition("/")[2]) if at % every == 0 else url)


def bad_hashes(dice: random.Random, page: Page) -> Mutant:
    """Digests too short, too long, of other digits, in capitals, of another algorithm."""
    changes: list[Callable[[bytes], bytes]] = [
        lambda digest: digest[:-1],
        lambda digest: digest + b"a",
        lambda digest: b"z" + digest[1:],
        bytes.upper,
        lambda _: b"",
        lambda digest: b"../../" + digest[6:],
        lambda _: b"%2e%2e%2f" * 8,
    ]
    change = dice.choice(changes)
    body = re.sub(
        rb"(?<=[=\"])[0-9a-f]{64}(?=[\"&])", lambda m: change(m[0]) if dice.random() < 0.5 else m[0], page.body
    )
    return _twisted(page, body.replace(b"sha256", dice.choice([b"sha256", b"sha1", b"SHA256", b"sha256\xc3\xa4"])))


def odd_values(dice: random.Random, page: Page) -> Mutant:
    """Wrong types, huge numbers, deep nesting, keys twice; in HTML attributes of all kinds."""
    if not page.is_json:
        extra = dice.choice(
            [
                b" data-yanked",
                b' data-core-metadata="x"',
                b" href='evil-1.zip'",
                b' data-requires-python="' + b">" * 3000 + b'"',
                b" onclick=alert(1)",
            ]
        )
        return _twisted(
            page, re.sub(rb"<a ", lambda m: m[0] + extra.strip() + b" " if dice.random() < 0.3 else m[0], page.body)
        )
    match dice.randrange(5):
        case 0:
            twice = dice.choice([b'"name":"evil",', b'"files":[],', b'"meta":{"api-version":"9.0"},', b'"name":5,'])
            return _twisted(
                page, dice.choice([b"{" + twice + page.body[1:], page.body[:-1] + b"," + twice[:-1] + b"}"])
            )
        case 1:
            deep = b"[" * dice.choice([25, 500, 5000]) + b"]" * dice.choice([25, 500, 5000])
            return _twisted(page, page.body.replace(b'"files"', b'"deep":' + deep + b',"files"', 1))
        case 2:
            number = dice.choice([b"1e999", b"-0", b"9" * 400, b"NaN", b"Infinity", b"1.5e-400"])
            return _twisted(page, page.body.replace(b'"files"', b'"number":' + number + b',"files"', 1))
    whole = json.loads(page.body)
    if dice.random() < 0.3:
        whole[dice.choice(["meta", "name", "files", "versions", "project-status"])] = dice.choice(ODD)
    else:
        keys = [
            "filename",
            "url",
            "hashes",
            "size",
            "upload-time",
            "yanked",
            "core-metadata",
            "requires-python",
            "provenance",
            "new",
        ]
        key, value = dice.choice(keys), dice.choice((*ODD, "javascript:alert(1)"))
        for file in whole["files"]:
            if dice.random() < 0.3:
                file[key] = value
    return _twisted(page, json.dumps(whole).encode())


def well_packed(dice: random.Random, page: Page) -> Mutant:
    """Gzip as it may be, in one or two members, or with something behind it."""
    half = dice.randrange(len(page.body))
    packed = gzip.compress(page.body[:half], 1, mtime=0) + gzip.compress(page.body[half:], 1, mtime=0)
    tail = dice.choice([b"", b"\0" * 50, b"<html>log in</html>"])
    return Mutant(
        packed + tail, page.content_type, {"Content-Encoding": dice.choice(["gzip", "x-gzip"])}, page=page.body
    )


def _spelt(project: str) -> bytes:
    return project.encode().replace(b"-", rb"[-_.]+")


def _with_files(dice: random.Random, page: Page, rename: Callable[[int, str], str]) -> Mutant:
    count = itertools.count()
    if page.is_json:
        whole = json.loads(page.body)
        for file in whole["files"]:
            name = rename(next(count), file["filename"])
            file["url"] = file["url"].replace(file["filename"], name)
            file["filename"] = name
        return _twisted(page, json.dumps(whole).encode())

    def link(found: re.Match[bytes]) -> bytes:
        return found[1] + rename(next(count), found[2].decode()).encode()

    del dice
    return _twisted(page, re.sub(rb'(href="[^"#]*/)([^"#/]+)', link, page.body))


def _with_urls(page: Page, lead: Callable[[int, str], str]) -> Mutant:
    count = itertools.count()
    if page.is_json:
        whole = json.loads(page.body)
        for file in whole["files"]:
            file["url"] = lead(next(count), file["url"])
        return _twisted(page, json.dumps(whole).encode())
    return _twisted(
        page, re.sub(rb'(href=")([^"#]+)', lambda m: m[1] + lead(next(count), m[2].decode()).encode(), page.body)
    )


RUINS: tuple[Change, ...] = (
    login, cut_short, of_another, of_a_later_api, noise, other_type, error_object, empty, error_status, broken_off,
    bad_gzip, older,
)  # fmt: skip
TWISTS: tuple[Change, ...] = (
    cut_anywhere, cut_by_length, flipped, shuffled, doubled, encoded, framed, based_elsewhere, others_files, no_files,
    no_urls, bad_hashes, odd_values, well_packed,
)  # fmt: skip


def mutants(page: Page, seed: str) -> Iterator[Mutant]:
    """Endless answers, each kind in turn; the same ones for the same page and seed."""
    changes = [change for pair in itertools.zip_longest(RUINS, TWISTS) for change in pair if change is not None]
    for number in itertools.count():
        dice = random.Random(f"{seed} {page.project} {page.content_type} {number}")
        change = changes[number % len(changes)]
        made = change(dice, page)
        yield Mutant(made.body, made.content_type, made.headers, made.status, made.page, f"{change.__name__} {number}")
