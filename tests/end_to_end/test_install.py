"""pip and uv install through a daemon: from the upstream, from the cache, and when the upstream is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from made.clients import pip_install, uv_install
from made.corpus import Shows
from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_sdist, make_wheel

Install = Callable[..., CompletedProcess[str]]
CLIENTS = [pytest.param(pip_install, id="pip"), pytest.param(uv_install, id="uv")]


def corpus(upstream: MadeUpstream) -> None:
    for name, data in (
        make_wheel("acme-app", "1.0", requires=["acme-lib>=2"]),
        make_wheel("acme-lib", "1.0"),
        make_wheel("acme-lib", "2.1", filler=300_000),
        make_sdist("acme-lib", "2.1"),
    ):
        upstream.add(name, data, project=name.split("-")[0].replace("_", "-"))


@pytest.mark.parametrize("install", CLIENTS)
@pytest.mark.parametrize("poor", [False, True], ids=["json", "html-without-metadata"])
def test_installs_from_the_upstream_and_again_without_it(
    tmp_path: Path, daemon: Daemon, upstream: MadeUpstream, install: Install, *, poor: bool
) -> None:
    """With the upstream gone the same installs work from the cache, after a restart of the daemon too."""
    corpus(upstream)
    if poor:
        upstream.json, upstream.etags = False, False
        upstream.shows = Shows(sizes=False, metadata=False, upload_times=False)
    done = install(daemon.index_url, tmp_path / "first", "acme-app")
    assert done.returncode == 0, done
    assert (tmp_path / "first" / "acme_lib" / "__init__.py").read_text() == 'version = "2.1"\n'

    upstream.refuse()
    done = install(daemon.index_url, tmp_path / "second", "acme-app")
    assert done.returncode == 0, done

    daemon.stop()
    daemon.start()
    done = install(daemon.index_url, tmp_path / "third", "acme-app")
    assert done.returncode == 0, done
    assert (tmp_path / "third" / "acme_lib" / "filler.bin").stat().st_size == 300_000


@pytest.mark.parametrize("install", CLIENTS)
def test_what_is_not_here_fails_with_the_reason(
    tmp_path: Path, daemon: Daemon, upstream: MadeUpstream, install: Install
) -> None:
    """An upstream that is away makes an install fail quickly; uv shows the reason from the status line."""
    upstream.refuse()
    done = install(daemon.index_url, tmp_path / "target", "never-seen")
    assert done.returncode != 0
    if install is uv_install:
        assert "base root/pypi down" in done.stderr


def test_one_wheel_is_fetched_once_for_all(tmp_path: Path, daemon: Daemon, upstream: MadeUpstream) -> None:
    """pip, uv and a second pip cost the upstream one request for the page and one for each file."""
    corpus(upstream)
    for number, install in enumerate((pip_install, uv_install, pip_install)):
        done = install(daemon.index_url, tmp_path / str(number), "acme-app")
        assert done.returncode == 0, done
    asked = [request.path for request in upstream.asked() if request.path.endswith((".whl", "/"))]
    assert len(asked) == len(set(asked)), asked
