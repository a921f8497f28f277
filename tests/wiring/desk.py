"""A person's machine for these tests: an empty home, and `localpi` run in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from localpi.__main__ import main

URL = "http://127.0.0.1:3141/root/local/+simple/"
PUBLISH_URL = "http://127.0.0.1:3141/root/local/"


@dataclass
class Desk:
    """A person's machine: an empty home, and `localpi` run in it."""

    home: Path
    capture: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def run(self, *arguments: str) -> int:
        """Run `localpi ARGUMENTS`; its exit code. What it printed is in `out` and `err`."""
        code = main(arguments)
        self.out, self.err = self.capture.readouterr()
        return code

    def place(self, tool: str) -> Path:
        """Where a tool has its file here."""
        return (
            self.home
            / {
                "pip": ".config/pip/pip.conf",
                "uv": ".config/uv/uv.toml",
                "pdm": ".config/pdm/config.toml",
                "poetry": ".config/pypoetry/config.toml",
                "twine": ".pypirc",
                "pixi": ".pixi/config.toml",
            }[tool]
        )

    def put(self, tool: str, data: bytes | str, mode: int = 0o644) -> Path:
        """Write a tool's file."""
        path = self.place(tool)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        path.chmod(mode)
        return path

    def files(self) -> dict[str, tuple[int, bytes | str]]:
        """Every file below the home but localpi's own: mode and bytes, or where a link points."""
        found: dict[str, tuple[int, bytes | str]] = {}
        for path in sorted(self.home.rglob("*")):
            name = path.relative_to(self.home).as_posix()
            if name.startswith(".localpi/") or path.is_dir():
                continue
            if path.is_symlink():
                found[name] = (0, str(path.readlink()))
            else:
                found[name] = (path.stat().st_mode & 0o777, path.read_bytes())
        return found
