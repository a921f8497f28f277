"""`localpi doctor` as a person runs it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_wheel

Run = Callable[..., Any]


def by_check(found: Any) -> dict[str, dict[str, str]]:
    """The worst finding of each check."""
    order = ("ok", "note", "warning", "problem")
    rows = sorted(found["findings"], key=lambda row: order.index(row["severity"]))
    return {row["check"]: row for row in rows}


def test_doctor_without_a_daemon_says_how_to_start_one(run: Run, home: Path) -> None:
    """Exit 1, the command, and nothing is made by looking."""
    ran = run("doctor", LOCALPI_PORT="0")
    assert ran.code == 1
    assert "PROBLEM  daemon" in ran.out
    assert "→ localpi up" in ran.out
    assert "1 problem" in ran.err
    assert not home.exists()


def test_doctor_with_a_daemon(run: Run, daemon: Daemon, upstream: MadeUpstream) -> None:
    """Bases with latency, container names, hosts that were refused, wiring and what shadows it; then all is well."""
    more = {"LOCALPI_HOME": str(daemon.home), "LOCALPI_PORT": str(daemon.port), "PATH": os.environ["PATH"]}
    daemon.get("/+health")
    assert run("wire-pip", **more).code == 0
    assert daemon.get("/", Host="pypi.home:3141").status == 421
    ran = run("doctor", "--json", PIP_INDEX_URL="https://me:pw@x.example/simple", **more)
    assert ran.code == 1
    assert (ran.json["schema"], ran.json["well"], ran.json["mended"]) == (1, False, [])
    found = by_check(ran.json)
    assert found["daemon"]["severity"] == found["store"]["severity"] == found["containers"]["severity"] == "ok"
    assert found["bases"]["severity"] == "ok"
    assert f"127.0.0.1:{upstream.port} answers in" in found["bases"]["what"]
    assert "pypi.home was refused once" in found["hosts"]["what"]
    assert found["hosts"]["remedy"].startswith("if you know it: localpi config set allowed_hosts+=pypi.home")
    assert found["shadows"]["remedy"] == "unset PIP_INDEX_URL"
    assert "me:pw" not in ran.out
    assert run("unwire-pip", **more).code == 0
    daemon.stop()
    daemon.start()
    well = run("doctor", **more)
    assert well.code == 0, well.out
    assert "nothing is wrong" in well.err


def test_doctor_says_that_the_database_of_uploads_is_gone(run: Run, daemon: Daemon, tmp_path: Path) -> None:
    """Before the start that begins anew, and after it, when the uploads lie aside."""
    more = {"LOCALPI_HOME": str(daemon.home), "LOCALPI_PORT": str(daemon.port)}
    filename, wheel = make_wheel("demo", "1.0")
    (tmp_path / filename).write_bytes(wheel)
    assert run("upload", str(tmp_path / filename), **more).code == 0
    daemon.stop()
    for file in (daemon.home / "data").glob("localpi.sqlite*"):
        file.unlink()
    lost = by_check(run("doctor", "--json", **more).json)["store"]
    assert (lost["severity"], lost["what"].partition(": ")[2]) == (
        "problem",
        "it is not there, and 1 upload would be without an index",
    )
    daemon.start()
    aside = by_check(run("doctor", "--json", **more).json)["store"]
    assert (aside["severity"], aside["what"].partition(": ")[2]) == ("note", "1 upload that no index has")


def test_doctor_mends_what_a_crash_and_a_careless_hand_left(run: Run, daemon: Daemon) -> None:
    """Killed, its cache overwritten, its folder opened, its settings broken: doctor works, mends what is safe."""
    more = {"LOCALPI_HOME": str(daemon.home), "LOCALPI_PORT": str(daemon.port)}
    data = daemon.home / "data"
    data.chmod(0o755)
    daemon.kill()
    (daemon.home / "cache" / "cache.sqlite").write_bytes(b"something else")
    (daemon.home / "config" / "config.toml").write_text("port = [")
    looked = run("doctor", **more)
    assert looked.code == 1
    assert "localpi doctor --fix would:" in looked.err
    mended = run("doctor", "--fix", "--json", **more)
    assert mended.code == 1
    assert [row["failed"] for row in mended.json["mended"]] == ["", "", ""]
    assert data.stat().st_mode & 0o777 == 0o700
    assert not (daemon.home / "runtime" / "daemon.json").exists()
    wrong = {row["check"] for row in mended.json["findings"] if row["severity"] in {"warning", "problem"}}
    assert wrong == {"settings", "daemon"}
    (daemon.home / "config" / "config.toml").unlink()
    daemon.start()
    assert run("doctor", **more).code == 0


def test_a_daemon_that_hangs_is_told_from_one_that_is_away(run: Run, daemon: Daemon) -> None:
    """It is there, and does not answer: that is another remedy, and takes bounded time to find out."""
    assert daemon.process is not None
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        ran = run("doctor", "--json", LOCALPI_HOME=str(daemon.home), LOCALPI_PORT=str(daemon.port))
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)
    found = by_check(ran.json)["daemon"]
    assert (ran.code, found["severity"]) == (1, "problem")
    assert f"process {daemon.process.pid} is there, and does not answer" in found["what"]
    assert found["remedy"] == "localpi down && localpi up"


def test_status_names_every_tool_that_is_wired(run: Run, daemon: Daemon) -> None:
    """Not pip alone; and not pip while a variable says otherwise."""
    more = {"LOCALPI_HOME": str(daemon.home), "LOCALPI_PORT": str(daemon.port)}
    for tool in ("pip", "uv", "twine"):
        assert run("wire", tool, **more).code == 0
    assert run("status", "--json", **more).json["wired"] == ["pip", "uv", "twine"]
    elsewhere = run("status", "--json", PIP_INDEX_URL="https://x.example/simple", **more)
    assert elsewhere.json["wired"] == ["uv", "twine"]
    running = json.loads((daemon.home / "runtime" / "daemon.json").read_text())
    assert psutil.pid_exists(running["pid"])


def test_up_can_wire_pip_in_the_same_breath(run: Run) -> None:
    """One command from an empty home to a pip that installs from here; the URL alone is data."""
    started = run("up", "--wire", "--no-service", LOCALPI_PORT="0")
    try:
        assert started.code == 0, started.err
        url = started.out.strip()
        assert (Path.home() / ".config" / "pip" / "pip.conf").read_text() == f"[global]\nindex-url = {url}\n"
        assert "next:" not in started.err
        assert run("status", "--json").json["wired"] == ["pip"]
    finally:
        assert run("unwire-pip").code == 0
        assert run("down").code == 0
