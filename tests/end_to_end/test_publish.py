"""twine and uv publish put files on an index, and pip installs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from made.clients import pip_install, twine_upload, uv_publish
from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_sdist, make_wheel

Publish = Callable[..., CompletedProcess[str]]


def with_twine(daemon: Daemon, index: str, *files: Path) -> CompletedProcess[str]:
    return twine_upload(f"{daemon.url}/{index}/", "__token__", daemon.token(), *files)


def with_uv(daemon: Daemon, index: str, *files: Path) -> CompletedProcess[str]:
    return uv_publish(f"{daemon.url}/{index}/", daemon.token(), *files)


PUBLISHERS = [pytest.param(with_twine, id="twine"), pytest.param(with_uv, id="uv")]


def write(folder: Path, made: tuple[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / made[0]
    path.write_bytes(made[1])
    return path


@pytest.mark.parametrize("publish", PUBLISHERS)
def test_a_wheel_and_an_sdist_go_up_and_install(tmp_path: Path, daemon: Daemon, publish: Publish) -> None:
    """What was uploaded is on the page at once, with size, hash, metadata and upload time, and pip installs it."""
    wheel = write(tmp_path / "dist", make_wheel("own-thing", "1.0", requires_python=">=3.8"))
    sdist = write(tmp_path / "dist", make_sdist("own-thing", "1.0"))
    done = publish(daemon, "root/local", wheel, sdist)
    assert done.returncode == 0, done
    page = daemon.page("own-thing").json()
    assert page["versions"] == ["1.0"]
    assert page["meta"]["api-version"] == "1.4"
    assert {file["filename"]: file["size"] for file in page["files"]} == {
        wheel.name: wheel.stat().st_size,
        sdist.name: sdist.stat().st_size,
    }
    assert all(file["upload-time"].endswith("Z") for file in page["files"])
    of_wheel = next(file for file in page["files"] if file["filename"] == wheel.name)
    assert of_wheel["requires-python"] == ">=3.8"
    assert set(of_wheel["core-metadata"]) == {"sha256"}
    done = pip_install(daemon.index_url, tmp_path / "target", "own-thing")
    assert done.returncode == 0, done
    assert (tmp_path / "target" / "own_thing" / "__init__.py").exists()


@pytest.mark.parametrize("publish", PUBLISHERS)
def test_a_non_volatile_index_keeps_what_it_has(tmp_path: Path, daemon: Daemon, publish: Publish) -> None:
    """The same bytes again are fine, other bytes under the same name are refused and change nothing."""
    daemon.index("root/stable", volatile=False)
    one = write(tmp_path / "one", make_wheel("own-thing", "1.0"))
    other = write(tmp_path / "other", make_wheel("own-thing", "1.0", extra={"own_thing/more.py": b"more = 1\n"}))
    assert publish(daemon, "root/stable", one).returncode == 0
    before = daemon.page("own-thing", "root/stable").json()
    assert publish(daemon, "root/stable", one).returncode == 0
    done = publish(daemon, "root/stable", other)
    assert done.returncode != 0
    assert "409" in done.stdout + done.stderr
    assert daemon.page("own-thing", "root/stable").json() == before


@pytest.mark.parametrize("publish", PUBLISHERS)
def test_a_volatile_index_takes_other_bytes(tmp_path: Path, daemon: Daemon, publish: Publish) -> None:
    """On a volatile index the newer bytes replace the older ones."""
    one = write(tmp_path / "one", make_wheel("own-thing", "1.0"))
    other = write(tmp_path / "other", make_wheel("own-thing", "1.0", extra={"own_thing/more.py": b"more = 1\n"}))
    assert publish(daemon, "root/local", one).returncode == 0
    assert publish(daemon, "root/local", other).returncode == 0
    (file,) = daemon.page("own-thing").json()["files"]
    assert file["size"] == other.stat().st_size


def test_without_a_credential_nothing_goes_up(tmp_path: Path, daemon: Daemon) -> None:
    """A wrong password is 401, and the page stays unknown."""
    wheel = write(tmp_path / "dist", make_wheel("own-thing", "1.0"))
    done = twine_upload(f"{daemon.url}/root/local/", "root", "wrong", wheel)
    assert done.returncode != 0
    assert "401" in done.stdout
    assert daemon.page("own-thing").status == 404


def test_an_own_package_hides_the_upstreams(tmp_path: Path, daemon: Daemon, upstream: MadeUpstream) -> None:
    """A project that a stage holds is not looked up in mirrors: a stranger's greater version does not get in."""
    upstream.add(*make_wheel("own-thing", "99.0"), project="own-thing")
    wheel = write(tmp_path / "dist", make_wheel("own-thing", "1.0"))
    assert with_twine(daemon, "root/local", wheel).returncode == 0
    assert [file["filename"] for file in daemon.page("own-thing").json()["files"]] == [wheel.name]
    assert upstream.asked() == ()
