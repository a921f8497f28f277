"""Every check of `doctor`, as a table: facts in, findings out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from localpi.cli.app import COMMANDS
from localpi.reports import BaseHealth, Finding, ServiceReport
from localpi.setup.doctor import examine, is_well
from localpi.setup.doctor_facts import (
    BaseFacts,
    Bridge,
    ClockFacts,
    DaemonFacts,
    DiskFacts,
    Facts,
    PathFacts,
    PortFacts,
    Refused,
    SettingsFacts,
    ShadowFacts,
    StoreProblem,
    Stray,
    ToolFacts,
)

URL = "http://127.0.0.1:3141"
DAEMON = DaemonFacts(
    "serving",
    URL,
    host="127.0.0.1",
    port=3141,
    pid=7,
    version="1",
    own_version="1",
    names=(("host.docker.internal", 200),),
)
ABSENT = DaemonFacts("absent", URL, own_version="1")
SERVICE = ServiceReport(
    "localpi.service", installed=True, enabled=True, activity="running", program=("/x",), lingers=True
)
PIP = ToolFacts(
    "pip",
    "/h/pip.conf",
    "wired",
    url=f"{URL}/root/local/+simple/",
    ours=True,
    index="root/local",
    index_there=True,
)
PYPI = BaseFacts(BaseHealth("root/pypi", "ok"), "https://up.example/simple/", "up.example:443", 12)
GB = 1000**3
WELL = Facts(
    settings=SettingsFacts("/h/config.toml", keep_free=GB),
    daemon=DAEMON,
    service=SERVICE,
    disks=(DiskFacts(("/h/data",), 50 * GB, 100_000),),
    sqlite=(3, 51, 3),
    clock=ClockFacts(2026),
    bases=(PYPI,),
    tools=(PIP,),
)


def base(state: str, reason: str = "", **facts: object) -> BaseFacts:
    """A mirror in a state."""
    return replace(PYPI, health=BaseHealth("root/pypi", state, reason), **facts)  # type: ignore[arg-type]  # named


def test_where_all_is_well_every_check_says_so() -> None:
    """One line for each check, none of them a note or worse."""
    findings = examine(WELL)
    assert {finding.severity for finding in findings} == {"ok"}
    assert is_well(findings)
    assert [finding.check for finding in findings] == [
        "settings", "daemon", "service", "linger", "store", "modes", "disk", "sqlite", "clock", "bases", "wiring",
        "shadows", "strays", "containers", "hosts",
    ]  # fmt: skip


CASES: list[tuple[str, Facts, str, str, str, str]] = [
    (
        "config.toml is broken",
        replace(WELL, settings=SettingsFacts("/h/config.toml", "it is not TOML", "mend that line")),
        "settings", "problem", "it is not TOML", "mend that line",
    ),
    ("no daemon", replace(WELL, daemon=ABSENT), "daemon", "problem", "not running", "localpi up"),
    (
        "it waits in its socket",
        replace(WELL, daemon=replace(ABSENT, waiting=True)),
        "daemon", "note", "starts with the next request", "localpi up",
    ),
    (
        "it died of something",
        replace(WELL, daemon=replace(ABSENT, last_words="The port is taken")),
        "daemon", "problem", "not running", "localpi up",
    ),
    (
        "a signpost of a dead daemon",
        replace(WELL, daemon=replace(ABSENT, stale_file="/h/daemon.json")),
        "daemon", "warning", "daemon that is gone", "localpi up",
    ),
    ("it hangs", replace(WELL, daemon=replace(DAEMON, state="silent")), "daemon", "problem", "process 7", "down"),
    ("another user's", replace(WELL, daemon=replace(DAEMON, owned=False)), "daemon", "problem", "secret", "down"),
    ("an old one", replace(WELL, daemon=replace(DAEMON, version="0")), "daemon", "warning", "localpi 0,", "down"),
    (
        "its interpreter was removed",
        replace(WELL, daemon=replace(DAEMON, program_gone="/v/bin/python")),
        "daemon", "warning", "/v/bin/python", "localpi down",
    ),
    (
        "the port is somebody else's",
        replace(WELL, daemon=ABSENT, port=PortFacts("devpi (pid 3)", devpi=True)),
        "port", "problem", "devpi (pid 3), a devpi-server", "config set port 3142",
    ),
    (
        "the port was set since",
        replace(WELL, settings=replace(WELL.settings, port=4000)),
        "port", "warning", "port 3141, 4000 is set", "localpi down && localpi up",
    ),
    ("the port is free", replace(WELL, daemon=ABSENT), "port", "ok", "3141 is free", ""),
    ("no service", replace(WELL, service=ServiceReport("x", installed=False)), "service", "note", "no", "install"),
    (
        "no service manager",
        replace(WELL, service=ServiceReport("x", installed=False, unavailable="no systemd")),
        "service", "note", "no systemd", "localpi up",
    ),
    (
        "a dead interpreter",
        replace(WELL, service=replace(SERVICE, fault="/x wants the interpreter /y, which is not there")),
        "service", "problem", "/y, which is not there", "localpi service install",
    ),
    (
        "a service that cannot be asked",
        replace(WELL, service=replace(SERVICE, unavailable="no bus")),
        "service", "note", "no bus", "",
    ),
    (
        "a service that gave up",
        replace(WELL, service=replace(SERVICE, activity="failed", ended="it failed five times within a minute")),
        "service", "problem", "five times", "localpi service restart",
    ),
    ("switched off", replace(WELL, service=replace(SERVICE, enabled=False)), "service", "warning", "off", "install"),
    ("settings since", replace(WELL, service=replace(SERVICE, current=False)), "service", "warning", "else", "install"),
    ("no linger", replace(WELL, service=replace(SERVICE, lingers=False)), "linger", "note", "logged in", "loginctl"),
    (
        "a file whose row is wrong",
        replace(WELL, daemon=replace(DAEMON, store=(StoreProblem("missing", "ab12", "it is not there"),))),
        "store", "problem", "ab12: it is not there", "localpi upload",
    ),
    (
        "a broken cache database",
        replace(WELL, daemon=replace(ABSENT, store=(StoreProblem("database", "/h/a b/cache.sqlite", "none"),))),
        "store", "problem", "cache.sqlite: none", "rm '/h/a b/cache.sqlite'",
    ),
    (
        "its own database is gone",
        replace(WELL, daemon=replace(ABSENT, store=(StoreProblem("gone", "/h/localpi.sqlite", "it is not there"),))),
        "store", "problem", "it is not there", "localpi restore FILE --force",
    ),
    (
        "uploads were set aside",
        replace(WELL, daemon=replace(DAEMON, store=(StoreProblem("unclaimed", "/h/unclaimed", "1 upload that no"),))),
        "store", "note", "/h/unclaimed: 1 upload that no", "localpi down && localpi up",
    ),
    (
        "a broken database",
        replace(WELL, daemon=replace(ABSENT, store=(StoreProblem("database", "/h/localpi.sqlite", "none"),))),
        "store", "problem", "localpi.sqlite: none", "copy",
    ),
    ("too much to check", replace(WELL, daemon=replace(DAEMON, store=None)), "store", "note", "too large", ""),
    (
        "a folder that others read",
        replace(WELL, paths=(PathFacts("/h/data", 0o755, 0o700, folder=True),)),
        "modes", "warning", "0755", "chmod 700 /h/data",
    ),
    (
        "a secret that others read",
        replace(WELL, paths=(PathFacts("/h/owner.secret", 0o644, 0o600, folder=False),)),
        "modes", "warning", "0644", "chmod 600 /h/owner.secret",
    ),
    (
        "a folder that nobody writes",
        replace(WELL, paths=(PathFacts("/h/data", 0o500, 0o700, folder=True, writable=False),)),
        "modes", "problem", "cannot be written", "chmod 700 /h/data",
    ),
    (
        "made by sudo",
        replace(WELL, paths=(PathFacts("/h/data", 0o700, 0o700, folder=True, mine=False),)),
        "modes", "problem", "another user", "sudo chown -R",
    ),
    ("a full disk", replace(WELL, disks=(DiskFacts(("/h",), 10**6),)), "disk", "problem", "1.0 MB", "free some space"),
    ("no inodes", replace(WELL, disks=(DiskFacts(("/h",), 50 * GB, 3),)), "disk", "problem", "3 more files", "remove"),
    ("little room", replace(WELL, disks=(DiskFacts(("/h",), GB // 2),)), "disk", "warning", "keep_free", "free some"),
    (
        "a read-only disk",
        replace(WELL, disks=(DiskFacts(("/h",), 50 * GB, read_only=True),)),
        "disk", "problem", "read-only", "",
    ),
    ("SQLite's bug", replace(WELL, sqlite=(3, 51, 2)), "sqlite", "note", "3.51.2 has the WAL-reset bug", ""),
    ("an empty battery", replace(WELL, clock=ClockFacts(1970)), "clock", "problem", "1970", "set the clock"),
    ("a clock set back", replace(WELL, clock=ClockFacts(2026, "/h/db", 7200)), "clock", "warning", "2 hours", "clock"),
    ("a base that is down", replace(WELL, bases=(base("down", "refused"),)), "bases", "warning", "refused", "up.ex"),
    ("a login page", replace(WELL, bases=(base("captive", "a portal"),)), "bases", "warning", "portal", "browser"),
    ("a password", replace(WELL, bases=(base("auth", "401"),)), "bases", "problem", "credentials", "base set pypi"),
    ("off by hand", replace(WELL, bases=(base("off", "x"),)), "bases", "note", "by hand", "localpi offline auto"),
    (
        "a base that is gone, and nobody knows yet",
        replace(WELL, bases=(base("ok", latency_ms=None, said="refused"),)),
        "bases", "warning", "up.example:443 cannot be connected to: refused", "localpi config show",
    ),
    ("a slow base", replace(WELL, bases=(base("slow", "takes its time"),)), "bases", "note", "is slow", ""),
    ("a far base", replace(WELL, bases=(base("ok", latency_ms=2500),)), "bases", "note", "2500 ms", ""),
    ("pip is not wired", replace(WELL, tools=(ToolFacts("pip", "/p", "unwired"),)), "wiring", "note", "pip", "wire"),
    ("uv is not wired", replace(WELL, tools=(ToolFacts("uv", "/p", "unwired"),)), "wiring", "note", "uv", "wire uv"),
    (
        "a file that pip itself refuses",
        replace(WELL, tools=(ToolFacts("pip", "/p", "broken", reason="a BOM"),)),
        "wiring", "problem", "a BOM", "by hand",
    ),
    (
        "edited since",
        replace(WELL, tools=(replace(PIP, state="drifted", url="https://other.example/", ours=False),)),
        "wiring", "warning", "other.example", "localpi unwire-pip",
    ),
    (
        "wired to an index that was deleted",
        replace(WELL, tools=(replace(PIP, index_there=False),)),
        "wiring", "problem", "no index here", "localpi index create root/local",
    ),
    (
        "wired to a port that is another now",
        replace(WELL, tools=(replace(PIP, ours=False, scope="global"),)),
        "wiring", "problem", "the daemon is at", "localpi wire-pip --scope global",
    ),
    (
        "pip installs from the intranet",
        replace(WELL, tools=(ToolFacts("pip", "/p", "by-hand", url="https://nexus.example/"),)),
        "wiring", "note", "nexus.example", "localpi wire-pip",
    ),
    (
        "a variable wins",
        replace(WELL, shadows=(ShadowFacts(("pip",), "PIP_INDEX_URL", "PIP_INDEX_URL=x wins", beats=True),)),
        "shadows", "warning", "PIP_INDEX_URL=x wins", "unset PIP_INDEX_URL",
    ),
    (
        "a file wins",
        replace(WELL, shadows=(ShadowFacts(("pip",), "/v/pip.conf", "index-url = y wins", beats=True),)),
        "shadows", "warning", "(/v/pip.conf)", "out of /v/pip.conf",
    ),
    (
        "a proxy without exceptions",
        replace(WELL, shadows=(ShadowFacts(("pip", "uv"), "http_proxy", "http_proxy is set", beats=True),)),
        "shadows", "warning", "http_proxy", "export no_proxy=127.0.0.1",
    ),
    (
        "an index beside ours",
        replace(WELL, shadows=(ShadowFacts(("pip",), "/p", "extra-index-url = x", beats=False),)),
        "strays", "warning", "extra-index-url = x (/p)", "localpi base add NAME URL",
    ),
    (
        "an index of the machine's uv",
        replace(WELL, strays=(Stray("uv", "/etc/uv/uv.toml", "[[index]]", "https://x.example/"),)),
        "strays", "warning", "/etc/uv/uv.toml", "localpi base add NAME https://x.example/",
    ),
    (
        "a name that is refused",
        replace(WELL, daemon=replace(DAEMON, names=(("pypi.home", 421),))),
        "containers", "warning", "pypi.home", "localpi down && localpi up",
    ),
    (
        "a bridge",
        replace(WELL, bridges=(Bridge("docker0", "172.17.0.1"),)),
        "containers", "note", "docker0", "localpi config set listen+=172.17.0.1",
    ),
    (
        "a host that was refused",
        replace(WELL, daemon=replace(DAEMON, refused=(Refused("pypi.home", 3, 130),))),
        "hosts", "warning", "pypi.home was refused 3 times, 2 min ago", "allowed_hosts+=pypi.home",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "check", "severity", "what", "remedy"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_finding_has_its_severity_and_its_remedy(
    facts: Facts, check: str, severity: str, what: str, remedy: str
) -> None:
    """The check says it, in its own words, with the command that mends it; what is wrong makes the answer no."""
    findings = examine(facts)
    found = [one for one in findings if one.check == check and one.severity == severity and what in one.what]
    assert len(found) == 1, findings
    assert remedy in found[0].remedy
    assert bool(found[0].meaning) or severity == "ok" or check in {"store", "wiring", "daemon"}
    if severity in {"warning", "problem"}:
        assert not is_well(findings)
        assert found[0].remedy or check == "disk"


def test_every_command_that_is_named_exists() -> None:
    """A remedy that cannot be typed is none."""
    remedies = [finding.remedy for _, facts, *_ in CASES for finding in examine(facts)]
    named = {word for remedy in remedies for word in re.findall(r"\blocalpi ([a-z-]+)", remedy)}
    assert named
    assert named <= set(COMMANDS)


def test_a_daemon_for_all_addresses_is_on_every_bridge() -> None:
    """Nothing is to be done for containers then."""
    everywhere = replace(
        WELL, settings=replace(WELL.settings, host="0.0.0.0"), bridges=(Bridge("docker0", "172.17.0.1"),)
    )
    assert is_well(examine(everywhere))
    assert {"ok"} == {finding.severity for finding in examine(everywhere)}


def test_what_the_log_ended_with_is_in_the_meaning() -> None:
    """Why it is not running is what a person wants to know."""
    found = [one for one in examine(replace(WELL, daemon=replace(ABSENT, last_words="It hurts"))) if "not" in one.what]
    assert "It hurts" in found[0].meaning


def test_a_flood_of_one_kind_is_told_in_few_lines() -> None:
    """A thousand files that others read are six findings."""
    loose = tuple(PathFacts(f"/h/{number}", 0o644, 0o600, folder=False) for number in range(1000))
    told = [finding for finding in examine(replace(WELL, paths=loose)) if finding.check == "modes"]
    assert (len(told), told[-1].what) == (6, "and 995 more like these")
    broken = tuple(StoreProblem("missing", f"{number:04}", "gone") for number in range(1000))
    facts = replace(WELL, daemon=replace(DAEMON, store=broken))
    assert len([finding for finding in examine(facts) if finding.check == "store"]) == 6


def test_notes_are_nothing_wrong() -> None:
    """What is worth knowing does not make the answer no."""
    assert is_well((Finding("x", "ok", ""), Finding("x", "note", "")))
    assert not is_well((Finding("x", "note", ""), Finding("x", "warning", "")))
    assert not is_well((Finding("x", "problem", ""),))
