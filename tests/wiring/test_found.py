from __future__ import annotations

from pathlib import Path

import pytest

from localpi.wiring.found import FoundIndex, is_ours, pip_index
from localpi.wiring.pip_files import PipFile, pip_files


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine with nothing in it: system folders are below the test's own."""
    return {"HOME": str(tmp_path / "home"), "XDG_CONFIG_DIRS": str(tmp_path / "etc")}


def test_places_are_pips_in_pips_order(tmp_path: Path, environ: dict[str, str]) -> None:
    """Global, legacy user, user, site, named; the later wins."""
    environ |= {"VIRTUAL_ENV": str(tmp_path / "venv"), "PIP_CONFIG_FILE": str(tmp_path / "named")}
    home = tmp_path / "home"
    assert pip_files(environ, "linux") == (
        PipFile("global", tmp_path / "etc/pip/pip.conf"),
        PipFile("global", Path("/etc/pip.conf")),
        PipFile("user", home / ".pip/pip.conf"),
        PipFile("user", home / ".config/pip/pip.conf"),
        PipFile("site", tmp_path / "venv/pip.conf"),
        PipFile("named", tmp_path / "named"),
    )


def test_a_named_file_replaces_the_users(tmp_path: Path, environ: dict[str, str]) -> None:
    """PIP_CONFIG_FILE of an existing file: the user's files are not read; of the null device: none is."""
    named = put(tmp_path / "named", "")
    scopes = [file.scope for file in pip_files({**environ, "PIP_CONFIG_FILE": str(named)}, "linux")]
    assert scopes == ["global", "global", "named"]
    assert pip_files({**environ, "PIP_CONFIG_FILE": "/dev/null"}, "linux") == ()


def test_on_macos_the_library_folder_counts_only_when_it_is_there(tmp_path: Path, environ: dict[str, str]) -> None:
    """Creating it would make ~/.config/pip/pip.conf dead, so it is never created; XDG_CONFIG_HOME is not asked."""
    environ["XDG_CONFIG_HOME"] = str(tmp_path / "elsewhere")
    home = tmp_path / "home"
    assert pip_files(environ, "darwin")[-1].path == home / ".config/pip/pip.conf"
    (home / "Library/Application Support/pip").mkdir(parents=True)
    assert pip_files(environ, "darwin")[-1].path == home / "Library/Application Support/pip/pip.conf"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[global]\nindex-url = https://a.example/simple\n", "https://a.example/simple"),
        ("[global]\nIndex_URL: https://a.example/simple\n", "https://a.example/simple"),
        ("[install]\nindex-url=https://i.example/\n[global]\nindex-url=https://g.example/\n", "https://i.example/"),
        ("[global]\nindex-url = https://a.example/100%/simple\n", "https://a.example/100%/simple"),
        ("# index-url = https://no.example/\n[global]\nindex-url =\n", None),
        ("[download]\nindex-url = https://no.example/\n", None),
        ("index-url = https://no.example/\n", None),
        ("\ufeff[global]\nindex-url = https://no.example/\n", None),
        ("[global]\nindex-url = /srv/simple\n", None),
        ("[global]\nindex-url = https://a\n    https://b\n", None),
    ],
)
def test_the_users_file_is_read_as_pip_reads_it(environ: dict[str, str], text: str, expected: str | None) -> None:
    """Sections, spelling and what pip itself could not read."""
    of_machine = pip_index(environ, "linux")  # what /etc/pip.conf says here
    file = put(Path(environ["HOME"]) / ".config/pip/pip.conf", text)
    assert (FoundIndex(expected, str(file)) if expected else of_machine) == pip_index(environ, "linux")


def test_the_variable_beats_every_file(environ: dict[str, str]) -> None:
    """An empty one is not set."""
    put(Path(environ["HOME"]) / ".pip/pip.conf", "[global]\nindex-url = https://f.example/simple\n")
    by_file, by_variable = (
        pip_index({**environ, "PIP_INDEX_URL": value}, "linux") for value in ("", "https://v.example/simple")
    )
    assert by_file
    assert by_file.url == "https://f.example/simple"
    assert FoundIndex("https://v.example/simple", "PIP_INDEX_URL") == by_variable


def test_what_is_shown_has_no_password() -> None:
    """The URL is kept whole for the mirror, and shown without its userinfo."""
    found = FoundIndex("https://me:secret@a.example/simple", "x")
    assert found.shown == "https://a.example/simple"
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:3141/root/local/+simple/", True),
        ("http://localhost:3141/x", True),
        ("http://[::1]:3141/x", True),
        ("http://host.docker.internal:3141/x", True),
        ("http://127.0.0.1:3142/x", False),
        ("http://nexus.example:3141/x", False),
        ("http://h:port/x", False),
    ],
)
def test_the_daemon_recognises_itself(url: str, expected: bool) -> None:
    """A base that is localpi itself would ask itself for ever."""
    assert expected is is_ours(url, "http://127.0.0.1:3141")
