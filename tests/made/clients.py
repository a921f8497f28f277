"""The real clients, each with nothing of its own: no caches, no configuration, no other index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CLIENT_S = 110

MACHINE_ENVIRON = dict(os.environ)
"""As it was before any test hid it: how this machine reaches PyPI is the machine's business."""


def pips_index() -> str:
    """The index that pip's own configuration names, pip's default where it names none."""
    code = (
        "from pip._internal.cli.main_parser import create_main_parser as p;"
        "from pip._internal.commands import create_command as c;"
        "print(c('download').parser.get_default_values().index_url)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=MACHINE_ENVIRON, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def run(command: Sequence[str], environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a client to its end; its output goes with the failure that an assertion shows."""
    clean = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_CONFIG": "1"}
    return subprocess.run(
        command, env={**clean, **(environ or {})}, capture_output=True, text=True, timeout=CLIENT_S, check=False
    )


def pip(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run pip with an empty cache."""
    return run([sys.executable, "-m", "pip", *arguments, "--no-cache-dir"], environ)


def pip_install(index_url: str, target: Path, *requirements: str) -> subprocess.CompletedProcess[str]:
    """Install into a folder."""
    return pip("install", "--quiet", "--target", str(target), "--index-url", index_url, *requirements)


def uv_install(index_url: str, target: Path, *requirements: str) -> subprocess.CompletedProcess[str]:
    """Install into a folder, with an empty cache."""
    return uv(
        "pip", "install", "--no-cache", "--target", str(target), "--index-url", index_url,
        "--python", sys.executable, *requirements,
    )  # fmt: skip


def uv(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run uv."""
    from uv import find_uv_bin  # noqa: PLC0415 -- a test without uv needs none of it

    return run([find_uv_bin(), *arguments], environ)


def twine_upload(url: str, user: str, password: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Upload with twine."""
    return run(
        [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar", "--verbose",
         "--repository-url", url, "-u", user, "-p", password, *map(str, files)]
    )  # fmt: skip


def uv_publish(url: str, token: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Upload with uv."""
    return uv("publish", "--publish-url", url, "--token", token, "--trusted-publishing", "never", *map(str, files))
