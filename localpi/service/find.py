"""The service manager of this machine."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.service.launchd import Launchd
from localpi.service.systemd import SystemdUser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.service.outcomes import ServiceManager


def find_manager(platform: str, environ: Mapping[str, str]) -> ServiceManager | None:
    """Return the one that belongs to the platform (`sys.platform`), None where we know none. Asks nobody anything yet.

    Whether it can be used here is what `unavailable` tells.
    """
    account = Path(_account_home())
    home = Path(environ.get("HOME") or account)
    if platform == "darwin":
        return Launchd(home, environ, account)
    return SystemdUser(home, environ) if platform == "linux" else None


def _account_home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container's user without an account
        return "/"
