"""Resolving behind a mirror that speaks HTML alone, without metadata files and sizes: no wheel is downloaded for it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from made.clients import pip, uv
from made.corpus import Shows
from made.daemon import Daemon
from made.upstream import MadeUpstream, Request
from made.wheels import core_metadata, make_wheel

BIG = 2_000_000
POOR = Shows(metadata=False, sizes=False, upload_times=False)


@pytest.fixture
def upstream() -> Iterator[MadeUpstream]:
    """Run a poor mirror whose newest release cannot be installed, so that resolvers look at the one before too."""
    with MadeUpstream(json=False, shows=POOR, etags=False) as made:
        made.add(*make_wheel("app", "1.0", requires=["lib<2"], filler=BIG))
        made.add(*make_wheel("app", "2.0", requires=["lib>5"], filler=BIG))
        made.add(*make_wheel("lib", "1.0", filler=BIG))
        made.add(*make_wheel("lib", "2.0", filler=BIG))
        yield made


def wheels(upstream: MadeUpstream) -> list[Request]:
    return [request for request in upstream.asked() if request.path.endswith(".whl")]


def is_whole(request: Request) -> bool:
    return request.method == "GET" and "range" not in request.headers


def asked_bytes(request: Request) -> int:
    """How much of a wheel a range request asks for."""
    first, _, last = request.headers["range"].removeprefix("bytes=").partition("-")
    return int(last) - int(first) + 1 if first else int(last)


def uv_compile(daemon: Daemon, folder: Path) -> str:
    """Resolve app with uv, with an empty cache, which looks at both of its releases; what it found."""
    wish = folder / "requirements.in"
    wish.write_text("app\n")
    done = uv(
        "pip", "compile", "--quiet", "--no-cache", "--no-header", "--no-annotate", "--python", sys.executable,
        "--index-url", daemon.index_url, str(wish),
    )  # fmt: skip
    assert done.returncode == 0, done
    return done.stdout


def test_uv_resolves_without_a_whole_wheel(daemon: Daemon, upstream: MadeUpstream, tmp_path: Path) -> None:
    """The upstream is asked for ends of wheels alone, the second time for nothing, after a restart neither."""
    assert uv_compile(daemon, tmp_path) == "app==1.0\nlib==1.0\n"
    before = upstream.asked()
    looked_at = {request.path.rpartition("/")[2] for request in wheels(upstream)}
    assert {"app-1.0-py3-none-any.whl", "app-2.0-py3-none-any.whl"} <= looked_at
    assert not any(map(is_whole, wheels(upstream)))
    assert sum(map(asked_bytes, wheels(upstream))) < BIG // 4
    assert uv_compile(daemon, tmp_path) == "app==1.0\nlib==1.0\n"
    assert upstream.asked() == before
    daemon.stop()
    daemon.start()
    assert uv_compile(daemon, tmp_path) == "app==1.0\nlib==1.0\n"
    assert upstream.asked() == before


def test_metadata_that_cannot_be_had_is_looked_for_once(daemon: Daemon, upstream: MadeUpstream) -> None:
    """A wheel of other metadata than its name says: no page announces it, and after a restart nobody looks again."""
    broken, data = make_wheel("broken", "1.0", metadata=core_metadata("stranger", "1.0"), filler=BIG)
    upstream.add(broken, data)
    (file,) = daemon.page("broken").json()["files"]
    assert daemon.get(file["url"] + ".metadata").status == 404
    before = upstream.asked()
    daemon.stop()
    daemon.start()
    assert daemon.get(file["url"] + ".metadata").status == 404
    assert ["core-metadata" in file for file in daemon.page("broken").json()["files"]] == [False]
    assert upstream.asked() == before


@pytest.mark.skipif(
    Version(version("pip")) < Version("23.2"), reason="pip reads core metadata of JSON pages from 23.2 on (PEP 714)"
)
def test_pip_downloads_what_it_chose_and_nothing_else(daemon: Daemon, upstream: MadeUpstream, tmp_path: Path) -> None:
    """Of what pip only looks at the ends are read; what it keeps comes whole, once."""
    chosen = ["app-1.0-py3-none-any.whl", "lib-1.0-py3-none-any.whl"]
    for _ in range(2):
        done = pip("download", "--quiet", "--dest", str(tmp_path / "got"), "--index-url", daemon.index_url, "app!=3")
        assert done.returncode == 0, done
        assert sorted(file.name for file in (tmp_path / "got").iterdir()) == chosen
        shutil.rmtree(tmp_path / "got")
        whole = [request.path.rpartition("/")[2] for request in wheels(upstream) if is_whole(request)]
        assert sorted(whole) == chosen
    assert any(request.path.endswith("app-2.0-py3-none-any.whl") for request in wheels(upstream))
