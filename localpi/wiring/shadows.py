"""What keeps a wired tool from using the index that its file names: variables, other files, switches, proxies."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localpi.wiring import ini_pieces, toml_text
from localpi.wiring.edits import NotEditable, decode
from localpi.wiring.files import look
from localpi.wiring.pip_files import PipFile, pip_files
from localpi.wiring.places import home_of
from localpi.wiring.wish import without_userinfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

COMMANDS = ("install", "download", "wheel", "lock", "index")
"""pip's commands that ask an index: their sections beat [global]."""

BEATING = {
    "pip": ("PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_ISOLATED", "PIP_PROXY"),
    "uv": ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_CONFIG", "UV_CONFIG_FILE", "UV_NO_INDEX", "UV_OFFLINE"),
    "pdm": ("PDM_PYPI_URL",),
    "poetry": ("POETRY_REPOSITORIES_LOCALPI_URL", "POETRY_HTTP_BASIC_LOCALPI_PASSWORD"),
    "twine": ("TWINE_REPOSITORY_URL", "TWINE_REPOSITORY", "TWINE_USERNAME", "TWINE_PASSWORD"),
    "pixi": (),
}
ADDING = {
    "pip": ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"),
    "uv": ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
}
PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class Shadow:
    """One reason why a tool does something else than its wiring says."""

    where: str
    """A variable's name or a file's path."""
    what: str
    """One sentence."""
    beats: bool = True
    """False: the index is asked, others too."""


def find_shadows(tool: str, path: Path, url: str, environ: Mapping[str, str], platform: str) -> tuple[Shadow, ...]:
    """Return what shadows `url` in the file at `path`, which is wired or about to be; never raises."""
    found = [*_variables(tool, url, environ)]
    if tool == "pip":
        found += _pip_files(path, url, environ, platform)
    if tool == "uv":
        found += _uv_file(path)
    if tool != "pixi":
        found += _proxies(url, environ)
    return tuple(found)


def _variables(tool: str, url: str, environ: Mapping[str, str]) -> Iterator[Shadow]:
    for name in BEATING[tool]:
        value = environ.get(name, "")
        if value and value.rstrip("/") != url.rstrip("/") and value.lower() not in {"0", "false", "no", "off"}:
            yield Shadow(name, f"{name}={without_userinfo(_hidden(name, value))} is set and wins over the file")
    for name in ADDING.get(tool, ()):
        if environ.get(name):
            yield Shadow(name, f"{name} is set: {tool} looks there as well", beats=False)
    named = environ.get("PIP_CONFIG_FILE") if tool == "pip" else None
    if named == os.devnull:
        yield Shadow("PIP_CONFIG_FILE", f"PIP_CONFIG_FILE={os.devnull}: pip reads no configuration file at all")


def _hidden(name: str, value: str) -> str:
    return "***" if name.endswith("PASSWORD") else value


def _pip_files(wired: Path, url: str, environ: Mapping[str, str], platform: str) -> Iterator[Shadow]:
    files = pip_files(environ, platform)
    named = environ.get("PIP_CONFIG_FILE", "")
    if named and named != os.devnull and wired not in [file.path for file in files]:
        yield Shadow("PIP_CONFIG_FILE", f"PIP_CONFIG_FILE={named}: pip reads that file and not the user's")
    rank = next((n for n, file in enumerate(files) if file.path == wired), -1)
    for n, file in enumerate(files):
        try:
            data = look(file.path).data
            values = None if data is None else ini_pieces.read_values(decode(data))
        except NotEditable as broken:
            yield Shadow(str(file.path), f"{broken}; every pip command fails until it is mended")
            continue
        except OSError:
            continue
        if values is not None:
            yield from _sections(file, values, url, environ, later=n > rank, wired=n == rank)


def _sections(
    file: PipFile, values: ini_pieces.Values, url: str, environ: Mapping[str, str], *, later: bool, wired: bool
) -> Iterator[Shadow]:
    where = str(file.path)
    legacy = " (the legacy place)" if file.path == home_of(environ) / ".pip" / "pip.conf" else ""
    for section, keys in values.items():
        if section != "global" and section not in COMMANDS:
            continue
        other = keys.get("index-url", "")
        if other and other.rstrip("/") != url.rstrip("/"):
            if section in COMMANDS:
                yield Shadow(where, f"[{section}] index-url = {without_userinfo(other)} wins for pip {section}")
            elif later and not wired:
                yield Shadow(where, f"index-url = {without_userinfo(other)} is read later and wins{legacy}")
        if keys.get("no-index", "").lower() in {"1", "true", "yes", "on", "y", "t"}:
            yield Shadow(where, f"[{section}] no-index: pip asks no index at all{legacy}")
        if keys.get("extra-index-url"):
            shown = " ".join(without_userinfo(one) for one in keys["extra-index-url"].split())
            what = f"[{section}] extra-index-url = {shown}: pip takes the greatest version of all{legacy}"
            yield Shadow(where, what, beats=False)
        if keys.get("proxy"):
            yield Shadow(where, f"[{section}] proxy: pip sends requests for {urlsplit(url).hostname} there{legacy}")


def _uv_file(path: Path) -> Iterator[Shadow]:
    try:
        values = toml_text.read_values(decode(look(path).data or b""))
    except (NotEditable, OSError):
        return
    for section in ("", "pip"):
        table = values.get(section, {}) if section else values
        name = f"[{section}] " if section else ""
        if not isinstance(table, dict):
            continue
        if table.get("no-index") is True or (not section and table.get("offline") is True):
            yield Shadow(str(path), f"{name}no-index or offline: uv asks no index at all")
        if table.get("extra-index-url"):
            yield Shadow(str(path), f"{name}extra-index-url: uv asks those first", beats=False)
    for item in values.get("index", []) if isinstance(values.get("index"), list) else []:
        if isinstance(item, dict) and not item.get("default") and not item.get("explicit"):
            shown = without_userinfo(str(item.get("url", "")))
            yield Shadow(str(path), f"[[index]] {shown}: uv asks it first", beats=False)


def _proxies(url: str, environ: Mapping[str, str]) -> Iterator[Shadow]:
    host = urlsplit(url).hostname or ""
    name = next((name for name in PROXIES if environ.get(name)), None)
    exceptions = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if name and not is_excepted(host, exceptions.replace(" ", "").split(",")):
        yield Shadow(name, f"{name} is set and no_proxy does not name {host}: set no_proxy={host}")


def is_excepted(host: str, exceptions: Sequence[str]) -> bool:
    """Return whether clients go to `host` directly: by name, suffix, address or network."""
    for word in filter(None, exceptions):
        name = word.rpartition(":")[0] if word.count(":") == 1 else word
        if word == "*" or host == name or host.endswith("." + name.lstrip(".")):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False):
                return True
        except ValueError:
            continue
    return False
