"""What pip.conf has to say. Pure: text in, plan out.

`index-url` alone: pip merges what several indexes offer, and skips a dead one with no more than a warning.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from localpi.wiring.edits import Edit, NotEditable
from localpi.wiring.ini_pieces import Values, read_values
from localpi.wiring.wish import Plan, Wish, make_plan, pip_trusts, without_userinfo

GLOBAL = ("global",)
_SIMPLE = re.compile(r"/\+simple/?\Z")


def plan_pip(text: str, wish: Wish) -> Plan:
    """Return pip's file with our index; raises NotEditable, TakenByDevpi."""
    values = read_values(text)
    here = values.get("global", {})
    old = here.get("index-url", "")
    edits, notes = [Edit(GLOBAL, "index-url", wish.index_url)], []
    if devpi_made(values, wish):
        if not wish.replace:
            raise TakenByDevpi(without_userinfo(old))
        edits += _take_over(values, wish)
        notes.append(f"takes over what `devpi use --set-cfg` made for {without_userinfo(old)}")
    elif old and old != wish.index_url:
        notes.append(f"pip has installed from {without_userinfo(old)} so far")
        first = old.split()[0]
        if urlsplit(first).hostname not in {wish.host, urlsplit(wish.public_url).hostname}:
            shown = without_userinfo(first)
            notes.append(f"to have localpi ask it too: localpi base add NAME {shown}")
    if not pip_trusts(wish.host):
        edits += _trust(here, wish)
    return make_plan("ini", text, edits, notes)


class TakenByDevpi(NotEditable):
    """devpi's client made this wiring."""

    code = "taken-by-devpi"

    def __init__(self, url: str) -> None:
        self.url = url
        self.hint = "the same command with --replace takes it over; undoing brings it back exactly"
        super().__init__(f"`devpi use --set-cfg` made it install from {url}")


def devpi_made(values: Values, wish: Wish) -> bool:
    """Return whether the file has what devpi's client writes, for another daemon than `wish`'s.

    That is `index_url` = `…/user/index/+simple/` in [global], mostly with `trusted-host` beside it and [search].
    """
    here = values.get("global", {})
    url = here.get("index-url", "")
    if not _SIMPLE.search(url) or "\n" in url:
        return False
    index_of_search = values.get("search", {}).get("index", "")
    beside = index_of_search.rstrip("/") == _SIMPLE.sub("", url) and bool(index_of_search)
    elsewhere = urlsplit(url).netloc.rpartition("@")[2].lower() != urlsplit(wish.url).netloc.lower()
    return beside or (elsewhere and not looks_like_ours(url))


def _take_over(values: Values, wish: Wish) -> list[Edit]:
    """Return the edits that end devpi's other two lines: its host's trust, and the index of `pip search`."""
    here = values.get("global", {})
    old = urlsplit(here["index-url"])
    edits = []
    if here.get("trusted-host", "").split() == [old.hostname or ""] and (
        old.hostname != wish.host or pip_trusts(wish.host)
    ):
        edits.append(Edit(GLOBAL, "trusted-host", None))
    if values.get("search", {}).get("index", "").startswith(f"{old.scheme}://{old.netloc}/"):
        edits.append(Edit(("search",), "index", None))
    return edits


def _trust(here: dict[str, str], wish: Wish) -> list[Edit]:
    """Return the edits that make pip take plain http from the host; lists of lower rank are taken along."""
    host = f"[{wish.host}]" if ":" in wish.host else wish.host
    if here.get("trusted-host"):
        return [Edit(GLOBAL, "trusted-host", host, word=True)]
    return [Edit(GLOBAL, "trusted-host", " ".join(dict.fromkeys((*wish.trusted_below, host))))]


def looks_like_ours(url: str) -> bool:
    """Return whether a URL is what localpi writes: plain http to this machine, `/user/index/+simple/`."""
    parts = urlsplit(url)
    here = pip_trusts(parts.hostname or "") or (parts.hostname or "").endswith(".internal")
    return parts.scheme == "http" and here and bool(re.fullmatch(r"/[^/+]+/[^/+]+/\+simple/?", parts.path))


def forget_plan(text: str, port: int | None = None) -> Plan:
    """Return pip's file without what looks like ours, for when no record of it is left; raises NotEditable.

    With `port`, what names a daemon on another one stays, and a note says so.
    """
    values = read_values(text)
    here = values.get("global", {})
    url = here.get("index-url", "")
    if not looks_like_ours(url) or values.get("search", {}).get("index"):
        return Plan(text)
    if port is not None and urlsplit(url).port != port:
        note = f"{without_userinfo(url)} is another daemon's and was left alone; to take it out: localpi unwire-pip"
        return Plan(text, notes=(note,))
    edits = [Edit(GLOBAL, "index-url", None)]
    if here.get("trusted-host", "") == urlsplit(url).hostname:
        edits.append(Edit(GLOBAL, "trusted-host", None))
    return make_plan("ini", text, edits, ["there is no record of it: the line itself was taken out"])
