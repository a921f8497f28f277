"""Which program a service runs, by a path that upgrades leave alone; and whether it still can be run."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMAND = "localpi"
MOST_BYTES = 4096


def find_program(prefix: Path, executable: str, home: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what to run: a path and perhaps words, `serve` left out.

    `prefix` and `executable` are `sys.prefix` and `sys.executable`. pipx and uv tool link their command from a folder
    that is on PATH, Homebrew from one above its versioned Cellar: such a link outlives an upgrade that replaces what it
    points to, so it is taken when it leads to us. In a virtual environment the command in it stays where it is.
    """
    own = prefix / "bin" / COMMAND
    if not os.access(own, os.X_OK):
        return (executable, "-P", "-m", COMMAND)  # -P: nothing of the working directory is imported
    ours = own.resolve()
    for link in _links(home, environ):
        if link != own and link.is_absolute() and link.is_symlink() and link.resolve() == ours:
            return (str(link),)
    return (str(own),)


def _links(home: Path, environ: Mapping[str, str]) -> list[Path]:
    named = [environ.get(name) for name in ("PIPX_BIN_DIR", "UV_TOOL_BIN_DIR", "XDG_BIN_HOME")]
    folders = [*(folder for folder in named if folder), str(home / ".local" / "bin")]
    on_path = shutil.which(COMMAND, path=environ.get("PATH"))
    return [*(Path(folder) / COMMAND for folder in folders), *([Path(on_path)] if on_path else [])]


def find_fault(program: Sequence[str]) -> str:
    """Return why a program cannot be run any more, "" when it can: it is gone, or its interpreter is (PEP 394)."""
    if not program:
        return "nothing is said of what to run"
    path = Path(program[0])
    if not path.exists():
        where = f"; it leads to {path.readlink()}" if path.is_symlink() else ""
        return f"{path} is not there{where}"
    if not os.access(path, os.X_OK):
        return f"{path} may not be run"
    interpreter = read_interpreter(path)
    if interpreter is not None and not interpreter.exists():
        gone = f" (a link to {interpreter.readlink()})" if interpreter.is_symlink() else ""
        return f"{path} wants the interpreter {interpreter}{gone}, which is not there"
    return ""


def read_interpreter(script: Path) -> Path | None:
    """Return the interpreter that the first lines of a script name; None for a binary, and for env(1)'s choice.

    Installers write `#!/bin/sh` and then `'''exec' "/long path/python" "$0" "$@"` where the path is too long or has
    white space.
    """
    try:
        with script.open("rb") as file:
            head = file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    first, _, rest = head.partition("\n")
    if not first.startswith("#!"):
        return None
    words = first[2:].split(None, 1)
    if not words or Path(words[0]).name == "env":
        return None
    trick = re.match(r"'''exec' (?:\"([^\"\n]+)\"|'([^'\n]+)'|(\S+)) ", rest)
    if Path(words[0]).name in {"sh", "bash", "dash"}:
        return Path(trick[1] or trick[2] or trick[3]) if trick else None
    return Path(words[0])
