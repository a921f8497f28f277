"""What a person wishes to be wired to, and what that means for one file. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.wiring import ini_text, toml_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.wiring.edits import Change, Edit, Format

SECTION = "localpi"
"""The name that publishing tools know the index by: `twine upload -r localpi`."""

TOKEN_USER = "__token__"  # noqa: S105 -- the user name that goes with any token, as PyPI has it


@dataclass(frozen=True, slots=True)
class Wish:
    """The index to install from and publish to."""

    url: str
    """The daemon's, without a slash at the end: `http://127.0.0.1:3141`."""
    index: str
    """`user/name`."""
    replace: bool = False
    """Wiring that devpi's client made may be taken over."""
    project_wide: bool = False
    """uv's default index for projects too, which rewrites lock files."""
    token: str | None = field(default=None, repr=False)
    """May upload to the index."""
    public_url: str = ""
    """The public index, which every mirror of ours has already."""
    trusted_below: tuple[str, ...] = ()
    """What pip trusts by files of lower rank: a list of our own would replace theirs."""

    @property
    def index_url(self) -> str:
        """What pip calls `index-url`: the Simple API's root, with a slash at the end."""
        return f"{self.url}/{self.index}/+simple/"

    @property
    def publish_url(self) -> str:
        """Where uploads go."""
        return f"{self.url}/{self.index}/"

    @property
    def host(self) -> str:
        """The host's name or address, in lower case, without brackets."""
        return urlsplit(self.url).hostname or ""

    def under(self, host: str) -> Wish:
        """Return the same daemon under another name, on the same port."""
        port = urlsplit(self.url).port
        shown = f"[{host}]" if ":" in host else host
        return replace(self, url=f"http://{shown}" + (f":{port}" if port else ""))


@dataclass(frozen=True, slots=True)
class Plan:
    """The text of a file as it shall be, what is different in it, and what there is to say about that."""

    text: str
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def make_plan(form: Format, text: str, edits: Sequence[Edit], notes: Sequence[str] = ()) -> Plan:
    """Return the plan of making `edits`; raises NotEditable."""
    changed, changes = ini_text.edit(text, edits) if form == "ini" else toml_text.edit(text, edits)
    return Plan(changed, changes, tuple(notes))


def pip_trusts(host: str) -> bool:
    """Return whether pip takes plain http from `host` without `trusted-host`.

    Its list of secure origins: localhost, 127.0.0.0/8 and ::1. A trusted host gets a caching adapter on plain http,
    so one that needs no trust must not be given any.
    """
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 4 or address == ipaddress.ip_address("::1"))


def without_userinfo(url: str) -> str:
    """Return a URL that may be shown."""
    scheme, separator, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return scheme + separator + place.rpartition("@")[2] + slash + path
