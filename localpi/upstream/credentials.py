"""Credentials of upstreams: a file of our own (0600), netrc, the keyring. Never logged, never in the database.

They are keyed by origin and path, so that two mirrors on one host may have different tokens. The file:

    ["https://repo.example.com/artifactory/api/pypi/python/simple/"]
    username = "me"
    password = "secret"
"""

from __future__ import annotations

import contextlib
import logging
import netrc
import os
import threading
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.upstream.keyrings import KeyringAsker
from localpi.upstream.mirror import origin_of, without_userinfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from localpi.upstream.mirror import Origin

_log = logging.getLogger(__name__)

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password, or a token in its place."""

    username: str
    password: str = field(repr=False)


class Credentials:
    """Looks credentials up, and keeps those that it is given in its file.

    `netrc` is that file's path, or None for no netrc; `keyring` gives (user, password) for a URL (`ask_keyring`), or
    None for no keyring. Files are read again when they change.
    """

    def __init__(
        self,
        file: Path,
        *,
        netrc: Path | None = None,
        keyring: Callable[[str], tuple[str, str] | None] | None = None,
    ) -> None:
        self._file, self._netrc = file, netrc
        self._asker = KeyringAsker(keyring) if keyring is not None else None
        self._lock = threading.Lock()
        self._stamps: dict[Path, tuple[int, int, int]] = {}
        self._own: dict[tuple[Origin, str], Basic] = {}
        self._hosts: dict[str, Basic] = {}

    def lookup(self, url: str) -> Basic | None:
        """The credential for a URL, from the file or netrc, or one that the keyring gave before; does not wait."""
        origin, path = _key(url)
        with self._lock:
            self._refresh()
            fitting = [key for key in self._own if key[0] == origin and _covers(key[1], path)]
            if fitting:
                return self._own[max(fitting, key=lambda key: len(key[1]))]
            if origin.host in self._hosts:
                return self._hosts[origin.host]
        found = self._asker.known(without_userinfo(url)) if self._asker is not None else None
        return Basic(*found) if found is not None else None

    def ask(self, url: str) -> Basic | None:
        """What the keyring has, after a 401: waits for it 2 s at most."""
        found = self._asker.ask(without_userinfo(url)) if self._asker is not None else None
        return Basic(*found) if found is not None else None

    def store(self, url: str, username: str, password: str) -> None:
        """Keep a credential for a URL and all below it, in the file; OSError when that cannot be written."""
        self._change(url, {"username": username, "password": password})

    def forget(self, url: str) -> None:
        """Drop the credential of exactly this URL from the file."""
        self._change(url, None)

    def _change(self, url: str, entry: Mapping[str, str] | None) -> None:
        import tomlkit  # noqa: PLC0415 - 30 ms, and only changes need it

        key = without_userinfo(url)
        with self._lock:
            text = self._file.read_text(encoding="utf-8") if self._file.exists() else ""
            document = tomlkit.parse(text)
            same = [item for item in document if _is_at(item, key)]
            if entry is None and not same:
                return
            for known in same:
                del document[known]
            if entry is not None:
                document[key] = dict(entry)
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = self._file.with_name(self._file.name + ".new")
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as output:
                output.write(tomlkit.dumps(document))
                output.flush()
                os.fsync(output.fileno())
            beside.replace(self._file)

    def _refresh(self) -> None:
        if self._changed(self._file):
            self._own = _read_own(self._file)
        if self._netrc is not None and self._changed(self._netrc):
            self._hosts = _read_netrc(self._netrc)

    def _changed(self, path: Path) -> bool:
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        except OSError:
            stamp = (0, 0, 0)
        changed = self._stamps.get(path, (0, 0, 0)) != stamp
        self._stamps[path] = stamp
        return changed


def netrc_path(environ: Mapping[str, str], home: Path) -> Path:
    """Where netrc is: `$NETRC`, else `~/.netrc`."""
    return home.joinpath(environ.get("NETRC") or ".netrc")


def covers(prefix: str, url: str) -> bool:
    """Whether a credential kept for the URL `prefix` is for `url` too: the same origin, and the path below it."""
    (home, above), (origin, path) = _key(prefix), _key(url)
    return home == origin and _covers(above, path)


def _key(url: str) -> tuple[Origin, str]:
    return origin_of(url), urlsplit(url).path.rstrip("/")


def _is_at(item: str, url: str) -> bool:
    try:
        return _key(item) == _key(url)
    except ValueError:  # an entry that is no URL is left alone
        return False


def _covers(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _read_own(path: Path) -> dict[tuple[Origin, str], Basic]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                _log.warning("%s could be read by others; it is made the owner's alone", path)
                os.fchmod(file.fileno(), 0o600)
            entries = tomllib.loads(file.read(_LARGEST).decode())
    except OSError:
        return {}
    except ValueError:
        _log.warning("%s is not TOML; no credential in it is used", path)
        return {}
    found = {}
    for url, entry in entries.items():
        try:
            found[_key(url)] = Basic(str(entry["username"]), str(entry["password"]))
        except (ValueError, KeyError, TypeError):
            _log.warning("%s has an entry that is not a URL with username and password", path)
    return found


def _read_netrc(path: Path) -> dict[str, Basic]:
    """The hosts that netrc names; its `default` is for all hosts, so it is for none of ours."""
    try:
        hosts = netrc.netrc(str(path)).hosts
    except OSError:
        return {}
    except (netrc.NetrcParseError, UnicodeDecodeError):
        _log.warning("%s cannot be understood; no credential in it is used", path)
        return {}
    return {host: Basic(user, password) for host, (user, _, password) in hosts.items() if host != "default"}
