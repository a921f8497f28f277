"""Behind a real nginx with the text that is printed for it, on a path of its own too."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest

from made.clients import pip_install, twine_upload, uv_install
from made.daemon import Daemon
from made.nginx import Nginx, free_port, printed_for
from made.upstream import MadeUpstream
from made.wheels import make_wheel


@dataclass
class Outside:
    """The daemon, and the URL under which nginx shows it."""

    daemon: Daemon
    url: str
    port: int

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Ask nginx."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", path, headers=sent)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.fixture(params=["", "/py", "/a/b"])
def outside(request: pytest.FixtureRequest, tmp_path: Path, daemon: Daemon) -> Iterator[Outside]:
    """Show the daemon under a path."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{request.param}"
    with Nginx(tmp_path / "nginx", printed_for(daemon.environ, sys.executable, url), port):
        yield Outside(daemon, url, port)


def test_pip_uv_and_twine_work_through_nginx(outside: Outside, upstream: MadeUpstream, tmp_path: Path) -> None:
    """Install from a mirror, publish, install what was published; files of 2 MB each way."""
    upstream.add(*make_wheel("remote", "1.0", filler=2_000_000))
    name, content = make_wheel("own", "1.0", filler=2_000_000)
    (tmp_path / name).write_bytes(content)
    published = twine_upload(f"{outside.url}/root/local/", "__token__", outside.daemon.token(), tmp_path / name)
    assert published.returncode == 0, published.stdout + published.stderr
    index = f"{outside.url}/root/local/+simple/"
    for install, target in ((pip_install, tmp_path / "pip"), (uv_install, tmp_path / "uv")):
        ran = install(index, target, "remote", "own")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert (target / "remote" / "filler.bin").stat().st_size == 2_000_000
        assert (target / "own" / "filler.bin").stat().st_size == 2_000_000


def test_links_and_redirects_stay_outside(outside: Outside, upstream: MadeUpstream) -> None:
    """With the path in front, whatever a client says of itself; errors come with their reason."""
    upstream.add(*make_wheel("remote", "1.0"))
    path = outside.url.partition(str(outside.port))[2]
    page = f"{path}/root/local/+simple/remote/"
    forged = {"X_Outside_Url": "http://evil.example/x", "X_Forwarded_Prefix": "/evil", "Host": "evil.example"}
    for headers in ({}, forged):
        status, _, body = outside.get(page, Accept="text/html", **headers)
        assert (status, f'href="{path}/root/' in body.decode(), b"evil" in body) == (200, True, False)
    status, headers, _ = outside.get(f"{path}/root/local/+simple/Remote/", Accept="text/html")
    assert (status, urljoin(f"http://127.0.0.1:{outside.port}{page}", headers["location"])) == (
        302, f"http://127.0.0.1:{outside.port}{page}",
    )  # fmt: skip
    assert outside.get(f"{path}/root/local/+simple/absent/")[0] == 404
    if path:
        assert outside.get(path)[1]["location"] == outside.url + "/"
