"""A real devpi-server as the intranet's base: private packages in front of a public index, there and away."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from made.bounds import SLACK_S, assert_waits_for_nothing
from made.clients import pip, twine_upload, uv_install
from made.daemon import Daemon
from made.devpi import DevpiClient, DevpiServer
from made.upstream import MadeUpstream
from made.wheels import make_wheel

pytestmark = [pytest.mark.network, pytest.mark.timeout(900)]

SEEN, NEWER, CLAIMED = make_wheel("acme-core", "1.0"), make_wheel("acme-core", "2.0"), make_wheel("corp-tool", "1.0")
NUMPY, FLASK = make_wheel("numpy", "1.0"), make_wheel("flask", "1.0")
INTRANET = "root/python-local"
BACK_S = 2.0


def filenames(daemon: Daemon, project: str) -> list[str]:
    reply = daemon.page(project)
    assert reply.status == 200, reply
    return sorted(file["filename"] for file in reply.json()["files"])


def state(daemon: Daemon) -> str:
    return next(str(base["state"]) for base in daemon.get("/+health").json()["bases"] if base["index"] == INTRANET)


def download(daemon: Daemon, folder: Path, *specs: str) -> set[str]:
    done = pip("download", "--quiet", "--dest", str(folder), "--index-url", daemon.index_url, *specs)
    assert done.returncode == 0, done
    return {path.name for path in folder.iterdir()}


@pytest.mark.long
def test_a_devpi_that_goes_and_comes_back(
    tmp_path: Path, upstream: MadeUpstream, server_programs: Path, devpi: Callable[..., DevpiClient]
) -> None:
    """Its private packages install while it is there and while it is not, and no name of its own goes elsewhere."""
    for filename, data in (NUMPY, FLASK, make_wheel("acme-core", "9.9"), make_wheel("corp-tool", "9.9")):
        upstream.add(filename, data, project=filename.partition("-")[0].replace("_", "-"))
    for filename, data in (SEEN, NEWER, CLAIMED):
        (tmp_path / filename).write_bytes(data)
    with DevpiServer(server_programs, tmp_path / "devpi-server") as server, Daemon(tmp_path / "localpi") as daemon:
        devpi().log_in(server.url, "corp", "secret", "dev")
        files = [tmp_path / filename for filename, _ in (SEEN, NEWER, CLAIMED)]
        assert twine_upload(f"{server.url}/corp/dev/", "corp", "secret", *files).returncode == 0
        daemon.mirror("root/pypi", upstream.url)
        daemon.mirror(INTRANET, f"{server.url}/corp/dev/+simple/", mirror_cache_expiry=0, claims=["corp-*"])
        daemon.index("root/local", bases=[INTRANET, "root/pypi"])
        assert download(daemon, tmp_path / "there", "acme-core==1.0", "numpy") == {SEEN[0], NUMPY[0]}

        server.__exit__()
        assert filenames(daemon, "flask") == [FLASK[0]]
        until = time.monotonic() + 3 + SLACK_S
        while state(daemon) != "down":
            assert time.monotonic() < until
            time.sleep(0.02)
        assert_waits_for_nothing(partial(daemon.page, "acme-core"), beside=partial(daemon.get, "/+health"))
        assert download(daemon, tmp_path / "away", "acme-core", "numpy", "flask") == {SEEN[0], NUMPY[0], FLASK[0]}
        refused = uv_install(daemon.index_url, tmp_path / "uv", "corp-tool")
        assert (refused.returncode != 0, f"base {INTRANET} down since" in " ".join(refused.stderr.split())) == (
            True,
            True,
        ), refused

        server.__enter__()
        until = time.monotonic() + BACK_S + SLACK_S
        while filenames(daemon, "acme-core") != [SEEN[0], NEWER[0]]:
            assert time.monotonic() < until
            time.sleep(0.02)
        done = uv_install(daemon.index_url, tmp_path / "back", "acme-core", "corp-tool")
        assert done.returncode == 0, done
    assert [one.path for one in upstream.asked() if "acme" in one.path or "corp" in one.path] == []
