"""The path that a service runs, and whether what is behind it is still there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from localpi.service.program import find_fault, find_program, read_interpreter


def script(path: Path, first: str = f"#!{sys.executable}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(first + "\nprint()\n")
    path.chmod(0o755)
    return path


def link(path: Path, target: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def test_venv_is_run_where_it_is(tmp_path: Path) -> None:
    """`pip install -U` in it leaves the command in its place."""
    own = script(tmp_path / "venv/bin/localpi")
    assert find_program(tmp_path / "venv", "python", tmp_path, {"PATH": str(own.parent)}) == (str(own),)


@pytest.mark.parametrize("venv", [".local/share/pipx/venvs/localpi", ".local/share/uv/tools/localpi"])
def test_pipx_and_uv_tool_are_run_by_their_link(tmp_path: Path, venv: str) -> None:
    """The link outlives the virtual environment that an upgrade may make anew."""
    own = script(tmp_path / venv / "bin/localpi")
    shim = link(tmp_path / ".local/bin/localpi", own)
    assert find_program(tmp_path / venv, "python", tmp_path, {"PATH": "/usr/bin"}) == (str(shim),)


def test_homebrews_cellar_is_not_named(tmp_path: Path) -> None:
    """Its folder has the version in it, and goes with the next one."""
    own = script(tmp_path / "Cellar/localpi/0.1/bin/localpi")
    shim = link(tmp_path / "homebrew/bin/localpi", own)
    found = find_program(tmp_path / "Cellar/localpi/0.1", "python", tmp_path, {"PATH": str(shim.parent)})
    assert found == (str(shim),)


@pytest.mark.parametrize("variable", ["PIPX_BIN_DIR", "UV_TOOL_BIN_DIR", "XDG_BIN_HOME"])
def test_other_folders_for_links_are_looked_at(tmp_path: Path, variable: str) -> None:
    """Where those tools are told to put them."""
    own = script(tmp_path / "venv/bin/localpi")
    shim = link(tmp_path / "elsewhere/localpi", own)
    assert find_program(tmp_path / "venv", "python", tmp_path, {variable: str(shim.parent)}) == (str(shim),)


def test_command_of_another_installation_is_not_taken(tmp_path: Path) -> None:
    """A link to somebody else's, and a file that is no link."""
    own = script(tmp_path / "venv/bin/localpi")
    other = script(tmp_path / "other/bin/localpi")
    link(tmp_path / ".local/bin/localpi", other)
    assert find_program(tmp_path / "venv", "python", tmp_path, {"PATH": str(other.parent)}) == (str(own),)


def test_without_a_command_the_module_is_run(tmp_path: Path) -> None:
    """`python -m localpi`; -P keeps the working directory out."""
    assert find_program(tmp_path, "/usr/bin/python3", tmp_path, {}) == ("/usr/bin/python3", "-P", "-m", "localpi")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#!/usr/bin/python3\n", "/usr/bin/python3"),
        ("#! /usr/bin/python3 -E\n", "/usr/bin/python3"),
        ("#!/usr/bin/env python3\n", None),
        ("#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n' '''\n", "/a b/python"),
        ("#!/bin/sh\n'''exec' '/a b/python' \"$0\" \"$@\"\n' '''\n", "/a b/python"),
        ("#!/bin/sh\n'''exec' /long/python \"$0\" \"$@\"\n' '''\n", "/long/python"),
        ("#!/bin/sh\nexec something\n", None),
        ("\x7fELF", None),
        ("#!\n", None),
        ("", None),
    ],
)
def test_interpreter_is_read_from_the_script(tmp_path: Path, text: str, expected: str | None) -> None:
    """As pip, uv and pipx write it."""
    (tmp_path / "x").write_text(text)
    assert read_interpreter(tmp_path / "x") == (Path(expected) if expected else None)


def test_fault_is_found_and_named(tmp_path: Path) -> None:
    """What is gone is said with where it was: an interpreter goes with the next upgrade of Python."""
    good = script(tmp_path / "good")
    gone = tmp_path / "python3.11"
    dead = script(tmp_path / "dead", f"#!{link(tmp_path / 'venv-python', gone)}")
    dangling = link(tmp_path / "dangling", tmp_path / "nowhere")
    closed = script(tmp_path / "closed")
    closed.chmod(0o644)
    assert [find_fault([str(each)]) for each in (good, tmp_path / "no", dangling, closed, dead)] == [
        "",
        f"{tmp_path / 'no'} is not there",
        f"{dangling} is not there; it leads to {tmp_path / 'nowhere'}",
        f"{closed} may not be run",
        f"{dead} wants the interpreter {tmp_path / 'venv-python'} (a link to {gone}), which is not there",
    ]
    assert find_fault([]) == "nothing is said of what to run"
