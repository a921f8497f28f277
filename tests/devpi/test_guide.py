"""The README's story of a team, command by command as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from made.daemon import Daemon
from made.wheels import make_sdist, make_wheel

pytestmark = [pytest.mark.network, pytest.mark.timeout(600)]

README = Path(__file__).parent.parent.parent / "README.md"
URL = "http://127.0.0.1:3141"


def blocks(kind: str) -> list[str]:
    """Give the code blocks of a kind in the section about teams."""
    text = README.read_text("utf-8").partition("\n### A team, with devpi's client\n")[2].partition("\n### ")[0]
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands() -> list[tuple[str, int | None]]:
    """Give each command and the HTTP status that its comment announces."""
    found = []
    for line in "".join(blocks("console")).splitlines():
        command, _, comment = line.removeprefix("$ ").partition("  #")
        refusal = re.match(r" (4\d\d):", comment)
        found.append((command.strip(), int(refusal[1]) if refusal else None))
    return found


def test_the_story_of_a_team(tmp_path: Path, as_devpi: Daemon, client_programs: Path) -> None:
    """Each command does what the guide says, the refusals with their status."""
    (tmp_path / "dist").mkdir()
    for name, data in (make_wheel("demo", "1.0"), make_sdist("demo", "1.0")):
        (tmp_path / "dist" / name).write_bytes(data)
    (tmp_path / "pypirc").write_text(blocks("ini")[0].replace(URL, as_devpi.url))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "devpi").symlink_to(client_programs / "devpi")
    for name, module in (("pip", "pip --disable-pip-version-check"), ("twine", "twine")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (programs / name).chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "DEVPI_CLIENTDIR": str(tmp_path / "devpi"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_TARGET": str(tmp_path / "installed"),
        "PIP_UPGRADE": "1",
    }
    assert len(commands()) > 20
    for command, refusal in commands():
        ran = subprocess.run(
            ["/bin/sh", "-c", command.replace(URL, as_devpi.url)],
            cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip
        told = f"$ {command}\n{ran.stdout}{ran.stderr}"
        if refusal is None:
            assert ran.returncode == 0, told
        else:
            assert (ran.returncode != 0, f"\n{refusal} " in told) == (True, True), told
    assert (tmp_path / "installed" / "demo" / "__init__.py").exists()
    assert as_devpi.get("/ann/experiment").status == 404
    assert as_devpi.page("demo", "ann/prod").json()["versions"] == ["1.0"]
