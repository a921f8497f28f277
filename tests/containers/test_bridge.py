"""A bridge as Docker makes one on Linux: the second listener, which others may reach too."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from made.daemon import Daemon, basic

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
ADDRESS = "172.17.0.1"
SKIP = 77

GUEST = """
import http.client, json, sys, time
address, port, read = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def ask(host, method="GET", path="/root/local/+simple/", **headers):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request(method, path, headers=headers)
    return connection.getresponse().status
def reached():
    try:
        return ask(address, path="/+health") == 200
    except OSError:
        return False
until = time.monotonic() + 30
while not reached() and time.monotonic() < until:
    time.sleep(0.05)
try:
    own = ask("127.0.0.1")
except OSError as error:
    own = type(error).__name__
print(json.dumps({
    "health": ask(address, path="/+health"),
    "without": [ask(address) for _ in range(3)],
    "with": [ask(address, Authorization=read) for _ in range(3)],
    "named": ask(address, Host="host.docker.internal:%d" % port, Authorization=read),
    "forged": ask(address, Host="evil.example", Authorization=read),
    "write": ask(address, "POST", "/root/local/", Authorization=read),
    "own loopback": own,
}))
"""


@pytest.mark.parametrize("opened", [False, True])
def test_container_on_a_bridge_reads_with_a_token(tmp_path: Path, opened: bool) -> None:
    """The bridge comes up after the daemon. Reading wants a token there, or nothing where that was opened."""
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    home = tmp_path / "localpi"
    with Daemon(home, PYTHONPATH=path) as daemon:
        read = basic("__token__", daemon.token("read"))["Authorization"]
    environ = {**daemon.environ, "LOCALPI_LISTEN": ADDRESS, "LOCALPI_OPEN_READING": str(int(opened))}
    host = shlex.join(["exec", sys.executable, "-P", "-m", "localpi", "serve"])
    guest = shlex.join([sys.executable, "-c", GUEST, ADDRESS, str(daemon.port), read])
    ran = subprocess.run(
        [str(HERE / "bridge.sh"), ADDRESS, str(home / "runtime" / "daemon.json"), host, guest],
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    if ran.returncode == SKIP:
        pytest.skip(f"a bridge cannot be made here: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "health": 200,
        "without": [200 if opened else 401] * 3,
        "with": [200] * 3,
        "named": 200,
        "forged": 421,
        "write": 403,
        "own loopback": "ConnectionRefusedError",
    }
