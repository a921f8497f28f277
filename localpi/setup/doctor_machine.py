"""Facts about the machine: modes, disks, the clock, SQLite, the port, bridges."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from localpi.errors import LocalpiError
from localpi.settings.listening import find_addresses, find_owner
from localpi.settings.private import FILE_MODE, FOLDER_MODE, UMASK
from localpi.setup.doctor_facts import Bridge, ClockFacts, DiskFacts, PathFacts, PortFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localpi.settings.paths import Paths

ASK_S = 5.0
BRIDGES = re.compile(r"docker\d+|podman\d+|cni-podman\d+|nerdctl\d+|br-[0-9a-f]{12}")
"""What Docker, podman and nerdctl call theirs."""
MOST_RECORDS = 200


def loose_paths(paths: Paths) -> tuple[PathFacts, ...]:
    """Return folders and secrets of ours that others may look into, that are not ours, or that cannot be written."""
    records = paths.data / "wiring"
    folders = (paths.config, paths.data, paths.cache, paths.logs, paths.runtime, records)
    files = (paths.secret_file, paths.credentials_file, *_databases(paths), paths.running_file)
    with contextlib.suppress(OSError):
        files += tuple(sorted(records.glob("*.json")))[:MOST_RECORDS]
    found = [_look(path, FOLDER_MODE, folder=True) for path in folders]
    found += [_look(path, FILE_MODE, folder=False) for path in files]
    return tuple(facts for facts in found if facts is not None)


def _databases(paths: Paths) -> tuple[Path, ...]:
    return (paths.data / "localpi.sqlite", paths.cache / "cache.sqlite")


def _look(path: Path, wanted: int, *, folder: bool) -> PathFacts | None:
    try:
        status = path.stat()
    except OSError:
        return None
    mode = status.st_mode & 0o777
    mine = status.st_uid == os.geteuid()
    writable = mode & wanted == wanted
    if mine and writable and not mode & UMASK:
        return None
    return PathFacts(str(path), mode, wanted, folder, mine, writable)


def disks(paths: Paths) -> tuple[DiskFacts, ...]:
    """Return the disks that data, cache and logs are on, or would be."""
    by_device: dict[int, list[Path]] = {}
    for folder in (paths.data, paths.cache, paths.logs):
        there = next((each for each in (folder, *folder.parents) if each.exists()), None)
        if there is not None:
            by_device.setdefault(there.stat().st_dev, []).append(folder)
    found = []
    for folders in by_device.values():
        there = next(each for each in (folders[0], *folders[0].parents) if each.exists())
        with contextlib.suppress(OSError):
            system = os.statvfs(there)
            counted = system.f_favail if system.f_files else None
            read_only = bool(system.f_flag & os.ST_RDONLY)
            shown = tuple(str(folder) for folder in folders)
            found.append(DiskFacts(shown, system.f_bavail * system.f_frsize, counted, read_only))
    return tuple(found)


def clock(paths: Paths) -> ClockFacts:
    """Return the year, and how far the newest of our files is in the future."""
    now = time.time()
    newest, at = "", now
    for path in (*_databases(paths), paths.log_file, paths.config_file, paths.running_file, Path(__file__)):
        with contextlib.suppress(OSError):
            written = path.stat().st_mtime
            if written > at:
                newest, at = str(path), written
    return ClockFacts(datetime.fromtimestamp(now, UTC).year, newest, int(at - now))


def sqlite_version(program: str = sys.executable) -> tuple[int, ...]:
    """Return the version of SQLite that an interpreter has; () when it cannot be asked."""
    try:
        ran = subprocess.run(
            [program, "-I", "-c", "import sqlite3; print(sqlite3.sqlite_version)"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=ASK_S,
            check=True,
        )
        return tuple(int(part) for part in ran.stdout.decode("ascii").strip().split("."))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def program_of(pid: int | None) -> str:
    """Return the interpreter of a process; that of this one when there is none to be had."""
    try:
        return psutil.Process(pid).exe() or sys.executable if pid else sys.executable
    except (psutil.Error, OSError):
        return sys.executable


def port_taken(host: str, port: int) -> PortFacts | None:
    """Return who has a port that the daemon is to listen on; None when it is free, or the host is no address."""
    try:
        addresses = find_addresses(host)
    except LocalpiError:
        return None
    if all(_is_free(family, address, port) for family, address in addresses):
        return None
    owner, devpi = find_owner(port)
    return PortFacts(owner, devpi)


def _is_free(family: int, address: str, port: int) -> bool:
    """Return whether somebody could listen there; an address that is not here is nobody's."""
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            asking.bind((address, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def bridges() -> tuple[Bridge, ...]:
    """Return the bridges of container engines with their IPv4 addresses; Linux alone has such."""
    return tuple(_bridges()) if sys.platform == "linux" else ()


def _bridges() -> Iterator[Bridge]:
    with contextlib.suppress(OSError):
        interfaces: dict[str, Sequence[object]] = dict(psutil.net_if_addrs())
        for name, addresses in sorted(interfaces.items()):
            if BRIDGES.fullmatch(name):
                for address in addresses:
                    if getattr(address, "family", None) == socket.AF_INET:
                        yield Bridge(name, str(getattr(address, "address", "")))
