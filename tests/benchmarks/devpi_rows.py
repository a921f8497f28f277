"""What devpi's users do all day, beside devpi-server: 1,000 uploads, `devpi list -v`, the push of a 300-file release.

`python tests/benchmarks/devpi_rows.py FOLDER`: FOLDER has devpi's programs in `server/bin` and `client/bin` (what the
fixtures of tests/devpi install; LOCALPI_TEST_DEVPI). Both servers run at the same time on the same disk and are asked
in turn; printed is one table. No network is used.

One upload after the other is a matter of the disk: each is on the medium before it is answered, which takes 3 fsyncs
(the file, its folder, the log of the database) of about 3 ms on the machine at hand, and 4 ms of work. devpi-server
takes 4 (strace: its journal twice, the folder, the database), none of them for the package file: after a power cut it
may name a file that is not there. Several uploads at once share the commit. `TMPDIR=/dev/shm` shows both without disk.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the folder of this file has another module `made`

from made.daemon import Daemon  # noqa: E402 -- the line above has to come first
from made.devpi import DevpiClient, DevpiServer  # noqa: E402
from made.forms import fields_of, multipart  # noqa: E402
from made.wheels import make_wheel  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROJECTS = 1000
FILES = 300
INDEX, TARGET = "ann/dev", "ann/stable"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a server, on a connection that is kept open."""

    url: str
    connection: http.client.HTTPConnection
    headers: Mapping[str, str]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """Send a request that has to succeed; its JSON, where it has any."""
        sent = {"Accept": "application/json", **self.headers, **headers}
        self.connection.request(method, path, body=body, headers=sent)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {self.url}{path}: {answer.status} {answer.reason} {data[:200]!r}")
        return json.loads(data) if data.strip().startswith(b"{") else None

    def send(self, method: str, path: str, value: object) -> Any:
        """Send JSON."""
        return self.ask(method, path, json.dumps(value).encode(), **{"Content-Type": "application/json"})


def sign_up(url: str) -> Account:
    """Make the user and the indexes."""
    host, port = url.removeprefix("http://").split(":")
    nobody = Account(url, http.client.HTTPConnection(host, int(port), timeout=600), {})
    nobody.send("PUT", "/ann", {"password": "secret"})
    token = nobody.send("POST", "/+login", {"user": "ann", "password": "secret"})["result"]["password"]
    shown = base64.b64encode(f"ann:{token}".encode()).decode()
    account = Account(url, nobody.connection, {"X-Devpi-Auth": shown})
    account.send("PUT", f"/{INDEX}", {})
    account.send("PUT", f"/{TARGET}", {"volatile": False})
    return account


def prepare(count: int, make: Callable[[int], tuple[str, bytes]]) -> list[tuple[bytes, str]]:
    """Make upload forms beforehand: what is measured is the server."""
    return [multipart(fields_of(name, data), name, data) for name, data in map(make, range(count))]


def upload(account: Account, forms: list[tuple[bytes, str]]) -> None:
    for body, kind in forms:
        account.ask("POST", f"/{INDEX}/", body, **{"Content-Type": kind, "Accept": "*/*"})


def upload_at_once(account: Account, forms: list[tuple[bytes, str]], connections: int = 8) -> None:
    """Upload over several connections, each with its share."""
    host, port = account.connection.host, account.connection.port

    def send(share: int) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=600)
        upload(Account(account.url, connection, account.headers), forms[share::connections])
        connection.close()

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(send, range(connections)))


def read_all(account: Account) -> None:
    """Ask for what `devpi list -v` asks for."""
    projects = account.ask("GET", f"/{INDEX}")["result"]["projects"]
    for project in projects:
        account.ask("GET", f"/{INDEX}/{project}")


def seconds(deed: Callable[[], object]) -> float:
    begun = time.perf_counter()
    deed()
    return time.perf_counter() - begun


def measure(account: Account, client: DevpiClient) -> dict[str, float]:
    """Measure one server; row -> seconds."""
    small = prepare(PROJECTS, lambda number: make_wheel(f"project{number:04}", "1.0"))
    large = prepare(FILES, lambda number: make_wheel("large", "1.0", tag=f"py3-none-plat{number}", filler=20_000))
    found = {f"{PROJECTS} uploads, one after the other": seconds(lambda: upload(account, small))}
    more = prepare(PROJECTS, lambda number: make_wheel(f"project{number:04}", "1.1"))
    found["as many over 8 connections"] = seconds(lambda: upload_at_once(account, more))
    client.log_in(account.url, "ann", "secret")
    client.do("use", INDEX)
    found["devpi list -v, with the client"] = seconds(lambda: client.do("list", "-v"))
    found["the same requests without it"] = seconds(lambda: read_all(account))
    upload(account, large)
    pushed = {"name": "large", "version": "1.0", "targetindex": TARGET}
    found[f"push of a release of {FILES} files"] = seconds(lambda: account.send("PUSH", f"/{INDEX}", pushed))
    return found


def main(folder: Path) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        home = Path(work)
        settings = {"LOCALPI_ROOT_PASSWORD": "", "LOCALPI_OPEN_REGISTRATION": "1"}
        ours = stack.enter_context(Daemon(home / "localpi", **settings))
        theirs = stack.enter_context(DevpiServer(folder / "server" / "bin", home / "devpi-server"))
        found = {}
        for name, url in (("localpi", ours.url), ("devpi", theirs.url)):
            (home / name).mkdir(exist_ok=True)
            client = DevpiClient(folder / "client" / "bin", home / name, dict(os.environ))
            found[name] = measure(sign_up(url), client)
        print(f"{'':44}{'devpi':>10}{'localpi':>10}{'times':>8}")
        for row, taken in found["localpi"].items():
            print(f"{row:44}{found['devpi'][row]:8.2f} s{taken:8.2f} s{found['devpi'][row] / taken:8.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
