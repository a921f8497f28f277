"""Errors to exit codes, once."""

from __future__ import annotations

from localpi import errors
from localpi.remote.daemon import RemoteError

DONE = 0
NO = 1
USAGE = 2
NOT_RUNNING = 3
REFUSED = 4
UNREACHABLE = 5
BUG = 70
CANNOT_START = 78
INTERRUPTED = 130

OF_ERROR: tuple[tuple[type[errors.LocalpiError], int], ...] = (
    (errors.DaemonNotRunning, NOT_RUNNING),
    (errors.CannotStart, CANNOT_START),
    (errors.SettingError, USAGE),
    (errors.CannotKnow, UNREACHABLE),
    (errors.InvalidUpload, REFUSED),
    (errors.NothingToPush, REFUSED),
    (errors.BadRequest, USAGE),
    (errors.StoreBroken, BUG),
    (errors.LocalpiError, REFUSED),
)
"""The first row that fits counts."""

REFUSALS = frozenset({errors.InvalidUpload.code, errors.NothingToPush.code})
"""What is 400 with devpi, and is about what there is rather than about how it was asked."""

OF_STATUS = {400: USAGE, 424: UNREACHABLE, 502: UNREACHABLE, 504: UNREACHABLE, 500: BUG}
"""Of what the daemon answered; every other refusal is REFUSED."""


def exit_code(error: errors.LocalpiError) -> int:
    """Return the exit code for `error`."""
    if isinstance(error, RemoteError):
        return REFUSED if error.code in REFUSALS else OF_STATUS.get(error.status, REFUSED)
    return next(code for kind, code in OF_ERROR if isinstance(error, kind))
