"""The tools themselves, real ones: what was wired is what they read, and what they install and publish through."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from wiring.desk import PUBLISH_URL, URL, Desk

from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_wheel

REPOSITORY = Path(__file__).parent.parent.parent


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end."""
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=110
    )


def localpi(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `localpi ARGUMENTS` in a process of its own, anywhere."""
    return run(sys.executable, "-m", "localpi", *arguments)


def tool(name: str) -> str:
    """Return the program; skips where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (it takes half a minute to); with it on PATH this test runs")
    return found


def test_pip_config_reads_it(desk: Desk) -> None:
    """`pip config get`, before, wired, and afterwards."""
    desk.put("pip", "# mine\n[global]\nIndex_URL: https://a.corp.example/simple\n")
    ask = (sys.executable, "-m", "pip", "config", "--user", "get", "global.index-url")
    assert run(*ask).stdout.strip() == "https://a.corp.example/simple"
    assert desk.run("wire-pip") == 0
    assert run(*ask).stdout.strip() == URL
    assert desk.run("unwire-pip") == 0
    assert run(*ask).stdout.strip() == "https://a.corp.example/simple"


@pytest.mark.parametrize("text", ["", '[pip]\nindex-url = "https://a.corp.example/simple"\nno-build = true\n'])
def test_uv_reads_it(desk: Desk, tmp_path: Path, text: str) -> None:
    """`uv pip` has our URL; projects do not, unless that was asked for."""
    from uv import find_uv_bin  # noqa: PLC0415 -- not needed by the other tests

    desk.put("uv", text)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n')
    uv = find_uv_bin()
    pip = (uv, "pip", "compile", "--show-settings", "pyproject.toml")
    lock = (uv, "lock", "--show-settings", "--offline")
    assert desk.run("wire", "uv") == 0
    assert f'"{URL}"' in run(*pip, cwd=tmp_path).stdout
    assert f'"{URL}"' not in run(*lock, cwd=tmp_path).stdout
    assert desk.run("wire", "uv", "--project-wide") == 0
    assert f'"{URL}"' in run(*lock, cwd=tmp_path).stdout
    assert desk.run("unwire", "uv") == 0
    assert f'"{URL}"' not in run(*pip, cwd=tmp_path).stdout
    assert desk.place("uv").read_text() == text


@pytest.mark.parametrize("text", ["", "[distutils]\nindex-servers = corp\n[corp]\nrepository = https://c.example/\n"])
def test_twine_reads_it(desk: Desk, text: str) -> None:
    """What twine makes of .pypirc: ours is there, its own and the user's still are."""
    script = "import json; from twine.utils import get_config; print(json.dumps(get_config('~/.pypirc')))"
    desk.put("twine", text)
    before = json.loads(run(sys.executable, "-c", script).stdout)
    assert desk.run("wire", "twine") == 0
    found = json.loads(run(sys.executable, "-c", script).stdout)
    ours = {"username": "__token__", "password": None, "repository": PUBLISH_URL}
    assert found == {**before, "localpi": ours}


def test_pdm_reads_it(desk: Desk) -> None:
    """`pdm config`."""
    pdm = tool("pdm")
    assert desk.run("wire", "pdm") == 0
    assert run(pdm, "config", "pypi.url", cwd=desk.home).stdout.strip() == URL


def test_poetry_reads_it(desk: Desk) -> None:
    """`poetry config`."""
    poetry = tool("poetry")
    assert desk.run("wire", "poetry") == 0
    assert run(poetry, "config", "repositories.localpi.url", cwd=desk.home).stdout.strip() == PUBLISH_URL


def test_pixi_reads_it(desk: Desk) -> None:
    """`pixi config list`."""
    pixi = tool("pixi")
    assert desk.run("wire", "pixi") == 0
    assert URL in run(pixi, "config", "list", "--global", cwd=desk.home).stdout


# -- with a daemon --------------------------------------------------------------------------------------------------


@pytest.fixture
def running(desk: Desk, upstream: MadeUpstream, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """What `localpi up` starts in an empty home, with root/pypi a made upstream."""
    monkeypatch.setenv("LOCALPI_PORT", "0")
    daemon = Daemon(desk.home / ".localpi")
    try:
        up = localpi("up")
        assert up.returncode == 0, up.stderr
        daemon.port = json.loads((daemon.home / "runtime/daemon.json").read_text())["port"]
        daemon.mirror("root/pypi", upstream.url)
        yield daemon
    finally:
        localpi("down")


def test_after_up_and_wire_pip_a_plain_install_goes_through(
    desk: Desk, running: Daemon, upstream: MadeUpstream, tmp_path: Path
) -> None:
    """`pip install acme` in a fresh virtual environment, without any option: the daemon's log has the requests."""
    upstream.add(*make_wheel("acme", "1.0"))
    wired = localpi("wire-pip")
    assert wired.returncode == 0, wired.stderr
    assert "not running" not in wired.stderr
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    done = run(python, "-m", "pip", "install", "acme")
    assert done.returncode == 0, done.stderr
    assert running.index_url in done.stdout
    assert run(python, "-c", "import acme; print(acme.version)").stdout == "1.0\n"
    assert "/root/local/+simple/acme/" in running.log
    assert "acme-1.0-py3-none-any.whl" in running.log
    status = json.loads(localpi("status", "--json").stdout)
    assert status["wired"] == ["pip"]
    assert localpi("unwire-pip").returncode == 0
    assert not (desk.home / ".config").exists()


def test_an_index_that_is_not_there_is_refused(desk: Desk, running: Daemon) -> None:
    """A slip of the pen would end every install."""
    assert running.port
    assert desk.run("wire-pip", "--index", "root/locl") == 4
    assert not desk.place("pip").exists()


def test_twine_uploads_with_the_token_it_was_given(desk: Desk, running: Daemon, tmp_path: Path) -> None:
    """The token is in the file alone, 0600, kept over wirings; unwiring revokes it and gives the mode back."""
    path = desk.put("twine", "[distutils]\nindex-servers = pypi\n", 0o644)
    before = path.read_bytes()
    dry = localpi("wire", "twine", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert tokens(running) == []
    wired = localpi("wire", "twine")
    assert wired.returncode == 0, wired.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    token = path.read_text().split("password = ")[1].strip()
    assert token.startswith("lp1_")
    assert token not in wired.stderr + wired.stdout
    assert [(row["scope"], row["index"]) for row in tokens(running)] == [("upload", "root/local")]
    name, data = make_wheel("mine", "1.0")
    (tmp_path / name).write_bytes(data)
    done = run(sys.executable, "-m", "twine", "upload", "--non-interactive", "-r", "localpi", tmp_path / name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [file["filename"] for file in running.page("mine").json()["files"]] == [name]
    assert localpi("wire", "twine").returncode == 0
    assert token in path.read_text()
    assert localpi("wire", "twine", "--index", "root/local").returncode == 0
    assert len(tokens(running)) == 1
    undone = localpi("unwire", "twine")
    assert undone.returncode == 0, undone.stderr
    assert token not in undone.stderr
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (before, 0o644)
    assert tokens(running) == []


def tokens(daemon: Daemon) -> list[dict[str, str]]:
    found: list[dict[str, str]] = daemon.request("GET", "/+admin/tokens", headers=daemon.owner).json()["tokens"]
    return found


def test_poetry_gets_its_token_in_a_file_of_its_own(desk: Desk, running: Daemon) -> None:
    """config.toml has the URL, auth.toml the token; both go again."""
    assert localpi("wire", "poetry").returncode == 0
    found = desk.files()
    assert list(found) == [".config/pypoetry/auth.toml", ".config/pypoetry/config.toml"]
    assert {mode for mode, _ in found.values()} == {0o600}
    assert b'username = "__token__"\npassword = "lp1_' in bytes(found[".config/pypoetry/auth.toml"][1])  # type: ignore[arg-type]
    assert len(tokens(running)) == 1
    assert localpi("unwire", "poetry").returncode == 0
    assert desk.files() == {}
    assert tokens(running) == []
