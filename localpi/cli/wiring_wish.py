"""From what was asked on the command line to a wish: where the daemon is, which index, which token."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from localpi.cli.output import say
from localpi.errors import DaemonNotRunning, IndexNotFound, LocalpiError, SettingError
from localpi.settings.pypi import PYPI_SIMPLE
from localpi.settings.running import local_url
from localpi.wiring.places import PUBLISHERS
from localpi.wiring.wish import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localpi.cli.scene import Scene
    from localpi.remote.daemon import Daemon
    from localpi.wiring.records import Records

SAMPLE_TOKEN = "lp1_id_secret"  # noqa: S105 -- stands for the token where nothing is written


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `wire` and `wire-pip`."""

    index: str | None
    scope: str
    host: str | None
    dry_run: bool
    print_only: bool
    replace: bool
    project_wide: bool

    @property
    def looks_only(self) -> bool:
        """Nothing is to be written."""
        return self.dry_run or self.print_only


@contextlib.contextmanager
def make_wish(scene: Scene, tool: str, asked: Asked, records: Records) -> Iterator[tuple[Wish, str]]:
    """Yield the wish, and the token that ours replaces; a token made for it is revoked when what follows fails."""
    daemon = _find_daemon(scene)
    index = scene.index(asked.index)
    if daemon is not None:
        _check_index(daemon, index)
    url = daemon.url if daemon is not None else local_url(scene.settings.host, scene.settings.port)
    if daemon is None and scene.settings.port == 0:
        raise DaemonNotRunning("the setting port is 0, so where it will listen is not known yet")
    wish = Wish(url, index, asked.replace, asked.project_wide, public_url=PYPI_SIMPLE)
    if asked.host:
        wish = wish.under(_host(asked.host))
    if daemon is None and not asked.looks_only:
        say("the daemon is not running; to start it: localpi up")
    kept = _kept_token(tool, wish, records)
    if tool not in PUBLISHERS or (daemon is None and not kept.token):
        yield wish, ""
    elif asked.looks_only:
        yield replace(wish, token=kept.token or SAMPLE_TOKEN), ""
    elif kept.token and (daemon is None or _is_valid(daemon, kept.token)):
        yield replace(wish, token=kept.token), ""
    elif daemon is not None:
        yield from _with_new_token(scene, daemon, tool, wish, _old_token(tool, records))


def _host(given: str) -> str:
    """Return a name, or an address without its brackets; a port belongs to the daemon."""
    host = given.lower().removeprefix("[").removesuffix("]")
    known = re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", host) is not None
    if ":" in host:
        with contextlib.suppress(ValueError):
            known = ipaddress.ip_address(host).version == 6
    if not known:
        raise click.BadParameter("a name or an address, without port", param_hint="--host")
    return host


def _with_new_token(scene: Scene, daemon: Daemon, tool: str, wish: Wish, old: str) -> Iterator[tuple[Wish, str]]:
    body = {"user": "root", "index": wish.index, "scope": "upload", "description": f"made by localpi wire {tool}"}
    token = str(daemon.admin("POST", "/tokens", body)["token"])
    try:
        yield replace(wish, token=token), old
    except BaseException:
        end_token(scene, token)
        raise


def end_token(scene: Scene, token: str) -> None:
    """Revoke a token that is no longer written anywhere; says so where the daemon cannot be asked."""
    token_id = _id_of(token)
    try:
        scene.daemon.admin("DELETE", f"/tokens/{token_id}")
    except DaemonNotRunning:
        say(f"  its token is still valid; when the daemon runs: localpi token revoke {token_id}")
    except LocalpiError as error:
        if getattr(error, "status", 0) != 404:
            say(f"  its token may still be valid ({error.message}): localpi token revoke {token_id}")


def _find_daemon(scene: Scene) -> Daemon | None:
    try:
        daemon = scene.daemon
        daemon.health(timeout_s=5)
    except DaemonNotRunning:
        return None
    return daemon


def own_port(scene: Scene) -> int | None:
    """Return the port of this very daemon, running or not; None where the settings do not tell."""
    try:
        return urlsplit(scene.daemon.url).port
    except DaemonNotRunning:
        pass
    try:
        return scene.settings.port or None
    except SettingError:
        return None


def _check_index(daemon: Daemon, index: str) -> None:
    user, _, name = index.partition("/")
    if name not in (daemon.front().get(user, {}).get("indexes") or {}):
        raise IndexNotFound(index)


def _kept_token(tool: str, wish: Wish, records: Records) -> Wish:
    """Return the wish with the token that is written already for this index, if there is one."""
    found = (one.token for one in records.all() if one.tool == tool and one.token and one.index == wish.index)
    return replace(wish, token=next(found, None))


def _old_token(tool: str, records: Records) -> str:
    return next((one.token for one in records.all() if one.tool == tool and one.token), "")


def _is_valid(daemon: Daemon, token: str) -> bool:
    rows = daemon.admin("GET", "/tokens").get("tokens", [])
    return any(row.get("id") == _id_of(token) for row in rows)


def _id_of(token: str) -> str:
    """Return the id in `lp1_{id}_{secret}`; the secret may have underscores of its own."""
    parts = token.split("_", 2)
    return parts[1] if len(parts) == 3 else token
