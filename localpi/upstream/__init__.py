"""The room that speaks to other indexes; cheap to import (requests comes with the first request)."""

from __future__ import annotations

from localpi.upstream.client import Upstream
from localpi.upstream.credentials import Basic, Credentials, netrc_path
from localpi.upstream.keyrings import ask_keyring
from localpi.upstream.mirror import Mirror, Reach
from localpi.upstream.outcomes import Broken, Fetched, Missing, NotModified, Reachable, Unreachable

__all__ = [
    "Basic",
    "Broken",
    "Credentials",
    "Fetched",
    "Mirror",
    "Missing",
    "NotModified",
    "Reach",
    "Reachable",
    "Unreachable",
    "Upstream",
    "ask_keyring",
    "netrc_path",
]
