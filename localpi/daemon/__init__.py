"""The process: waitress's loop, lock, listening sockets, log, readiness, chores; the only composition root."""

from __future__ import annotations

from localpi.daemon.process import serve

__all__ = ["serve"]
