"""The log: one rotating file, no secrets, one line per record whatever a client sent. Handlers are set up only here."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 5_000_000
KEPT = 5
MASK = "***"

_SECRETS = (
    (re.compile(r"(?i)(://)[^/@\s]+@"), rf"\1{MASK}@"),
    (re.compile(r"(?i)((?:proxy-)?authorization|x-devpi-auth)(['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+"), rf"\1\2{MASK}"),
    (re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\b(lp1_[A-Za-z0-9]+_|lpo_|pypi-(?=AgE))[A-Za-z0-9_-]{12,}"), rf"\1{MASK}"),
    (
        re.compile(r"(?i)([?&;](?:[a-z0-9-]*(?:token|signature|password|secret|credential|key)|sig)=)[^&\s'\"]+"),
        rf"\1{MASK}",
    ),
)
"""What must not be in a log, and what stands there instead: PLATFORM's list."""

_SIGNS = ("@", "=", "auth", "basic", "bearer", "lp1_", "lpo_", "pypi-age")
"""One of them is in every text that has a secret: looking for these first makes a line three times as cheap."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def redact(text: str) -> str:
    """Mask userinfo in URLs, credentials in headers, tokens, and signatures in query strings."""
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return text
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class LineFormatter(logging.Formatter):
    """Time (RFC 3339 with offset), level, room, message; what follows on further lines is indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Make the line; traceback lines below it are indented by two."""
        name = record.name.removeprefix("localpi.")
        text = f"{self._time(record)} {record.levelname} {name}: {_one_line(record.getMessage())}"
        if record.exc_info:
            text += "\n" + _clean(self.formatException(record.exc_info)).replace("\n", "\n  ")
        return redact(text)

    def _time(self, record: logging.LogRecord) -> str:
        """Make the time; the part that changes once a second is kept, for it costs more than the rest of the line."""
        second = int(record.created)
        if second != self._second:
            at = datetime.fromtimestamp(second, UTC).astimezone().isoformat()
            self._second, self._date, self._offset = second, at[:19], at[19:]
        return f"{self._date}.{int(record.msecs):03}{self._offset}"

    _second, _date, _offset = -1, "", ""


class RotatingFile(RotatingFileHandler):
    """Rotates when the file is full; the library's formats every record twice to find out."""

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: ARG002, N802 -- the library's name
        """Say whether the file is full."""
        return self.stream is not None and os.fstat(self.stream.fileno()).st_size >= self.maxBytes


def _one_line(message: str) -> str:
    return _clean(message).replace("\n", "\\n").replace("\t", " ")


def _clean(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


FILE_ONLY = {"localpi_file_only": True}
"""The `extra` of a record that does not go to stderr."""


@contextmanager
def logging_to(path: Path, level: str, *, aloud: bool, quiet: bool = False) -> Iterator[None]:
    """Log to a file while the block runs, and to stderr: warnings, or with `aloud` all of it, or with `quiet` nothing.

    The file is its owner's only because the process's umask says so.
    """
    wanted = getattr(logging, level.upper())
    file = RotatingFile(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", errors="backslashreplace")
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.DEBUG if aloud else logging.WARNING)
    screen.addFilter(lambda record: not quiet and not hasattr(record, "localpi_file_only"))
    root = logging.getLogger()
    before, root.level = root.level, wanted
    least_of = {"waitress.queue": logging.ERROR, "waitress": max(wanted, logging.WARNING), "urllib3": logging.WARNING}
    for name, least in least_of.items():
        logging.getLogger(name).setLevel(least)
    for handler in (file, screen):
        handler.setFormatter(LineFormatter())
        root.addHandler(handler)
    logging.raiseExceptions = False  # a full disk must not fill stderr
    hook, threading.excepthook = threading.excepthook, _log_thread
    try:
        yield
    finally:
        threading.excepthook = hook
        root.setLevel(before)
        for handler in (file, screen):
            root.removeHandler(handler)
            handler.close()


def _log_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "?"
        logging.getLogger(__name__).critical("thread %s ended: %r", name, args.exc_value, exc_info=args.exc_value)
