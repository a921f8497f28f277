from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from localpi import __version__, errors
from localpi.cli import exits
from localpi.cli.app import COMMANDS, app
from localpi.cli.exits import exit_code
from localpi.cli.output import human_size
from localpi.cli.packages import release_rows
from localpi.index.config import MirrorConfig, StageConfig
from localpi.remote.daemon import RemoteError
from localpi.reports import ProjectRow

HEAVY = ("flask", "requests", "textual", "sqlite3", "werkzeug", "waitress", "urllib3", "keyring", "psutil", "tomlkit")


def test_version_loads_nothing_heavy() -> None:
    """`localpi --version` costs an interpreter and click."""
    code = (
        "import sys\nfrom localpi.__main__ import main\nassert main(['--version']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True)
    assert f"localpi {__version__}\n[]\n" == ran.stdout.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """Help exists, and is not the developer's notes."""
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage: ")
    assert "Raises" not in shown.output


GROUPS = [[], *([name] for name in COMMANDS if isinstance(app.get_command(click.Context(app), name), click.Group))]


@pytest.mark.parametrize("group", GROUPS)
def test_help_lists_commands_with_whole_sentences(group: list[str]) -> None:
    """Click would cut them at the width of the terminal."""
    shown = CliRunner().invoke(app, [*group, "--help"], terminal_width=80).output
    listed = shown.partition("--help  ")[2]
    assert "..." not in listed
    lines = [line for line in listed.splitlines() if line.startswith("  ") and line[2].islower()]
    assert len({line.index(line.split(None, 1)[1]) for line in lines}) == 1, "they begin in different columns"


def test_a_command_that_is_none_is_told_its_neighbour() -> None:
    """A slip of the finger is named; what is far from all is refused alone."""
    slip, other = (CliRunner().invoke(app, [name]) for name in ("statsu", "xyzzy"))
    assert (slip.exit_code, "Did you mean 'status'?" in slip.output) == (2, True)
    assert (other.exit_code, "Did you mean" in other.output) == (2, False)


def test_help_names_every_setting_of_an_index() -> None:
    """What can be set of a stage and of a mirror is found without the source."""
    told = CliRunner().invoke(app, ["index", "set", "--help"]).output
    assert [
        field.name for kind in (StageConfig, MirrorConfig) for field in fields(kind) if field.name not in told
    ] == []


def test_every_subcommand_explains_itself() -> None:
    """Each one, below the groups too, has a sentence."""

    def walk(command: click.Command, context: click.Context) -> None:
        assert command.help, command.name
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found
                walk(found, context)

    walk(app, click.Context(app))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["status", "--nonsense"], 2),
        (["index", "show", "no-slash"], 2),
        (["index", "show", "root/+x"], 2),
        (["index", "create", "root/x", "type"], 2),
        (["index", "set", "root/x"], 2),
        (["yank", "flask"], 2),
        (["yank", "flask=="], 2),
        (["remove", "/../x"], 2),
        (["token", "create", "--expires", "soon"], 2),
        (["token", "create", "--scope", "all"], 2),
        (["upload", "/no/such.whl"], 2),
        (["config", "set", "port", "99999"], 2),
        (["config", "set", "prot", "1"], 2),
        (["config", "set", "port"], 2),
        (["config", "set", "port+=1"], 2),
        (["config", "get", "prot"], 2),
        (["serve", "--port", "http"], 2),
        (["status"], 3),
        (["index", "list"], 3),
        (["user", "passwd"], 3),
        (["token", "list"], 3),
        (["list"], 3),
        (["yank", "flask==1"], 3),
        (["down"], 0),
        (["logs"], 0),
        (["config", "show"], 0),
        (["--version"], 0),
    ],
)
def test_exit_codes(run: Callable[..., Any], home: Path, arguments: list[str], code: int) -> None:
    """2 is usage, 3 is no daemon; a refusal is on stderr, has a remedy, and nothing was made."""
    ran = run(*arguments)
    assert code == ran.code
    assert "Traceback" not in ran.err
    if code:
        assert ran.err
    if code == 3:
        assert "localpi up" in ran.err
    assert not home.exists()


def test_status_without_a_daemon_still_has_its_shape(run: Callable[..., Any]) -> None:
    """Scripts read the same keys whether it runs or not; the exit code tells."""
    ran = run("status", "--json", LOCALPI_PORT="4000")
    assert ran.code == 3
    assert ran.json == {
        "schema": 1,
        "running": False,
        "pid": None,
        "url": "http://127.0.0.1:4000",
        "index_url": "http://127.0.0.1:4000/root/local/+simple/",
        "service": None,
        "wired": [],
        "bases": [],
        "cache": {"bytes": 0, "files": 0, "budget": None},
        "version": "",
        "uptime_s": None,
        "notes": [],
    }


def test_status_sees_that_pip_is_wired(run: Callable[..., Any]) -> None:
    """An index-url that names this daemon counts, whoever wrote it."""
    ran = run("status", "--json", PIP_INDEX_URL="http://127.0.0.1:3141/root/local/+simple/")
    assert ran.json["wired"] == ["pip"]


def test_config_set_get_show_unset(run: Callable[..., Any], home: Path) -> None:
    """The file is written, the value comes back, its origin is said, the default returns."""
    assert run("config", "set", "cache.max_size", "10GiB").code == 0
    assert (home / "config" / "config.toml").stat().st_mode & 0o777 == 0o600
    assert tomllib.loads((home / "config" / "config.toml").read_text()) == {"cache": {"max_size": "10GiB"}}
    assert run("config", "get", "cache.max_size").out == "10GiB\n"
    shown = {row["key"]: row for row in run("config", "show", "--json").json["settings"]}
    row = shown["cache.max_size"]
    assert ("10GiB", "file", str(home / "config" / "config.toml")) == (row["value"], row["origin"], row["where"])
    assert (shown["threads"]["value"], shown["threads"]["origin"], shown["threads"]["where"]) == ("8", "default", "")
    assert run("config", "unset", "cache.max_size").code == 0
    assert run("config", "get", "cache.max_size").out == "0\n"


def test_config_list_grows_and_shrinks(run: Callable[..., Any]) -> None:
    """+= keeps the names that were allowed before."""
    for change in ("allowed_hosts=a.example", "allowed_hosts+=b.example", "allowed_hosts+=a.example,c.example"):
        assert run("config", "set", change).code == 0
    assert run("config", "get", "allowed_hosts").out == "a.example,b.example,c.example\n"
    run("config", "set", "allowed_hosts-=b.example")
    assert run("config", "get", "allowed_hosts").out == "a.example,c.example\n"


def test_config_says_when_a_variable_wins(run: Callable[..., Any]) -> None:
    """Setting a value that has no effect here is said."""
    ran = run("config", "set", "port", "4001", LOCALPI_PORT="4002")
    assert (ran.code, ran.out) == (0, "")
    assert "LOCALPI_PORT" in ran.err
    assert run("config", "get", "port", LOCALPI_PORT="4002").out == "4002\n"
    assert "→ unset LOCALPI_PORT" in run("status", LOCALPI_PORT="high").err


def test_passwords_of_proxies_are_not_shown(run: Callable[..., Any]) -> None:
    """What config prints for reading, and refusals, can be pasted into a report."""
    ran = run("config", "set", "upstream.proxy", "http://me:secret@proxy.example:3128")
    assert ran.code == 0
    for arguments in (("config", "show"), ("config", "show", "--json"), ("config", "get", "upstream.proxy", "--json")):
        assert "secret" not in run(*arguments).out
    assert "secret" not in ran.err + run("config", "set", "outside_url", "ftp://me:secret@h").err


def test_a_broken_config_file_is_named_not_touched(run: Callable[..., Any], home: Path) -> None:
    """Every command says which file and which line."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("port = \n")
    for arguments in (("status",), ("config", "set", "port", "1"), ("serve",)):
        ran = run(*arguments)
        assert ran.code == 2
        assert "config.toml" in ran.err
        assert "line 1" in ran.err
    (home / "config" / "config.toml").unlink()
    (home / "config" / "config.toml").mkdir()
    ran = run("status")
    assert (ran.code, "config.toml cannot be read" in ran.err, "→ it has to be a file" in ran.err) == (2, True, True)


def test_a_reader_that_leaves_is_no_error(home: Path) -> None:
    """`localpi logs | head` ends quietly."""
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "daemon.log").write_text("x" * 100 + "\n" + "line\n" * 90_000)
    environ = {**os.environ, "LOCALPI_HOME": str(home), "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    with subprocess.Popen(
        [sys.executable, "-m", "localpi", "logs", "-n", "90000"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (0, b"")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DaemonNotRunning("x"), 3),
        (errors.PortTaken("h", 1, owner="", devpi=False), 78),
        (errors.AlreadyRunning("x"), 78),
        (errors.NewerDatabase("x", 2, 1), 78),
        (errors.SettingError("x"), 2),
        (errors.InvalidName("x", "y"), 2),
        (errors.InvalidUpload("x"), 4),
        (errors.NothingToPush("x", "1", "root/local"), 4),
        (errors.BackupDamaged("x"), 4),
        (errors.CannotKnow("root/pypi", "down"), 5),
        (errors.NotAllowed("x"), 4),
        (errors.StoreBroken("x"), 70),
        (RemoteError(400, "x"), 2),
        (RemoteError(400, "x", code="invalid-upload"), 4),
        (RemoteError(400, "x", code="nothing-to-push"), 4),
        (RemoteError(401, "x"), 4),
        (RemoteError(404, "x"), 4),
        (RemoteError(409, "x"), 4),
        (RemoteError(424, "x"), 5),
        (RemoteError(500, "x"), 70),
    ],
)
def test_errors_become_exit_codes(error: errors.LocalpiError, code: int) -> None:
    """One table, first fit."""
    assert code == exit_code(error)


def test_every_exit_code_is_in_the_readme_table() -> None:
    """The codes are part of the interface; nothing else leaves the program."""
    named = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert named == {0, 1, 2, 3, 4, 5, 70, 78, 130}


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")]
)
def test_sizes_for_people(size: float, shown: str) -> None:
    """Decimal units, as file managers show."""
    assert shown == human_size(size)


def test_a_page_becomes_releases() -> None:
    """Versions ascend; one is yanked when all its files are; what is no distribution is passed over."""
    page = {
        "files": [
            {"filename": "a-1.10.tar.gz"},
            {"filename": "a-1.0.tar.gz", "yanked": "broken"},
            {"filename": "a-1.0-py3-none-any.whl", "yanked": True},
            {"filename": "a-1.1.tar.gz"},
            {"filename": "a-1.1-py3-none-any.whl", "yanked": "half"},
            {"filename": "a-1.0.exe"},
        ]
    }
    assert release_rows("a", page) == (
        ProjectRow("a", "1.0", ("a-1.0.tar.gz", "a-1.0-py3-none-any.whl"), "broken"),
        ProjectRow("a", "1.1", ("a-1.1.tar.gz", "a-1.1-py3-none-any.whl"), None),
        ProjectRow("a", "1.10", ("a-1.10.tar.gz",), None),
    )
