"""Whether a user's services run while nobody is logged in: loginctl(1), user-lingering."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.service.commands import NOT_THERE, run
from localpi.service.outcomes import Outcome, What

if TYPE_CHECKING:
    from collections.abc import Mapping

ASK_S = 60.0
"""polkit may ask for a password meanwhile, in a window of its own."""

EXPLAINED = (
    "it runs while you are logged in. To have it from boot on, and after logout (a server, a machine that you reach by "
    "ssh): loginctl enable-linger"
)


def is_lingering(folder: Path = Path("/var/lib/systemd/linger")) -> bool:
    """Return whether this user's services start at boot and outlive the last logout; `folder` is logind's."""
    return (folder / _user()).exists()


def enable_linger(environ: Mapping[str, str]) -> Outcome:
    """Have them do so: CHANGED, UNCHANGED, or bad."""
    if is_lingering():
        return Outcome(What.UNCHANGED)
    ran = run(["loginctl", "enable-linger"], environ, ASK_S)
    if ran.code == 0:
        return Outcome(What.CHANGED)
    what = What.UNAVAILABLE if ran.code == NOT_THERE else What.FAILED
    return Outcome(what, ran.said, f"sudo loginctl enable-linger {_user()}")


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an account
        return str(os.getuid())
