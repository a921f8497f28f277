"""Where pip reads its configuration from, in its own order, and what stands there.

Rules: https://pip.pypa.io/en/stable/topics/configuration/ and pip's `_internal/configuration.py`, `utils/appdirs.py`:
global, user (legacy first), site, PIP_CONFIG_FILE; the later one wins, and within a file `[install]` beats `[global]`.
"""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 1_000_000
Scope = Literal["global", "user", "site", "named"]


@dataclass(frozen=True, slots=True)
class PipFile:
    """A place that pip looks at, whether or not a file is there."""

    scope: Scope
    path: Path


@dataclass(frozen=True, slots=True)
class PipValues:
    """What a file says: section, then key as pip normalises it, to value."""

    file: PipFile
    sections: Mapping[str, Mapping[str, str]]

    def value(self, key: str) -> str | None:
        """Return what `pip install` takes for `key` from this file; empty values are none."""
        for section in ("install", "global"):
            found = self.sections.get(section, {}).get(key)
            if found:
                return found
        return None


def pip_files(environ: Mapping[str, str], platform: str) -> tuple[PipFile, ...]:
    """Return the places in pip's order, later wins; `platform` is `sys.platform` (`linux`, `darwin`)."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return ()
    home = Path(environ.get("HOME") or Path.home())
    places = [PipFile("global", path) for path in global_places(environ, platform)]
    if not (named and Path(named).exists()):
        places += [PipFile("user", home / ".pip" / "pip.conf"), PipFile("user", user_place(home, environ, platform))]
    if environment := environ.get("VIRTUAL_ENV"):
        places.append(PipFile("site", Path(environment) / "pip.conf"))
    if named:
        places.append(PipFile("named", Path(named)))
    return tuple(places)


def global_places(environ: Mapping[str, str], platform: str) -> tuple[Path, ...]:
    """Return the machine's files, later wins; `pip config --global` writes the last."""
    if platform == "darwin":
        return (Path("/Library/Application Support/pip/pip.conf"),)
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    return (*(Path(folder) / "pip" / "pip.conf" for folder in folders if folder), Path("/etc/pip.conf"))


def user_place(home: Path, environ: Mapping[str, str], platform: str) -> Path:
    """Return the user's file that wins over the legacy one, and that `pip config --user` writes."""
    if platform == "darwin":
        library = home / "Library" / "Application Support" / "pip"
        return (library if library.is_dir() else home / ".config" / "pip") / "pip.conf"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"


def read_pip_file(file: PipFile) -> PipValues | None:
    """Return what `file` says; None when it is not there or pip itself could not read it."""
    parser = configparser.RawConfigParser()
    parser.optionxform = normalise_key  # type: ignore[assignment,method-assign]  # configparser's own way to set it
    try:
        with file.path.open("rb") as source:
            parser.read_string(source.read(MOST_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return None
    return PipValues(file, {section: dict(parser.items(section)) for section in parser.sections()})


def normalise_key(key: str) -> str:
    """Return a key as pip compares it: `Index_Url` and `--index-url` are `index-url`."""
    return key.lower().replace("_", "-").removeprefix("--")
