"""Every limit of the process in one place: waitress's, all of them set, and the system's."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import resource
import sys

from waitress.adjustments import Adjustments  # type: ignore[import-untyped]

logger = logging.getLogger(__name__)

MAX_HEADER = 64 << 10
CONNECTIONS = 1000
OPEN_FILES = 8192
"""Each connection may hold a socket and a file, each download a socket and a file, each reading thread a database."""
SWITCH_S = 0.0005
_M_ARENA_MAX = -8  # malloc.h


def adjust(*, threads: int, max_body: int) -> Adjustments:
    """Return waitress's settings; its defaults are for a server behind nginx, with 100 connections."""
    return Adjustments(
        threads=threads,
        backlog=1024,
        connection_limit=connection_limit(),
        channel_timeout=120,
        cleanup_interval=30,
        channel_request_lookahead=0,  # else CVE-2024-49768
        recv_bytes=64 << 10,
        inbuf_overflow=128 << 10,  # times the connections: half bodies are not to fill the memory
        outbuf_overflow=8 << 20,
        outbuf_high_watermark=1 << 20,
        max_request_header_size=MAX_HEADER,
        max_request_body_size=max_body,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
        log_untrusted_proxy_headers=False,
        log_socket_errors=True,  # off, an application's OSError would close the connection without an answer
        expose_tracebacks=False,
        ident=None,
        url_scheme="http",
        server_name="localhost",
    )


def connection_limit() -> int:
    """Return how many connections fit: CONNECTIONS, or a third of the files that this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(20, min(CONNECTIONS, soft // 3))


def raise_open_files() -> None:
    """Raise the limit of open files as far as this user may, up to OPEN_FILES (launchd starts us with 256)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def share_interpreter() -> None:
    """Let the loop have the interpreter back sooner from a worker that computes.

    While one parses, hits at 8 connections: 5 ms (Python's own) 1,400-2,000 req/s, p99 43-70 ms; 1 ms 2,700-4,100,
    12-25 ms; 0.2 ms 3,300-6,100, 13-15 ms.
    """
    sys.setswitchinterval(SWITCH_S)


def limit_arenas() -> None:
    """Let glibc use two malloc arenas (82-137 MB against 12 more after the set); before threads start.

    Elsewhere there is nothing to set: macOS and musl have no arenas per thread.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 2)
