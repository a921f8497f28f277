from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from localpi.errors import DaemonNotRunning
from localpi.remote.daemon import Daemon, RemoteError, is_alive
from localpi.remote.upload import prepare_upload
from localpi.settings.paths import Paths
from localpi.settings.running import RunningDaemon, ensure_owner_secret, local_url, write_running


@dataclass
class Standin:
    """Answers what it is told to, on a real socket, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def standin() -> Iterator[Standin]:
    told = Standin()

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def written(tmp_path: Path, pid: int, url: str) -> Paths:
    paths = Paths.under(tmp_path)
    write_running(paths, RunningDaemon(pid, "127.0.0.1", 1, url, "2026-01-02T03:04:05Z", "1"))
    return paths


def test_find_gives_the_secret_to_the_daemon_that_wrote_the_signpost(tmp_path: Path, standin: Standin) -> None:
    """Admin calls carry the owner's secret as a Bearer credential, health does not."""
    paths = written(tmp_path, os.getpid(), standin.url)
    secret = ensure_owner_secret(paths)
    daemon = Daemon.find(paths)
    daemon.health()
    daemon.admin("POST", "/yank", {"index": "root/local"})
    (_, path, without, _), (method, admin, headers, body) = standin.asked
    assert (path, without.get("authorization")) == ("/+health", None)
    assert ("POST", "/+admin/yank", f"Bearer {secret}") == (method, admin, headers["authorization"])
    assert (json.loads(body), headers["content-type"]) == ({"index": "root/local"}, "application/json")


def test_no_signpost_is_not_running(tmp_path: Path) -> None:
    """Nothing is asked on a guess: another program may listen on the configured port."""
    with pytest.raises(DaemonNotRunning) as refused:
        Daemon.find(Paths.under(tmp_path))
    assert refused.value.hint == "localpi up"


def test_the_signpost_of_a_dead_process_is_not_running(tmp_path: Path, standin: Standin) -> None:
    """After kill -9 the port may be another's; the secret does not go there."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(DaemonNotRunning):
        Daemon.find(written(tmp_path, ended.pid, standin.url))
    assert standin.asked == []


@pytest.mark.parametrize(
    ("pid", "expected"),
    [(os.getpid(), True), (0, False), (-1, False), (2**70, False)],
    ids=["own", "none", "negative", "huge"],
)
def test_is_alive_takes_any_number(pid: int, expected: bool) -> None:
    """Zero and below mean process groups to kill(2), and are never alive."""
    assert expected is is_alive(pid)


def test_refused_connection_is_not_running() -> None:
    """A port that nobody listens on says so, with the URL."""
    with pytest.raises(DaemonNotRunning, match=r"127\.0\.0\.1:1 does not answer"):
        Daemon("http://127.0.0.1:1").health()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            404,
            b'{"message": "no user \'x\'", "code": "user-not-found", "hint": "localpi user list"}',
            ("user-not-found", "No such user", "no user 'x'", "localpi user list"),
        ),
        (409, b'{"message": "there"}', ("http-409", "The daemon answered 409", "there", "")),
        (500, b"<html>", ("http-500", "The daemon answered 500", "status 500", "")),
        (403, b"[]", ("http-403", "The daemon answered 403", "status 403", "")),
        (200, b"not json", ("http-200", "The daemon answered 200", "the daemon's answer is not JSON", "")),
        (200, b"[1]", ("http-200", "The daemon answered 200", "the daemon's answer is not a JSON object", "")),
    ],
)
def test_errors_keep_what_the_daemon_said(
    standin: Standin, status: int, body: bytes, expected: tuple[str, str, str, str]
) -> None:
    """Code, title, message and hint arrive; what is no JSON still becomes one sentence."""
    standin.status, standin.body = status, body
    with pytest.raises(RemoteError) as refused:
        Daemon(standin.url).status()
    error = refused.value
    assert (status, *expected) == (error.status, error.code, error.title, error.message, error.hint)


def test_api_opens_the_envelope_and_quotes_the_query(standin: Standin) -> None:
    """Devpi wraps answers in result; flags are bare keys with an equals sign."""
    standin.body = b'{"result": {"type": "stage"}, "type": "indexconfig"}'
    assert Daemon(standin.url).api("GET", "/root/local", no_projects="") == {"type": "stage"}
    assert standin.asked[0][1] == "/root/local?no_projects="


def test_proxies_of_the_environment_are_not_asked(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon is on this machine, whatever http_proxy says."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Daemon(standin.url).health() == {}


def test_upload_streams_the_form_with_its_length_and_digest(tmp_path: Path, standin: Standin) -> None:
    """The form is the legacy upload API's: fields, repeated ones, digest, then the file under its name."""
    file = tmp_path / "a-1.0.tar.gz"
    file.write_bytes(b"x" * 600_000)
    form = prepare_upload(file, {"name": "a", "classifiers": ("one", "two")})
    Daemon(standin.url, secret="lpo_s").send("/root/local/", form.pieces, form.headers)
    method, path, headers, body = standin.asked[0]
    assert (method, path) == ("POST", "/root/local/")
    assert int(headers["content-length"]) == len(body) == form.size
    for part in (
        b'name=":action"\r\n\r\nfile_upload',
        b'name="classifiers"\r\n\r\none',
        b"\r\n\r\ntwo",
        b"sha256_digest",
    ):
        assert part in body
    assert b'name="content"; filename="a-1.0.tar.gz"' in body
    assert b"x" * 600_000 + b"\r\n--" in body


def test_local_url_is_what_the_client_connects_to() -> None:
    """IPv6 keeps its brackets."""
    assert Daemon(local_url("::1", 5)).url == "http://[::1]:5"
