"""A credential that is tried before it is kept anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from localpi.upstream.credentials import Basic, Credentials, covers


class Given(Credentials):
    """One credential for a URL and all below it; whatever else is asked for, those behind it know."""

    def __init__(self, url: str, basic: Basic, behind: Credentials) -> None:
        super().__init__(Path(os.devnull))
        self._url, self._basic, self._behind = url, basic, behind

    def lookup(self, url: str) -> Basic | None:
        """The credential given, for what is below its URL."""
        return self._basic if covers(self._url, url) else self._behind.lookup(url)

    def ask(self, url: str) -> Basic | None:
        """The one given was refused: the keyring's would hide that."""
        return None if covers(self._url, url) else self._behind.ask(url)
