"""Where the tools keep what is set per user; each tool's own rules, none of ours."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.wiring.edits import NotEditable
from localpi.wiring.pdm_pixi import plan_pdm, plan_pixi
from localpi.wiring.pip import plan_pip
from localpi.wiring.pip_files import PipFile, global_places, user_place
from localpi.wiring.publishing import plan_poetry, plan_poetry_auth, plan_twine
from localpi.wiring.uv import plan_uv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.wiring.edits import Format
    from localpi.wiring.wish import Plan, Wish

TOOLS = ("pip", "uv", "pdm", "poetry", "twine", "pixi")
PUBLISHERS = ("poetry", "twine")
"""Those that want a token."""

PRIVATE, SHARED = 0o600, 0o644


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a tool, whether or not it is there, and who plans what it shall say."""

    tool: str
    path: Path
    form: Format
    plan: Callable[[str, Wish], Plan]
    mode: int = PRIVATE
    """Of a new file."""
    scope: str = "user"
    secret: bool = False
    """A token goes into it: nobody else may read it from then on."""


def places(tool: str, environ: Mapping[str, str], platform: str, scope: str = "user") -> tuple[Place, ...]:
    """Return the files to wire for `tool`; raises NotEditable for a scope that is not there."""
    home = home_of(environ)
    if tool == "pip":
        file = pip_place(environ, platform, scope)
        mode = PRIVATE if scope == "user" else SHARED
        return (Place("pip", file.path, "ini", plan_pip, mode, scope),)
    if tool == "uv":
        return (Place("uv", _xdg(environ) / "uv" / "uv.toml", "toml", plan_uv),)
    if tool == "pdm":
        named = environ.get("PDM_CONFIG_FILE")
        path = Path(named).expanduser() if named else _native(environ, platform, "pdm") / "config.toml"
        return (Place("pdm", path, "toml", plan_pdm),)
    if tool == "poetry":
        named = environ.get("POETRY_CONFIG_DIR")
        folder = Path(named).expanduser() if named else _native(environ, platform, "pypoetry")
        return (
            Place("poetry", folder / "config.toml", "toml", plan_poetry),
            Place("poetry", folder / "auth.toml", "toml", plan_poetry_auth, secret=True),
        )
    if tool == "twine":
        return (Place("twine", home / ".pypirc", "ini", plan_twine, secret=True),)
    folder = Path(environ.get("PIXI_HOME") or home / ".pixi")
    return (Place("pixi", folder / "config.toml", "toml", plan_pixi),)


def pip_place(environ: Mapping[str, str], platform: str, scope: str) -> PipFile:
    """Return the file that `pip config --SCOPE set` writes; raises NotEditable without a virtual environment."""
    if scope == "global":
        return PipFile("global", global_places(environ, platform)[-1])
    if scope == "site":
        environment = environ.get("VIRTUAL_ENV")
        if not environment:
            refused = NotEditable("no virtual environment is active, so there is no site to wire")
            refused.hint = "activate one, or leave --scope away"
            raise refused
        return PipFile("site", Path(environment) / "pip.conf")
    return PipFile("user", user_place(home_of(environ), environ, platform))


def is_used(tool: str, environ: Mapping[str, str], platform: str) -> bool:
    """Return whether a person has the tool: its program, or a file or folder of its configuration. pip always is."""
    if tool == "pip" or shutil.which(tool, path=environ.get("PATH")):
        return True
    found = places(tool, environ, platform)
    return any(place.path.exists() or (tool != "twine" and place.path.parent.is_dir()) for place in found)


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the home folder."""
    return Path(environ.get("HOME") or Path.home())


def _xdg(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_CONFIG_HOME") or home_of(environ) / ".config")


def _native(environ: Mapping[str, str], platform: str, name: str) -> Path:
    """Return the folder that platformdirs gives a tool; on macOS newer ones follow XDG_CONFIG_HOME where it is set."""
    if platform != "darwin":
        return _xdg(environ) / name
    library = home_of(environ) / "Library" / "Application Support" / name
    named = environ.get("XDG_CONFIG_HOME")
    return Path(named) / name if named and (Path(named) / name).is_dir() else library
