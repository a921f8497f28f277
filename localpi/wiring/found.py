"""The index that pip is already told to install from; looked at, never changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.wiring.pip_files import pip_files, read_pip_file

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An `index-url` and who says it."""

    url: str = field(repr=False)
    """As written; may carry a user and password, so it is not to be shown."""
    where: str
    """A variable's name or a file's path."""

    @property
    def shown(self) -> str:
        """The URL without user and password."""
        return re.sub(r"(?<=://)[^/@\s]+@", "", self.url)

    @property
    def name(self) -> str:
        """A name for a mirror of it: the first telling label of its host."""
        labels = (urlsplit(self.url).hostname or "").split(".")
        dull = {"www", "pypi", "simple", "index"}
        telling = [label for label in labels if label and not label.isdigit() and label not in dull]
        return re.sub(r"[^a-z0-9-]", "-", telling[0]) if telling else "upstream"


def pip_index(environ: Mapping[str, str], platform: str) -> FoundIndex | None:
    """Return the index that `pip install` uses, PIP_INDEX_URL before files; None for pip's own default.

    `environ` and `platform` (`sys.platform`) are the machine's. Only http and https are of use to a mirror.
    """
    candidates = [FoundIndex(environ.get("PIP_INDEX_URL", "").strip(), "PIP_INDEX_URL")]
    for file in reversed(pip_files(environ, platform)):
        values = read_pip_file(file)
        found = values.value("index-url") if values else None
        candidates.append(FoundIndex((found or "").strip(), str(file.path)))
    chosen = next((candidate for candidate in candidates if candidate.url), None)
    return chosen if chosen and re.fullmatch(r"https?://[^\s/]\S*", chosen.url) else None


def is_ours(url: str, daemon_url: str) -> bool:
    """Return whether `url` is this very daemon: its port, on loopback or a name that containers have for the host."""
    theirs, ours = urlsplit(url), urlsplit(daemon_url)
    try:
        port = theirs.port or (443 if theirs.scheme == "https" else 80)
    except ValueError:
        return False
    host = theirs.hostname or ""
    local = host in {"localhost", "::1", ours.hostname} or host.startswith("127.") or host.endswith(".internal")
    return port == ours.port and local
