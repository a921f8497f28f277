"""The text of units and agent: what is checked in, what is written and read back, what systemd and Apple know."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localpi.service.agent import Agent, make_agent, program_of, read_agent, render_agent
from localpi.service.spec import ServiceSpec
from localpi.service.units import UnitFacts, quote, read_units, render_service, render_socket, words

REPOSITORY = Path(__file__).parent.parent.parent

ON_LINUX = ServiceSpec(
    program=("/home/me/.local/bin/localpi",),
    addresses=("127.0.0.1",),
    port=3141,
    data="/home/me/.local/share/localpi",
    logs="/home/me/.local/state/localpi/log",
)
ON_MACOS = ServiceSpec(
    program=("/Users/me/.local/bin/localpi",),
    addresses=("127.0.0.1",),
    port=3141,
    data="/Users/me/Library/Application Support/localpi",
    logs="/Users/me/Library/Logs/localpi",
)
ODD = replace(
    ON_LINUX,
    program=('/opt/50% "off"/a\\b/local pi', "-P", "-m", "localpi"),
    addresses=("127.0.0.1", "::1", "172.17.0.1"),
    data="/home/me/Über 100%/data",
    variables=(("LOCALPI_HOME", "/srv/a b/$HOME/100%"), ("XDG_CACHE_HOME", "/c")),
)

CHECKED_IN = [
    ("systemd/localpi.service", render_service(ON_LINUX).encode()),
    ("systemd/localpi.socket", render_socket(ON_LINUX).encode()),
    ("launchd/io.localpi.daemon.plist", render_agent(ON_MACOS)),
]


@pytest.mark.parametrize(("path", "rendered"), CHECKED_IN, ids=[path for path, _ in CHECKED_IN])
def test_what_is_checked_in_is_what_is_rendered(path: str, rendered: bytes) -> None:
    """People read the files in the repository; `python tests/service/test_units.py` writes them again."""
    assert (REPOSITORY / path).read_bytes().decode() == rendered.decode()


@pytest.mark.parametrize("spec", [ON_LINUX, ODD, replace(ON_LINUX, variables=(("A", ""),))])
def test_units_are_read_back_as_they_were_meant(spec: ServiceSpec) -> None:
    """Program, folder, addresses and variables survive quoting, whatever is in them."""
    assert read_units(render_service(spec), render_socket(spec)) == UnitFacts(
        program=spec.program, data=spec.data, listen=spec.listen, variables=dict(spec.variables)
    )


def test_units_that_are_none_say_nothing() -> None:
    """Nor does a file that somebody else wrote."""
    assert read_units("", "[Socket\nListen") == UnitFacts()


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/home/me/.local/bin/localpi", "/home/me/.local/bin/localpi"),
        ("/home/100%", "/home/100%%"),
        ("a b", '"a b"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("it's", '"it\'s"'),
        ("", '""'),
        ("A=é", '"A=é"'),
    ],
)
def test_words_are_quoted_as_systemd_reads_them(word: str, written: str) -> None:
    """systemd.syntax(7)."""
    assert (quote(word), words(quote(word))) == (written, (word,))


@pytest.mark.parametrize(("program", "prefix"), [("/opt/a$b/localpi", ":"), ("/opt/ab/localpi", "")])
def test_a_dollar_in_the_program_is_no_variable(program: str, prefix: str) -> None:
    """systemd.service(5): a colon in front keeps variables from being put in."""
    assert f"ExecStart={prefix}" + quote(program) + " serve\n" in render_service(replace(ON_LINUX, program=(program,)))


@pytest.mark.parametrize(
    ("addresses", "lines"),
    [
        (("127.0.0.1",), ["ListenStream=127.0.0.1:3141"]),
        (("127.0.0.1", "::1"), ["ListenStream=127.0.0.1:3141", "ListenStream=[::1]:3141", "BindIPv6Only=ipv6-only"]),
        (("127.0.0.1", "172.17.0.1"), ["ListenStream=127.0.0.1:3141", "ListenStream=172.17.0.1:3141", "FreeBind=yes"]),
        (("0.0.0.0", "::"),
         ["ListenStream=0.0.0.0:3141", "ListenStream=[::]:3141", "BindIPv6Only=ipv6-only", "FreeBind=yes"]),
    ],
)  # fmt: skip
def test_socket_listens_as_the_daemon_would(addresses: tuple[str, ...], lines: list[str]) -> None:
    """IPv6 by itself; a bridge may come up later."""
    text = render_socket(replace(ON_LINUX, addresses=addresses))
    assert text.partition("[Socket]\n")[2].partition("NoDelay")[0].splitlines() == lines


def test_a_line_break_has_no_place_in_a_service() -> None:
    """It would begin a line of its own."""
    with pytest.raises(ValueError, match="cannot have"):
        replace(ON_LINUX, data="/home/me\nExecStart=/bin/evil")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
@pytest.mark.parametrize("spec", [ON_LINUX, ODD], ids=["plain", "odd"])
def test_systemd_finds_nothing_to_say(tmp_path: Path, spec: ServiceSpec) -> None:
    """`systemd-analyze --user verify` is silent: unknown keys are only printed there, so silence is what counts."""
    program = tmp_path / "bin" / Path(spec.program[0]).name
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    spec = replace(spec, program=(str(program), *spec.program[1:]))
    for name, text in (("localpi.service", render_service(spec)), ("localpi.socket", render_socket(spec))):
        (tmp_path / name).write_text(text)
    ran = subprocess.run(
        ["systemd-analyze", "--user", "verify", tmp_path / "localpi.service", tmp_path / "localpi.socket"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "Failed to" in ran.stderr and "manager" in ran.stderr:
        pytest.skip(f"systemd-analyze does not run here: {ran.stderr.strip()}")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


# -- launchd ----------------------------------------------------------------------------------------------------------

SCHEMA: dict[str, Any] = {
    "Label": str,
    "ProgramArguments": [str],
    "EnvironmentVariables": {str: str},
    "WorkingDirectory": str,
    "RunAtLoad": bool,
    "KeepAlive": {"SuccessfulExit": bool},
    "ThrottleInterval": int,
    "ExitTimeOut": int,
    "ProcessType": {"Background", "Standard", "Adaptive", "Interactive"},
    "LimitLoadToSessionType": [{"Aqua", "Background", "LoginWindow", "StandardIO", "System"}],
    "SoftResourceLimits": {"NumberOfFiles": int},
    "Umask": int,
    "StandardOutPath": str,
    "StandardErrorPath": str,
}
"""launchd.plist(5): what is known, and of which type; plistlib lets everything through."""


def faults(value: object, schema: Any, where: str = "") -> list[str]:
    """Say where a value is not of its schema."""
    if isinstance(schema, set):
        return [] if value in schema else [f"{where} is {value!r}"]
    if isinstance(schema, list):
        found = value if isinstance(value, list) else [None]
        return [each for item in found for each in faults(item, schema[0], where)]
    if isinstance(schema, dict) and str in schema:
        pairs = value.items() if isinstance(value, dict) else [(None, None)]
        return [f"{where} has {pair}" for pair in pairs if not all(isinstance(each, str) for each in pair)]
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{where} is {value!r}"]
        unknown = [f"{where}.{key} is unknown" for key in value.keys() - schema.keys()]
        return unknown + [
            each for key, kind in schema.items() if key in value for each in faults(value[key], kind, f"{where}.{key}")
        ]
    return [] if type(value) is schema else [f"{where} is {value!r}"]


@pytest.mark.parametrize("spec", [ON_MACOS, ODD], ids=["plain", "odd"])
def test_agent_is_what_launchd_reads(spec: ServiceSpec) -> None:
    """It survives plistlib, and every key has the type that launchd wants; paths are absolute."""
    agent = make_agent(spec)
    read = plistlib.loads(render_agent(spec))
    assert read == agent
    assert faults(read, SCHEMA) == []
    assert set(SCHEMA) == set(Agent.__annotations__)
    paths = [read[key] for key in ("WorkingDirectory", "StandardOutPath", "StandardErrorPath")]
    assert all(path.startswith("/") and "~" not in path for path in (read["ProgramArguments"][0], *paths))
    assert (oct(read["Umask"]), read["KeepAlive"]) == ("0o77", {"SuccessfulExit": False})
    assert program_of(read_agent(render_agent(spec))) == spec.program


@pytest.mark.parametrize("change", [{"Umask": "077"}, {"Umask": True}, {"KeepAlive": True}, {"Nice": 1},
                                    {"EnvironmentVariables": {"A": 1}}, {"ProcessType": "interactive"}])  # fmt: skip
def test_the_schema_finds_what_plistlib_does_not(change: dict[str, object]) -> None:
    """A schema that lets everything through would show nothing."""
    assert faults({**make_agent(ON_MACOS), **change}, SCHEMA) != []


@pytest.mark.parametrize(
    "data", [b"", b"not a plist", b"<plist><array/></plist>", b"bplist00", b"<!DOCTYPE x [<!ENTITY a 'b'>]><plist/>"]
)
def test_a_file_that_is_no_agent_says_nothing(data: bytes) -> None:
    """It may have been written by anybody."""
    assert read_agent(data) == {}


if __name__ == "__main__":
    for name, content in CHECKED_IN:
        (REPOSITORY / name).write_bytes(content)
