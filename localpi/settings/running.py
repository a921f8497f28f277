"""Where the running daemon listens, and the secret by which its owner's programs act as root.

Liveness is the lock that the daemon holds, never this file: it is a signpost, and may outlive a daemon that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from localpi.settings.private import FILE_MODE, UMASK, make_folder, write_private

if TYPE_CHECKING:
    from localpi.settings.paths import Paths


@dataclass(frozen=True, slots=True)
class RunningDaemon:
    """What `daemon.json` says."""

    pid: int
    host: str
    """The address that it is bound to; may be a wildcard."""
    port: int
    url: str
    """`http://127.0.0.1:3141`, without a slash at the end: how a program on this machine reaches it."""
    started_at: str
    """RFC 3339, UTC."""
    version: str


def local_url(host: str, port: int) -> str:
    """Return the URL by which this machine reaches a socket that is bound to `host`; wildcards become loopback."""
    reached = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host)  # noqa: S104 -- recognised, not bound
    if reached is None:
        reached = f"[{host}]" if ":" in host else host
    return f"http://{reached}:{port}"


def write_running(paths: Paths, running: RunningDaemon) -> None:
    """Say where the daemon listens; raises OSError."""
    make_folder(paths.runtime)
    write_private(paths.running_file, json.dumps(asdict(running)).encode() + b"\n")


def read_running(paths: Paths) -> RunningDaemon | None:
    """Return what the last daemon wrote; None when there is nothing that can be read."""
    try:
        with paths.running_file.open("rb") as file:
            found = json.loads(file.read(10_000))
        running = RunningDaemon(**found)
    except (OSError, ValueError, TypeError):
        return None
    good = isinstance(running.pid, int) and isinstance(running.port, int) and isinstance(running.url, str)
    return running if good else None


def remove_running(paths: Paths) -> None:
    """Take the signpost down."""
    with contextlib.suppress(OSError):
        paths.running_file.unlink()


def ensure_owner_secret(paths: Paths) -> str:
    """Return the owner's secret, made now if there is none; its file is 0600. Raises OSError."""
    found = read_owner_secret(paths)
    if found is None:
        make_folder(paths.data)
        found = "lpo_" + secrets.token_urlsafe(32)
        write_private(paths.secret_file, found.encode() + b"\n")
    elif paths.secret_file.stat().st_mode & UMASK:
        paths.secret_file.chmod(FILE_MODE)
    return found


def read_owner_secret(paths: Paths) -> str | None:
    """Return the owner's secret; None when there is none, it is not this user's, or it is damaged."""
    try:
        with paths.secret_file.open("rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            text = file.read(200).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if re.fullmatch(r"lpo_[A-Za-z0-9_-]{43}", text) else None
