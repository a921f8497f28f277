from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from localpi.settings.paths import Paths
from localpi.settings.private import make_folder, write_private
from localpi.settings.running import (
    RunningDaemon,
    ensure_owner_secret,
    local_url,
    read_owner_secret,
    read_running,
    remove_running,
    write_running,
)

RUNNING = RunningDaemon(7, "127.0.0.1", 3141, "http://127.0.0.1:3141", "2026-01-02T03:04:05Z", "1.0")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_localpi_home_holds_everything(tmp_path: Path) -> None:
    """One variable moves all five folders."""
    paths = Paths.from_environ({"LOCALPI_HOME": str(tmp_path / "h")})
    folders = (paths.config, paths.data, paths.cache, paths.logs, paths.runtime)
    assert folders == tuple(tmp_path / "h" / name for name in ("config", "data", "cache", "logs", "runtime"))
    assert not (tmp_path / "h").exists()
    paths.make()
    assert [mode(folder) for folder in (*folders, tmp_path / "h")] == [0o700] * 6


def test_a_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon changes folders; its paths must not."""
    monkeypatch.chdir(tmp_path)
    assert Paths.from_environ({"LOCALPI_HOME": "h"}).data == tmp_path / "h" / "data"


@pytest.mark.parametrize("runtime", ["", "/run/user/1"])
def test_every_session_of_a_user_finds_the_same_daemon(tmp_path: Path, runtime: str) -> None:
    """With and without XDG_RUNTIME_DIR the runtime folder is the same one."""
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": runtime, "PATH": os.environ["PATH"]}
    code = "from localpi.settings.paths import Paths; print(Paths.from_environ({}).runtime)"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], env=environ, capture_output=True, check=True)
    assert ran.stdout.decode().strip().startswith(str(tmp_path))
    assert ran.stdout.decode().strip().endswith("localpi/runtime")


def test_folders_that_are_too_open_are_tightened(tmp_path: Path) -> None:
    """What an earlier umask left open is closed."""
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open").chmod(0o755)
    make_folder(tmp_path / "open")
    assert mode(tmp_path / "open") == 0o700


def test_write_private_follows_links_and_leaves_nothing_beside(tmp_path: Path) -> None:
    """A linked config.toml stays a link; its target is replaced, 0600, with no temporary file left."""
    (tmp_path / "dotfiles").mkdir()
    target, link = tmp_path / "dotfiles" / "c.toml", tmp_path / "c.toml"
    target.write_text("old")
    link.symlink_to(target)
    write_private(link, b"new")
    assert (target.read_bytes(), link.is_symlink(), mode(target)) == (b"new", True, 0o600)
    assert [target] == list((tmp_path / "dotfiles").iterdir())


def test_a_failed_write_leaves_the_old_bytes(tmp_path: Path) -> None:
    """A target that cannot be replaced keeps what it had, and no temporary file stays."""
    (tmp_path / "in" / "folder").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_private(tmp_path / "in" / "folder", b"x")
    assert [tmp_path / "in" / "folder"] == list((tmp_path / "in").iterdir())


def test_running_daemon_is_written_read_and_removed(tmp_path: Path) -> None:
    """daemon.json round-trips, 0600."""
    paths = Paths.under(tmp_path)
    assert read_running(paths) is None
    write_running(paths, RUNNING)
    assert read_running(paths) == RUNNING
    assert mode(paths.running_file) == 0o600
    remove_running(paths)
    remove_running(paths)
    assert read_running(paths) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": 1}', "\x00", '{"pid": "1"' + "x" * 20_000])
def test_a_damaged_signpost_is_none(tmp_path: Path, content: str) -> None:
    """Whatever stands in daemon.json, reading it gives an answer."""
    paths = Paths.under(tmp_path)
    paths.make()
    paths.running_file.write_text(content)
    assert read_running(paths) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("fe80::1", "http://[fe80::1]:1"),
        ("box.example", "http://box.example:1"),
    ],
)
def test_local_url_reaches_wildcards_over_loopback(host: str, expected: str) -> None:
    """A wildcard is no address to connect to."""
    assert expected == local_url(host, 1)


def test_owner_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    """The second start finds the secret of the first, and closes a file that was opened."""
    paths = Paths.under(tmp_path)
    assert read_owner_secret(paths) is None
    secret = ensure_owner_secret(paths)
    paths.secret_file.chmod(0o644)
    assert secret == ensure_owner_secret(paths) == read_owner_secret(paths)
    assert mode(paths.secret_file) == 0o600


@pytest.mark.parametrize("content", [b"", b"lpo_short", b"\xff" * 47])
def test_a_damaged_owner_secret_is_replaced(tmp_path: Path, content: bytes) -> None:
    """A crash in the middle of anything never leaves an empty password."""
    paths = Paths.under(tmp_path)
    paths.make()
    paths.secret_file.write_bytes(content)
    assert read_owner_secret(paths) is None
    assert ensure_owner_secret(paths) == read_owner_secret(paths)
