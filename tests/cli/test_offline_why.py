"""`offline`, `why`, `logs --events` against a running daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_wheel

NAME, DATA = make_wheel("acme", "1.0")


def localpi(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localpi", *arguments]
    return subprocess.run(command, env={**os.environ, **daemon.environ}, capture_output=True, text=True, check=False)


def told(daemon: Daemon, *arguments: str) -> Any:
    done = localpi(daemon, *arguments, "--json")
    found = json.loads(done.stdout)
    assert found.pop("schema") == 1, done
    return found


def test_offline_and_why_say_how_things_are(daemon: Daemon, upstream: MadeUpstream) -> None:
    """By hand and back; the reasons, with the exit codes that scripts go by."""
    upstream.add(NAME, DATA)
    upstream.add(*make_wheel("never", "1.0"))
    assert localpi(daemon, "why").returncode == 0
    assert told(daemon, "why") == {"refused": None}
    done = localpi(daemon, "why", "acme")
    assert (done.returncode, "2. root/pypi: answers" in done.stdout, "versions: 1.0" in done.stdout) == (0, True, True)
    assert localpi(daemon, "why", "nowhere").returncode == 1
    done = localpi(daemon, "why", "acme", "1.0")
    assert (done.returncode, f"{NAME}: listed" in done.stdout) == (0, True)
    assert localpi(daemon, "why", "acme", "9.9").returncode == 1

    assert told(daemon, "offline", "on", "pypi")["bases"][0]["offline"] == "on"
    assert daemon.page("never").status == 424
    done = localpi(daemon, "why")
    assert (done.returncode, "never on root/local is unknown" in done.stdout) == (5, True), done
    assert told(daemon, "why")["refused"]["project"] == "never"
    status = localpi(daemon, "status")
    assert "offline on" in status.stdout
    assert localpi(daemon, "offline", "on", "nowhere").returncode == 4
    assert localpi(daemon, "offline", "maybe").returncode == 2
    assert localpi(daemon, "offline", "auto").stdout.startswith("root/pypi ok")
    assert daemon.page("never").status == 200
    events = [event["text"] for event in told(daemon, "logs", "--events")["events"]]
    assert events[0] == "offline is auto for all mirrors, set by hand"
    assert events[0] in localpi(daemon, "logs", "--events").stdout


def test_changed_bytes_are_accepted_by_hand(daemon: Daemon, upstream: MadeUpstream) -> None:
    """A file that was rebuilt under its name is refused until a person says otherwise."""
    daemon.mirror("root/pypi", upstream.url, mirror_cache_expiry=0)
    upstream.add(NAME, DATA)
    old = daemon.page("acme").json()["files"][0]["hashes"]
    upstream.add(NAME, make_wheel("acme", "1.0", filler=9)[1])
    assert daemon.page("acme").json()["files"][0]["hashes"] == old
    done = localpi(daemon, "why", "acme", "--accept")
    assert (done.returncode, "took 1 file" in done.stderr) == (0, True), done
    assert daemon.page("acme").json()["files"][0]["hashes"] != old
