"""What wiring does to files that are links, read-only, new, edited since, or devpi's; and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from wiring.desk import PUBLISH_URL, URL, Desk

from localpi.cli.wiring_wish import _id_of
from localpi.wiring.edits import NotEditable
from localpi.wiring.places import pip_place, places
from localpi.wiring.shadows import find_shadows
from localpi.wiring.wish import pip_trusts

REPOSITORY = Path(__file__).parent.parent.parent
OTHER = "http://127.0.0.1:3141/root/stable/+simple/"


# -- new files ------------------------------------------------------------------------------------------------------


def test_a_new_file_has_one_key_and_is_its_owners(desk: Desk) -> None:
    """`index-url` alone, mode 0600; undoing takes the file and the folders away that were made for it."""
    assert desk.run("wire-pip") == 0
    assert desk.files() == {".config/pip/pip.conf": (0o600, f"[global]\nindex-url = {URL}\n".encode())}
    assert f"+index-url = {URL}" in desk.err
    assert "localpi up" in desk.err
    assert desk.run("unwire-pip") == 0
    assert not (desk.home / ".config").exists()


def test_a_folder_that_got_other_files_stays(desk: Desk) -> None:
    """Only what was made and is empty goes."""
    assert desk.run("wire-pip") == 0
    (desk.home / ".config/other").mkdir()
    assert desk.run("unwire-pip") == 0
    assert [path.name for path in (desk.home / ".config").iterdir()] == ["other"]


@pytest.mark.parametrize(
    "arguments", [("wire-pip", "--dry-run"), ("wire-pip", "--print"), ("wire", "twine", "--dry-run")]
)
def test_looking_writes_nothing(desk: Desk, arguments: tuple[str, ...]) -> None:
    """--dry-run shows the difference, --print the file; no file, no folder, no record."""
    desk.put("pip", "[global]\ntimeout = 3\n")
    before = desk.files()
    assert desk.run(*arguments) == 0
    assert desk.files() == before
    assert not (desk.home / ".localpi").exists()
    if "--print" in arguments:
        assert desk.out == f"[global]\ntimeout = 3\nindex-url = {URL}\n"
    else:
        assert desk.out == ""
        assert "+++" in desk.err


def test_dry_run_of_unwire(desk: Desk) -> None:
    """It shows what would go and leaves it."""
    desk.run("wire-pip")
    before = desk.files()
    assert desk.run("unwire-pip", "--dry-run") == 0
    assert f"-index-url = {URL}" in desk.err
    assert desk.files() == before


def test_json(desk: Desk) -> None:
    """One object on stdout, the story on stderr."""
    assert desk.run("wire-pip", "--json") == 0
    found = json.loads(desk.out)
    difference = found["tools"][0].pop("difference")
    assert "+[global]" in difference
    path = str(desk.place("pip"))
    row = {"tool": "pip", "scope": "user", "path": path, "url": URL, "changed": True, "notes": [], "shadows": []}
    assert found == {"schema": 1, "tools": [row], "dry_run": False}
    assert desk.run("unwire-pip", "--json") == 0
    undone = json.loads(desk.out)["tools"][0]
    assert (undone["tool"], undone["outcome"]) == ("pip", "restored")


# -- wiring again, edits in between ---------------------------------------------------------------------------------


def test_wiring_to_another_index_is_undone_in_one_step(desk: Desk) -> None:
    """What was there before localpi comes back, not what localpi wrote first."""
    desk.put("pip", "[global]\nindex-url = https://a.corp.example/simple\n# x\n")
    before = desk.files()
    assert desk.run("wire-pip") == 0
    assert desk.run("wire-pip", "--index", "root/stable") == 0
    assert OTHER.encode() in desk.place("pip").read_bytes()
    assert desk.run("unwire-pip") == 0
    assert desk.files() == before


def test_wiring_again_after_an_edit_keeps_the_edit(desk: Desk) -> None:
    """Undoing then leaves the edit and takes both of our values."""
    desk.put("pip", "[global]\nindex-url = https://a.corp.example/simple\n")
    desk.run("wire-pip")
    path = desk.place("pip")
    path.write_text(path.read_text() + "timeout = 7\n")
    assert desk.run("wire-pip", "--index", "root/stable") == 0
    assert path.read_text() == f"[global]\nindex-url = {OTHER}\ntimeout = 7\n"
    assert desk.run("unwire-pip") == 0
    assert path.read_text() == "[global]\nindex-url = https://a.corp.example/simple\ntimeout = 7\n"


def test_a_file_that_was_made_goes_though_our_line_was_taken_out_and_came_again(desk: Desk) -> None:
    """What an edit left of it is its section alone, and that is ours too."""
    before = desk.files()
    desk.run("wire-pip")
    desk.place("pip").write_text("[global]\n")
    assert desk.run("wire-pip") == 0
    assert desk.run("unwire-pip") == 0
    assert desk.files() == before
    assert not desk.place("pip").parent.exists()


@pytest.mark.parametrize(
    ("edited", "expected", "said"),
    [
        (
            "[global]\nindex-url = https://new.example/\n",
            "[global]\nindex-url = https://new.example/\n",
            "changed since",
        ),
        ("[global]\ntimeout = 3\n", "[global]\ntimeout = 3\n", "already been taken out"),
        ("", "", "already been taken out"),
        (f"[global]\nindex_url: {URL}\n", "[global]\nindex-url = https://a.corp.example/simple\n", "only localpi's"),
        (
            f"[list]\nformat = columns\n[global]\ntimeout = 3\nindex-url = {URL}\n",
            "[list]\nformat = columns\n[global]\ntimeout = 3\nindex-url = https://a.corp.example/simple\n",
            "only localpi's",
        ),
    ],
)
def test_what_was_changed_since_is_the_users(desk: Desk, edited: str, expected: str, said: str) -> None:
    """A value that is not ours any more stays, and that is said."""
    path = desk.put("pip", "[global]\nindex-url = https://a.corp.example/simple\n")
    desk.run("wire-pip")
    path.write_text(edited)
    assert desk.run("unwire-pip") == 0
    assert said in desk.err
    assert path.read_text() == expected
    assert desk.run("unwire-pip") == 0
    assert "not wired" in desk.err


def test_a_file_that_is_gone(desk: Desk) -> None:
    """Nothing comes back that a person has deleted."""
    path = desk.put("pip", "[global]\ntimeout = 1\n")
    desk.run("wire-pip")
    path.unlink()
    assert desk.run("unwire-pip") == 0
    assert "gone" in desk.err
    assert not path.exists()


def test_a_file_that_has_been_broken_since_is_left(desk: Desk) -> None:
    """Refused untouched; once mended, it can be undone."""
    path = desk.put("pip", "[global]\ntimeout = 1\n")
    desk.run("wire-pip")
    wired = path.read_text()
    path.write_text(wired + "timeout = 2\n")
    assert desk.run("unwire-pip") == 4
    assert path.read_text() == wired + "timeout = 2\n"
    path.write_text(wired)
    assert desk.run("unwire-pip") == 0
    assert path.read_text() == "[global]\ntimeout = 1\n"


def test_a_new_mode_of_the_users_stays(desk: Desk) -> None:
    """A chmod after wiring is an edit too."""
    path = desk.put("pip", "[global]\ntimeout = 1\n", 0o644)
    desk.run("wire-pip")
    path.chmod(0o640)
    assert desk.run("unwire-pip") == 0
    assert desk.files() == {".config/pip/pip.conf": (0o640, b"[global]\ntimeout = 1\n")}


def test_without_a_record_the_line_itself_goes(desk: Desk) -> None:
    """The data folder is gone, or it was set by hand: pip works again all the same."""
    path = desk.put("pip", f"# a\n[global]\ntimeout = 1\nindex-url = {URL}\n")
    assert desk.run("unwire-pip") == 0
    assert path.read_text() == "# a\n[global]\ntimeout = 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "[global]\nindex-url = https://pypi.corp.example/simple\n",
        "[global]\nindex-url = http://127.0.0.1:8080/simple/\n",
        "[global]\nindex_url = http://localhost:3141/me/dev/+simple/\n[search]\nindex = http://localhost:3141/me/dev/\n",
    ],
)
def test_without_a_record_others_lines_stay(desk: Desk, text: str) -> None:
    """Another index, another local server, a devpi on this machine."""
    path = desk.put("pip", text)
    assert desk.run("unwire-pip") == 0
    assert path.read_text() == text


# -- links, modes, what is no file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("absolute", [True, False])
def test_links_are_followed_and_stay(desk: Desk, absolute: bool) -> None:
    """A dotfiles folder: the file behind the chain changes, the links do not."""
    real = desk.home / "dotfiles/pip.conf"
    real.parent.mkdir()
    real.write_text("[global]\ntimeout = 1\n")
    middle = desk.home / "middle.conf"
    middle.symlink_to(real if absolute else "dotfiles/pip.conf")
    path = desk.place("pip")
    path.parent.mkdir(parents=True)
    path.symlink_to(middle if absolute else "../../middle.conf")
    before = desk.files()
    assert desk.run("wire-pip") == 0
    assert URL in real.read_text()
    assert path.is_symlink()
    assert middle.is_symlink()
    assert desk.run("unwire-pip") == 0
    assert desk.files() == before


def test_a_linked_folder(desk: Desk) -> None:
    """~/.config may be a link as well."""
    (desk.home / "elsewhere").mkdir()
    (desk.home / ".config").symlink_to("elsewhere")
    assert desk.run("wire-pip") == 0
    assert (desk.home / "elsewhere/pip/pip.conf").is_file()
    assert desk.run("unwire-pip") == 0
    assert list((desk.home / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("kind", ["dangling", "loop", "folder", "fifo", "read-only", "file-as-folder"])
def test_refused_by_what_it_is(desk: Desk, kind: str) -> None:
    """Nothing is made, nothing replaced."""
    path = desk.place("pip")
    if kind == "file-as-folder":
        (desk.home / ".config").write_text("")
    else:
        path.parent.mkdir(parents=True)
    if kind == "dangling":
        path.symlink_to("/nowhere/pip.conf")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "read-only":
        path.write_text("[global]\ntimeout = 1\n")
        path.chmod(0o444)
    before = {path: path.lstat() for path in sorted(desk.home.rglob("*"))}
    assert desk.run("wire-pip") == 4
    assert str(path) in desk.err
    assert {path: path.lstat() for path in before} == before
    assert not (desk.home / ".localpi/data/wiring").exists()


def test_a_folder_that_cannot_be_written(desk: Desk) -> None:
    """The file stays, no record claims otherwise."""
    path = desk.put("pip", "[global]\ntimeout = 1\n")
    path.parent.chmod(0o500)
    try:
        if os.access(path.parent, os.W_OK):
            pytest.skip("this user may write everywhere")
        assert desk.run("wire-pip") == 4
        assert path.read_text() == "[global]\ntimeout = 1\n"
        assert not (desk.home / ".localpi/data/wiring").exists()
    finally:
        path.parent.chmod(0o700)


# -- hosts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("host.lima.internal", False),
        ("foo.localhost", False),
        ("192.168.1.4", False),
        ("10.0.2.2", False),
    ],
)
def test_what_pip_trusts_by_itself(host: str, expected: bool) -> None:
    """Its list of secure origins."""
    assert expected is pip_trusts(host)


LIMA_URL = "http://host.lima.internal:3141/root/local/+simple/"


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        ("", "localhost", "[global]\nindex-url = http://localhost:3141/root/local/+simple/\n"),
        ("", "[::1]", "[global]\nindex-url = http://[::1]:3141/root/local/+simple/\n"),
        ("", "host.lima.internal", f"[global]\nindex-url = {LIMA_URL}\ntrusted-host = host.lima.internal\n"),
        (
            "[global]\ntrusted-host = a.example b.example\n",
            "host.lima.internal",
            f"[global]\ntrusted-host = a.example b.example host.lima.internal\nindex-url = {LIMA_URL}\n",
        ),
        (
            "[global]\ntrusted-host =\n    a.example\n\n[x]\ny = z\n",
            "host.lima.internal",
            f"[global]\ntrusted-host =\n    a.example\n    host.lima.internal\nindex-url = {LIMA_URL}\n\n[x]\ny = z\n",
        ),
    ],
)
def test_trust_is_given_where_it_is_needed(desk: Desk, text: str, host: str, expected: str) -> None:
    """Other hosts of the list stay trusted, and undoing is exact."""
    path = desk.put("pip", text)
    before = desk.files()
    assert desk.run("wire-pip", "--host", host) == 0
    assert path.read_text() == expected
    assert desk.run("unwire-pip") == 0
    assert desk.files() == before


def test_trust_given_further_below_is_kept(desk: Desk) -> None:
    """The lists of pip replace each other between files, so ours takes along what the legacy file trusts."""
    legacy = desk.home / ".pip/pip.conf"
    legacy.parent.mkdir()
    legacy.write_text("[global]\ntrusted-host = a.example\n")
    assert desk.run("wire-pip", "--host", "host.lima.internal") == 0
    assert "trusted-host = a.example host.lima.internal\n" in desk.place("pip").read_text()


def test_a_host_is_a_name(desk: Desk) -> None:
    """No port, no path, nothing that would end up in the file as something else."""
    for wrong in ("a:80", "http://a", "a/b", "a b", "a\nindex-url"):
        assert desk.run("wire-pip", "--host", wrong) == 2
    assert desk.files() == {}


# -- devpi ----------------------------------------------------------------------------------------------------------

DEVPI = "http://devpi.corp.example:3141/me/dev"
DEVPI_PIP = f"""\
# the team's
[global]
timeout = 9
index_url = {DEVPI}/+simple/
trusted-host = devpi.corp.example

[search]
index = {DEVPI}/
"""


def test_devpis_wiring_is_taken_over_when_asked(desk: Desk) -> None:
    """Its key keeps its spelling, trust in its host and the search index go; all come back exactly."""
    path = desk.put("pip", DEVPI_PIP)
    before = desk.files()
    assert desk.run("wire-pip") == 4
    assert "--replace" in desk.err
    assert desk.files() == before
    assert desk.run("wire-pip", "--replace") == 0
    assert path.read_text() == f"# the team's\n[global]\ntimeout = 9\nindex_url = {URL}\n\n[search]\n"
    assert desk.run("unwire-pip") == 0
    assert desk.files() == before


def test_devpis_wiring_comes_back_after_edits(desk: Desk) -> None:
    """The edit stays, devpi's three lines are there again."""
    path = desk.put("pip", DEVPI_PIP)
    desk.run("wire-pip", "--replace")
    path.write_text(path.read_text().replace("timeout = 9", "timeout = 10"))
    assert desk.run("unwire-pip") == 0
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(DEVPI_PIP.replace("timeout = 9", "timeout = 10").splitlines())
    assert lines.index("[search]") < lines.index(f"index = {DEVPI}/")


def test_devpis_uv_wiring(desk: Desk) -> None:
    """Its index-url is for projects too, so it is taken over with both flags."""
    path = desk.put("uv", f'index-url = "{DEVPI}/+simple/"\n')
    before = desk.files()
    assert desk.run("wire", "uv") == 4
    assert desk.files() == before
    assert desk.run("wire", "uv", "--replace") == 0
    assert path.read_text() == f'index-url = "{DEVPI}/+simple/"\n\n[pip]\nindex-url = "{URL}"\n'
    assert "--project-wide" in desk.err
    assert desk.run("wire", "uv", "--replace", "--project-wide") == 0
    assert path.read_text() == f'index-url = "{URL}"\n\n[pip]\nindex-url = "{URL}"\n'
    assert desk.run("unwire", "uv") == 0
    assert desk.files() == before


# -- uv for projects ------------------------------------------------------------------------------------------------


def test_a_default_index_for_projects_is_behind_a_flag(desk: Desk) -> None:
    """It says what it does to uv.lock; undoing is exact, and leaves what was added since."""
    path = desk.put("uv", "offline = false\n")
    before = desk.files()
    assert desk.run("wire", "uv", "--project-wide") == 0
    assert "uv.lock" in desk.err
    assert path.read_text() == (
        f'offline = false\n\n[pip]\nindex-url = "{URL}"\n\n[[index]]\nname = "localpi"\nurl = "{URL}"\n'
        f'default = true\npublish-url = "{PUBLISH_URL}"\n'
    )
    assert desk.run("unwire", "uv") == 0
    assert desk.files() == before
    assert desk.run("wire", "uv", "--project-wide") == 0
    path.write_text(path.read_text() + '\n[[index]]\nname = "corp"\nurl = "https://c.example/"\n')
    assert desk.run("unwire", "uv") == 0
    assert path.read_text() == 'offline = false\n\n[[index]]\nname = "corp"\nurl = "https://c.example/"\n'


def test_another_default_index_is_not_overruled(desk: Desk) -> None:
    """There can be one default alone."""
    desk.put("uv", '[[index]]\nurl = "https://c.example/"\ndefault = true\n')
    before = desk.files()
    assert desk.run("wire", "uv", "--project-wide") == 4
    assert desk.files() == before
    assert desk.run("wire", "uv") == 0


def test_keys_added_to_our_index_are_not_left_orphaned(desk: Desk) -> None:
    """Cutting our lines out would move theirs into another table: refused, untouched."""
    path = desk.put("uv", "")
    desk.run("wire", "uv", "--project-wide")
    edited = path.read_text() + 'authenticate = "never"\n'
    path.write_text(edited)
    desk.run("unwire", "uv")
    assert 'authenticate = "never"' in path.read_text()
    assert "left as it is" in desk.err


# -- places ---------------------------------------------------------------------------------------------------------


def test_scopes(tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's file in a virtual environment too; its own with --scope site; none without one."""
    assert desk.run("wire-pip", "--scope", "site") == 4
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    (tmp_path / "venv").mkdir()
    assert desk.run("wire-pip") == 0
    assert list(desk.files()) == [".config/pip/pip.conf"]
    assert desk.run("wire-pip", "--scope", "site", "--index", "root/stable") == 0
    site = tmp_path / "venv/pip.conf"
    assert site.read_text() == f"[global]\nindex-url = {OTHER}\n"
    assert desk.run("wire", "--status", "--json") == 0
    rows = [(row["scope"], row["state"], row["url"]) for row in json.loads(desk.out)["tools"] if row["tool"] == "pip"]
    assert rows == [("user", "wired", URL), ("site", "wired", OTHER)]
    assert desk.run("unwire-pip", "--scope", "user") == 0
    assert desk.files() == {}
    assert site.exists()
    assert desk.run("unwire-pip") == 0
    assert not site.exists()


@pytest.mark.parametrize(
    ("platform", "scope", "expected"),
    [
        ("linux", "global", "/etc/pip.conf"),
        ("linux", "user", "HOME/xdg/pip/pip.conf"),
        ("darwin", "global", "/Library/Application Support/pip/pip.conf"),
        ("darwin", "user", "HOME/.config/pip/pip.conf"),
        ("linux", "site", "/venv/pip.conf"),
    ],
)
def test_pips_places(tmp_path: Path, platform: str, scope: str, expected: str) -> None:
    """What `pip config --SCOPE set` writes; on macOS XDG_CONFIG_HOME is not asked."""
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg"), "VIRTUAL_ENV": "/venv"}
    assert pip_place(environ, platform, scope).path == Path(expected.replace("HOME", str(tmp_path)))


def test_on_macos_the_library_folder_is_used_where_it_is(tmp_path: Path) -> None:
    """It is never made: that would make ~/.config/pip/pip.conf dead."""
    (tmp_path / "Library/Application Support/pip").mkdir(parents=True)
    found = pip_place({"HOME": str(tmp_path)}, "darwin", "user").path
    assert found == tmp_path / "Library/Application Support/pip/pip.conf"


@pytest.mark.parametrize(
    ("tool", "platform", "environ", "expected"),
    [
        ("uv", "darwin", {}, ".config/uv/uv.toml"),
        ("uv", "linux", {"XDG_CONFIG_HOME": "/x"}, "/x/uv/uv.toml"),
        ("pdm", "linux", {}, ".config/pdm/config.toml"),
        ("pdm", "darwin", {}, "Library/Application Support/pdm/config.toml"),
        ("pdm", "linux", {"PDM_CONFIG_FILE": "/x/p.toml"}, "/x/p.toml"),
        ("poetry", "darwin", {}, "Library/Application Support/pypoetry/config.toml"),
        ("poetry", "linux", {"POETRY_CONFIG_DIR": "/x"}, "/x/config.toml"),
        ("pixi", "linux", {"PIXI_HOME": "/x"}, "/x/config.toml"),
        ("twine", "linux", {}, ".pypirc"),
    ],
)
def test_places_of_the_others(tmp_path: Path, tool: str, platform: str, environ: dict[str, str], expected: str) -> None:
    """Each tool's own rules."""
    assert places(tool, {"HOME": str(tmp_path), **environ}, platform)[0].path == tmp_path / expected


def test_no_site_without_an_environment() -> None:
    """It says what to do instead."""
    with pytest.raises(NotEditable) as refused:
        pip_place({"HOME": "/h"}, "linux", "site")
    assert "--scope" in refused.value.hint


def test_all_wires_what_is_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is pip always, the others by their program or their configuration; one that is refused stops none."""
    monkeypatch.setenv("PATH", str(desk.home))
    desk.put("pdm", "[pypi\n")
    desk.put("pixi", "")
    assert desk.run("wire", "all") == 4
    assert "uv, poetry, twine" in desk.err
    assert desk.run("wire", "--status", "--json") == 0
    states = {row["tool"]: row["state"] for row in json.loads(desk.out)["tools"]}
    expected = {
        "pip": "wired",
        "uv": "unwired",
        "pdm": "broken",
        "poetry": "unwired",
        "twine": "unwired",
        "pixi": "wired",
    }
    assert states == expected
    assert desk.run("unwire", "all") == 0
    assert list(desk.files()) == [".config/pdm/config.toml", ".pixi/config.toml"]


# -- what shadows it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "environ", "where", "beats"),
    [
        ("pip", {"PIP_INDEX_URL": "https://a.example/"}, "PIP_INDEX_URL", True),
        ("pip", {"PIP_NO_INDEX": "1"}, "PIP_NO_INDEX", True),
        ("pip", {"PIP_EXTRA_INDEX_URL": "https://a.example/"}, "PIP_EXTRA_INDEX_URL", False),
        ("pip", {"PIP_FIND_LINKS": "/x"}, "PIP_FIND_LINKS", False),
        ("pip", {"PIP_CONFIG_FILE": "/dev/null"}, "PIP_CONFIG_FILE", True),
        ("pip", {"PIP_ISOLATED": "1"}, "PIP_ISOLATED", True),
        ("pip", {"http_proxy": "http://p.example:3128"}, "http_proxy", True),
        ("pip", {"ALL_PROXY": "http://p.example:3128", "no_proxy": "localhost"}, "ALL_PROXY", True),
        ("uv", {"HTTP_PROXY": "http://p.example:3128"}, "HTTP_PROXY", True),
        ("uv", {"UV_DEFAULT_INDEX": "https://a.example/"}, "UV_DEFAULT_INDEX", True),
        ("uv", {"UV_INDEX_URL": "https://a.example/"}, "UV_INDEX_URL", True),
        ("uv", {"UV_INDEX": "https://a.example/"}, "UV_INDEX", False),
        ("uv", {"UV_NO_CONFIG": "1"}, "UV_NO_CONFIG", True),
        ("pdm", {"PDM_PYPI_URL": "https://a.example/"}, "PDM_PYPI_URL", True),
        ("twine", {"TWINE_PASSWORD": "s3cret"}, "TWINE_PASSWORD", True),
    ],
)
def test_variables_that_shadow(desk: Desk, tool: str, environ: dict[str, str], where: str, beats: bool) -> None:
    """Each is named; nothing secret is."""
    path = desk.put(tool, "")
    machine = {"HOME": str(desk.home), "XDG_CONFIG_DIRS": str(desk.home / "etc")}
    assert _of_machine(tool, path, machine) == []
    found = [
        one for one in find_shadows(tool, path, URL, {**machine, **environ}, "linux") if one.where != "/etc/pip.conf"
    ]
    assert [(one.where, one.beats) for one in found] == [(where, beats)]
    assert "s3cret" not in found[0].what


def _of_machine(tool: str, path: Path, environ: dict[str, str]) -> list[str]:
    return [one.where for one in find_shadows(tool, path, URL, environ, "linux") if one.where != "/etc/pip.conf"]


@pytest.mark.parametrize(
    "environ",
    [
        {"PIP_INDEX_URL": URL},
        {"PIP_NO_INDEX": "0"},
        {"PIP_INDEX_URL": ""},
        {"http_proxy": "http://p.example", "no_proxy": "127.0.0.1,localhost"},
        {"http_proxy": "http://p.example", "no_proxy": "127.0.0.0/8"},
        {"http_proxy": "http://p.example", "NO_PROXY": "*"},
        {"https_proxy": "http://p.example"},
    ],
)
def test_variables_that_do_not(desk: Desk, environ: dict[str, str]) -> None:
    """The same URL, an exception for us, a proxy for https."""
    path = desk.put("pip", "")
    assert _of_machine("pip", path, {"HOME": str(desk.home), "XDG_CONFIG_DIRS": "/nowhere", **environ}) == []


@pytest.mark.parametrize(
    ("file", "text", "said", "beats"),
    [
        ("user", "[install]\nindex-url = https://me:pw@a.example/\n", "wins for pip install", True),
        ("user", "[download]\nindex-url = https://a.example/\n", "wins for pip download", True),
        ("user", "[DEFAULT]\nindex-url = https://a.example/\n[install]\ntimeout = 1\n", "wins for pip install", True),
        ("user", "[global]\nno-index = yes\n", "no index at all", True),
        ("user", "[global]\nextra-index-url = https://a.example/\n", "greatest version", False),
        ("user", "[global]\nproxy = http://p.example:1\n", "proxy", True),
        ("legacy", "[global]\nno-index = true\n", "legacy", True),
        ("legacy", "[global]\nextra-index-url = https://a.example/\n", "legacy", False),
        ("legacy", "[global\n", "every pip command fails", True),
        ("site", "[global]\nindex-url = https://a.example/\n", "read later and wins", True),
        ("named", "[global]\ntimeout = 1\n", "not the user's", True),
        ("named", "[global]\nindex-url = https://a.example/\n", "not the user's", True),
    ],
)
def test_files_that_shadow(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, file: str, text: str, said: str, beats: bool
) -> None:
    """Found in pip's own order, said by wire-pip itself, with the file's name."""
    wired, site = desk.place("pip"), desk.home / "venv/pip.conf"
    path = {"user": wired, "legacy": desk.home / ".pip/pip.conf", "site": site, "named": desk.home / "p.conf"}[file]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if file == "site":
        monkeypatch.setenv("VIRTUAL_ENV", str(site.parent))
    if file == "named":
        monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    assert desk.run("wire-pip", "--json") == 0
    shadows = [one for one in json.loads(desk.out)["tools"][0]["shadows"] if one["where"] != "/etc/pip.conf"]
    found = [one for one in shadows if said in one["what"]]
    assert found
    assert found[0]["beats"] is beats
    assert said in desk.err
    assert "pw" not in desk.err.replace("***", "")


# -- with everything broken -----------------------------------------------------------------------------------------


def test_unwiring_works_with_everything_broken(desk: Desk) -> None:
    """Settings, database and the daemon's signpost are rubbish; and none of their libraries is loaded."""
    desk.put("pip", "[global]\ntimeout = 1\n")
    before = desk.files()
    assert desk.run("wire-pip") == 0
    home = desk.home / ".localpi"
    for name in ("config/config.toml", "data/localpi.sqlite", "data/owner.secret", "runtime/daemon.json"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"\x00[[rubbish\xff")
    (home / "data/wiring/0000.json").write_text("{")
    script = (
        "import sys\nfrom localpi.__main__ import main\ncode = main(['unwire-pip'])\n"
        "heavy = {'sqlite3', 'flask', 'requests', 'textual', 'keyring', 'tomlkit', 'psutil', 'waitress'}\n"
        "loaded = heavy & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded - {'tomlkit'} else code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert desk.files() == before


def test_a_record_that_cannot_be_read_does_not_hold_up_unwiring(desk: Desk) -> None:
    """The line goes, as when there is no record at all."""
    path = desk.put("pip", "[global]\ntimeout = 1\n")
    desk.run("wire-pip")
    for record in (desk.home / ".localpi/data/wiring").iterdir():
        record.write_bytes(b"\x00{")
    assert desk.run("unwire-pip") == 0
    assert path.read_text() == "[global]\ntimeout = 1\n"


@pytest.mark.parametrize(
    ("token", "expected"), [("lp1_ab12_x_y_z", "ab12"), ("lp1_ab12_xyz", "ab12"), ("ab12", "ab12")]
)
def test_a_tokens_id(token: str, expected: str) -> None:
    """Its secret may have underscores."""
    assert expected == _id_of(token)


def test_wiring_with_broken_settings_is_refused(desk: Desk) -> None:
    """Where the daemon listens cannot be known then."""
    config = desk.home / ".localpi/config/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("port = [")
    assert desk.run("wire-pip") == 2
    assert desk.files() == {}


def test_records_are_their_owners_alone(desk: Desk) -> None:
    """A pip.conf may have a password in it, and so have the bytes from before."""
    desk.put("pip", "[global]\nindex-url = https://me:s3cret@a.corp.example/simple\n")
    assert desk.run("wire-pip") == 0
    assert "s3cret" not in desk.err
    folder = desk.home / ".localpi/data/wiring"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


def test_a_crash_between_record_and_file_does_no_harm(desk: Desk) -> None:
    """The record is there, the file is not changed: undoing finds nothing to do."""
    path = desk.put("pip", "[global]\ntimeout = 1\n")
    before = desk.files()
    desk.run("wire-pip")
    path.write_bytes(b"[global]\ntimeout = 1\n")
    assert desk.run("unwire-pip") == 0
    assert "nothing to undo" in desk.err
    assert desk.files() == before


def test_a_failed_write_leaves_everything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full: old bytes, old record, no file beside it."""
    desk.put("pip", "[global]\ntimeout = 1\n")
    before = desk.files()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    real = os.fsync
    calls = []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:  # the record, its folder, then the file itself
            full(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert desk.run("wire-pip") == 4
    monkeypatch.undo()
    assert desk.files() == before
    assert not list((desk.home / ".localpi/data").glob("wiring/*"))
