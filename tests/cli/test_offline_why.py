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
    assert (done.returncode, "acme is found on root/local: from root/pypi" in done.stdout) == (0, True), done
    assert (": has it, and answers" in done.stdout, "versions: 1.0" in done.stdout) == (True, True), done
    assert localpi(daemon, "why", "nowhere").returncode == 1
    done = localpi(daemon, "why", "acme", "1.0")
    assert (done.returncode, f"{NAME}: listed" in done.stdout) == (0, True)
    done = localpi(daemon, "why", "acme", "9.9")
    assert (done.returncode, "no base lists a file of 9.9" in done.stdout) == (1, True), done

    assert told(daemon, "offline", "on", "pypi")["bases"][0]["offline"] == "on"
    assert daemon.page("never").status == 424
    done = localpi(daemon, "why")
    assert (done.returncode, "never cannot be had from root/local now" in done.stdout) == (5, True), done
    assert told(daemon, "why")["refused"]["project"] == "never"
    status = localpi(daemon, "status")
    assert "set offline by hand" in status.stdout
    assert localpi(daemon, "offline", "on", "nowhere").returncode == 4
    assert localpi(daemon, "offline", "maybe").returncode == 2
    assert "is not contacted" in localpi(daemon, "offline").stdout
    assert localpi(daemon, "offline", "auto").stdout.startswith("root/pypi is ok")
    assert daemon.page("never").status == 200
    events = [event["text"] for event in told(daemon, "logs", "--events")["events"]]
    assert events[0] == "offline is auto for all mirrors, set by hand"
    assert events[0] in localpi(daemon, "logs", "--events").stdout


def test_why_says_whose_word_an_upload_time_is(daemon: Daemon, upstream: MadeUpstream) -> None:
    """The base's own, another's for the same sha256, or nobody's: uv --exclude-newer goes by it."""
    mine, theirs = make_wheel("acme", "2.0"), make_wheel("acme", "3.0")
    with MadeUpstream(json=False) as poor:
        for where, wheels in ((upstream, ((NAME, DATA), theirs)), (poor, ((NAME, DATA), mine))):
            for filename, data in wheels:
                where.add(filename, data, upload_time="2024-01-31T09:12:00.000000Z")
        daemon.mirror("root/poor", poor.url)
        daemon.index("root/local", bases=["root/poor", "root/pypi"])
        assert daemon.page("acme", "root/pypi").status == 200
        counts = {base["index"]: base["upload_times"] for base in told(daemon, "why", "acme")["bases"]}
        assert counts == {"root/local": {}, "root/poor": {"root/pypi": 1, "": 1}, "root/pypi": {}}
        shown = localpi(daemon, "why", "acme").stdout
        assert "1 file: upload time copied from root/pypi, which has the same sha256" in shown
        assert "1 file: upload time not known, left out by uv --exclude-newer" in shown
        copied = localpi(daemon, "why", "acme", "1.0").stdout
        assert "uploaded 2024-01-31T09:12:00.000000Z (copied from root/pypi, which has the same sha256)" in copied
        assert f"{mine[0]}: listed, upload time not known" in localpi(daemon, "why", "acme", "2.0").stdout
    own = localpi(daemon, "why", "acme", "3.0", "--index", "root/pypi").stdout
    assert f"{theirs[0]}: listed, uploaded 2024-01-31T09:12:00.000000Z\n" in own


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
