"""The daemon as its owner's programs see it."""

from __future__ import annotations

import http.client
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from localpi import errors
from localpi.errors import DaemonNotRunning, LocalpiError
from localpi.settings.running import RunningDaemon, read_owner_secret, read_running

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from localpi.settings.paths import Paths

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
TIMEOUT_S = 30.0
MOST_BYTES = 64_000_000
PIECE = 1 << 18


class RemoteError(LocalpiError):
    """What the daemon answered instead of doing it; keeps the daemon's own code, title, message and hint."""

    def __init__(self, status: int, message: str, *, code: str = "", hint: str = "") -> None:
        self.status = status
        self.code = code or f"http-{status}"  # type: ignore[misc]  # the daemon's, not the class's
        self.title = TITLES.get(code, f"The daemon answered {status}")  # type: ignore[misc]  # as above
        self.hint = hint
        super().__init__(message)


def _titles(of: type[LocalpiError]) -> dict[str, str]:
    """Return kebab-case code to title, of `of` and all below."""
    found = {of.code: of.title}
    for below in of.__subclasses__():
        found.update(_titles(below))
    return found


TITLES = _titles(errors.LocalpiError)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the daemon, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Keys in lower case."""
    body: bytes

    def json(self) -> Any:
        """Return the decoded body; raises RemoteError when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise RemoteError(self.status, "the daemon's answer is not JSON") from None


class Daemon:
    """A running daemon: where it listens, and the owner's secret for what not everybody may do."""

    def __init__(self, url: str, *, secret: str | None = None, running: RunningDaemon | None = None) -> None:
        self.url = url.rstrip("/")
        self.running = running
        self._secret = secret

    @classmethod
    def find(cls, paths: Paths) -> Daemon:
        """Return the daemon of these folders; raises DaemonNotRunning when none has said where it listens.

        The secret goes only to a process of the pid that the daemon wrote down: after a crash another program may
        listen on its port.
        """
        running = read_running(paths)
        if running is None or not is_alive(running.pid):
            raise DaemonNotRunning(f"no daemon runs on {paths.data}")
        return cls(running.url, secret=read_owner_secret(paths), running=running)

    def health(self, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """Return `/+health`; raises DaemonNotRunning, RemoteError."""
        return self._object("GET", "/+health", owner=False, timeout_s=timeout_s)

    def status(self) -> dict[str, Any]:
        """Return `/+admin/status`; raises DaemonNotRunning, RemoteError."""
        return self._object("GET", "/+admin/status")

    def front(self) -> dict[str, Any]:
        """Return every user with their indexes, as devpi's `GET /` has them; raises as above."""
        return dict(self._result("GET", "/"))

    def api(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """Call devpi's API as the owner and return the `result` of its envelope; raises as above."""
        return self._result(method, path + ("?" + urlencode(query) if query else ""), body)

    def admin(self, method: str, path: str, body: object = None, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """Call `/+admin{path}` as the owner; raises as above."""
        return self._object(method, "/+admin" + path, body, timeout_s=timeout_s)

    def ask(self, path: str) -> dict[str, Any]:
        """Return the object at a path that is open to readers, as the owner; raises as above."""
        return self._object("GET", path)

    def project(self, index: str, project: str) -> dict[str, Any]:
        """Return a project page in PEP 691 JSON; raises as above, with status 404 when there is none."""
        answer = self.request("GET", f"/{index}/+simple/{quote(project)}/", headers={"Accept": SIMPLE_JSON})
        return _expect_object(_checked(answer))

    def push(self, path: str, asked: Mapping[str, Any]) -> list[list[Any]]:
        """Ask an index to push a release, and return what was done; of what another index refused that is in it."""
        body, headers = json.dumps(dict(asked)).encode(), {"Content-Type": "application/json"}
        answer = self.request("PUSH", path, body=body, headers=headers, timeout_s=1900.0)
        if answer.status == 502:
            return list(_expect_object(answer).get("result") or [])
        return list(_expect_object(_checked(answer)).get("result") or [])

    def send(self, path: str, body: Iterable[bytes], headers: Mapping[str, str]) -> Answer:
        """POST a body that comes in pieces (`headers` has its length) as the owner; raises as above."""
        return _checked(self.request("POST", path, body=body, headers=headers, timeout_s=600.0))

    def download(self, path: str, target: BinaryIO) -> None:
        """Write what is at `path` into `target`, piece by piece; raises as above, and when it ends too early."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT_S)
        sent = {"Accept": "*/*"} | ({"Authorization": f"Bearer {self._secret}"} if self._secret else {})
        try:
            connection.request("GET", path, headers=sent)
            answer = connection.getresponse()
            if answer.status != 200:
                raise RemoteError(answer.status, f"{path} cannot be had")
            while piece := answer.read(PIECE):
                target.write(piece)
            if answer.length:
                raise RemoteError(answer.status, f"{path} ended too early")
        except (OSError, http.client.HTTPException) as error:
            raise DaemonNotRunning(f"{self.url} does not answer: {_reason(error)}") from None
        finally:
            connection.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        owner: bool = True,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """Make one request and return its answer whatever its status; raises DaemonNotRunning when none comes."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)
        sent = {"Accept": "application/json", **(headers or {})}
        if owner and self._secret:
            sent["Authorization"] = f"Bearer {self._secret}"
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            data = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise DaemonNotRunning(f"{self.url} does not answer: {_reason(error)}") from None
        finally:
            connection.close()
        if len(data) > MOST_BYTES:
            raise RemoteError(answer.status, f"the answer is larger than {MOST_BYTES:,} bytes")
        return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, data)

    def _object(self, method: str, path: str, body: object = None, **how: Any) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        data = json.dumps(body).encode() if body is not None else None
        return _expect_object(_checked(self.request(method, path, body=data, headers=headers, **how)))

    def _result(self, method: str, path: str, body: object = None) -> Any:
        answer = self._object(method, path, body)
        return answer.get("result", answer)


def is_alive(pid: int) -> bool:
    """Return whether a process of ours has this pid (kill(2) with signal 0)."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return pid > 0


def _checked(answer: Answer) -> Answer:
    if answer.status < 400:
        return answer
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = {}
    said = said if isinstance(said, dict) else {}
    message = str(said.get("message") or f"status {answer.status}")
    raise RemoteError(answer.status, message, code=str(said.get("code", "")), hint=str(said.get("hint", "")))


def _expect_object(answer: Answer) -> dict[str, Any]:
    found = answer.json() if answer.body else {}
    if not isinstance(found, dict):
        raise RemoteError(answer.status, "the daemon's answer is not a JSON object")
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return "it took too long" if isinstance(error, TimeoutError) else "the connection broke"
