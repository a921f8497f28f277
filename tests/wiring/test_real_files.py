"""Files as people have them: wired and taken back to the byte, or refused and untouched."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from wiring.desk import PUBLISH_URL, URL, Desk

LATIN = "# gemäß Hausordnung\n[global]\ntimeout = 9\n".encode("latin-1")
DEVPI_PIP = (
    "[global]\nindex_url = http://devpi.corp.example:3141/me/dev/+simple/\ntrusted-host = devpi.corp.example\n"
    "[search]\nindex = http://devpi.corp.example:3141/me/dev/\n"
)

WIRED: dict[str, dict[str, str | bytes]] = {
    "pip": {
        "empty": "",
        "one-empty-line": "\n",
        "blanks-alone": "  \n\t\n",
        "comment-alone": "# nothing set here\n",
        "comment-without-end": "# nothing set here",
        "global-alone": "[global]\n",
        "global-without-end": "[global]",
        "timeout": "[global]\ntimeout = 60\n",
        "no-last-line-end": "[global]\ntimeout = 60",
        "pypi": "[global]\nindex-url = https://pypi.example/simple\n",
        "intranet": "[global]\nindex-url = https://nexus.corp.example/repository/pypi/simple/\ntimeout=10\n",
        "credentials": "[global]\nindex-url = https://me:s3cr%25t@nexus.corp.example/simple\n",
        "underscore": "[global]\nindex_url = https://nexus.corp.example/simple\n",
        "capitals": "[global]\nIndex-URL = https://nexus.corp.example/simple\n",
        "dashes": "[global]\n--index-url = https://nexus.corp.example/simple\n",
        "colon": "[global]\nindex-url: https://nexus.corp.example/simple\n",
        "colon-spaced": "[global]\nindex-url  :   https://nexus.corp.example/simple   \n",
        "tight": "[global]\nindex-url=https://nexus.corp.example/simple\ntimeout=5\n",
        "tabs": "[global]\nindex-url\t=\thttps://nexus.corp.example/simple\ntimeout\t=\t5\n",
        "indented-keys": "[global]\n    timeout = 60\n    index-url = https://a.corp.example/simple\n    retries = 2\n",
        "indented-without-ours": "[global]\n    timeout = 60\n    retries = 2\n\n",
        "value-on-next-line": "[global]\nindex-url =\n    https://nexus.corp.example/simple\n",
        "two-values": "[global]\nindex-url =\n    https://a.corp.example/simple\n    https://b.corp.example/simple\n",
        "value-with-comment-inside": "[global]\nindex-url =\n# the old one\n    https://a.corp.example/simple\n",
        "empty-value": "[global]\nindex-url =\ntimeout = 3\n",
        "inline-comment-is-value": "[global]\nindex-url = https://a.corp.example/simple # mirror\n",
        "percent": "[global]\nproxy = http://u:p%40ss@proxy.corp.example:3128\nfoo = %(bar)s\n",
        "comments-everywhere": (
            "; managed by hand\n\n# top\n[global]\n# before\ntimeout = 60\n; between\n\nretries = 2\n# tail\n\n"
            "# about install\n[install]\nno-compile = true\n# the end\n"
        ),
        "commented-out": "[global]\n# index-url = https://old.corp.example/simple\ntimeout = 1\n",
        "crlf": "[global]\r\ntimeout = 60\r\n\r\n[install]\r\nno-compile = true\r\n",
        "crlf-replaced": "; windows\r\n[global]\r\nindex-url = https://a.corp.example/simple\r\ntimeout = 60\r\n",
        "crlf-without-global": "[install]\r\nno-compile = true\r\n",
        "crlf-no-last-end": "[global]\r\ntimeout = 60",
        "mixed-ends": "[global]\r\ntimeout = 60\nretries = 2\r\n",
        "many-empty-lines": "\n\n\n[global]\n\n\ntimeout = 60\n\n\n\n[list]\nformat = columns\n\n\n",
        "blank-with-spaces": "[global]\ntimeout = 60\n   \n\t\n[list]\nformat = columns\n",
        "other-sections": "[install]\nno-compile = true\n[freeze]\ntimeout = 10\n[my-own-tool]\nkey = value\n",
        "global-last": "[list]\nformat = columns\n\n[global]\ntimeout = 60\n",
        "global-with-comment-behind": "[global] # everything\ntimeout = 60\n",
        "capital-section": "[Global]\nindex-url = https://a.corp.example/simple\n",
        "defaults-section": "[DEFAULT]\ntimeout = 60\n\n[global]\nretries = 3\n",
        "find-links-list": "[global]\nfind-links =\n    /srv/wheels\n    https://a.corp.example/links\n\n    /more\n",
        "continuation-tab": "[global]\ntrusted-host =\n\ta.corp.example\n\tb.corp.example\ntimeout = 4\n",
        "continuation-comment": "[global]\nfind-links =\n    /a\n    # not this\n    /b\ntimeout = 4\n",
        "indented-comments": "  # top\n[global]\n    # first\n  timeout = 60\n    ; of timeout\n  # last\n",
        "comment-under-ours": "[global]\nindex-url = https://a.corp.example/simple\n    # why\ntimeout = 60\n",
        "extra-index": "[global]\nextra-index-url = https://a.corp.example/simple\n",
        "no-index": "[global]\nno-index = true\nfind-links = /srv/wheels\n",
        "install-index": "[install]\nindex-url = https://a.corp.example/simple\n",
        "unicode": "# für Änderungen: Zoë fragen 🐍\n[global]\ncert = /home/zoë/ca.pem\n",
        "unusual-space": "# a\u00a0b\u2028c\n[global]\ntimeout = 60\n",
        "form-feed": "# page one\n\f\n[global]\ntimeout = 60\n",
        "ansible": "# Ansible managed\n\n[global]\nindex = https://a.corp.example/pypi\ntimeout = 15\n",
        "long": "[global]\n" + "".join(f"# line {n}\nkey-{n} = {n}\n" for n in range(500)),
        "ours-by-hand": f"# I did this\n[global]\nindex-url = {URL}\n",
        "brackets-in-value": "[global]\nfoo = [bar]\n[list]\nformat = [columns]\n",
        "equals-in-value": "[global]\nproxy = http://p/?a=b&c=d:e\n",
    },
    "twine": {
        "pypirc-empty": "",
        "pypirc-usual": (
            "[distutils]\nindex-servers =\n    pypi\n    testpypi\n\n[pypi]\nusername = __token__\n"
            "password = pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw%\n\n[testpypi]\nusername = me\npassword = x\n"
        ),
        "pypirc-one-line": "[distutils]\nindex-servers = pypi corp\n\n[corp]\nrepository: https://c/\nusername: a\n",
        "pypirc-tabs": "[distutils]\nindex-servers =\n\tpypi\n\tcorp\n[corp]\nrepository = https://c.example/\n",
        "pypirc-first-on-the-line": "[distutils]\nindex-servers = pypi\n                corp\n[corp]\nusername = a\n",
        "pypirc-no-list": "[pypi]\nusername = __token__\npassword = pypi-xyz\n",
        "pypirc-old-login": "[server-login]\nusername = me\npassword = old\n",
        "pypirc-crlf": "[distutils]\r\nindex-servers =\r\n    pypi\r\n\r\n[pypi]\r\nusername = me\r\n",
        "pypirc-comments": "# see the safe\n[distutils]\n; all\nindex-servers =\n    pypi\n    # corp\n    o\n\n# x\n",
        "pypirc-has-ours": (
            "[distutils]\nindex-servers =\n    localpi\n[localpi]\nrepository = http://127.0.0.1:9/x/\nusername = me\n"
        ),
        "pypirc-list-without-end": "[distutils]\nindex-servers =\n    pypi",
        "pypirc-empty-list": "[distutils]\nindex-servers =\n\n[pypi]\nusername = me\n",
    },
    "uv": {
        "uv-empty": "",
        "uv-comment": "# nothing\n",
        "uv-other": 'python-preference = "only-managed"   # mine\n\n# cache\ncache-dir = "/var/uv"\n',
        "uv-pip": "[pip]\n# how\nsystem = true\n\n# tail\n",
        "uv-pip-url": "[pip]\nindex-url = 'https://a.corp.example/simple' # ours\nsystem = true\n",
        "uv-pip-crlf": '[pip]\r\nindex-url = "https://a.corp.example/simple"\r\n\r\n[other-thing]\r\n',
        "uv-dotted": 'pip.index-url = "https://a.corp.example/simple"\npip.system = true\n',
        "uv-inline": 'pip = { system = true, index-url = "https://a.corp.example/simple" }\n',
        "uv-indexes": '[[index]]\nname = "corp"\nurl = "https://a.example/"\n\n[[index]]\nurl = "https://b.example/"\n',
        "uv-no-end": "offline = false\n[pip]\nsystem = true",
        "uv-tabs": '[pip]\n\tsystem\t=\ttrue\n\tindex-url\t=\t"https://a.example/s"\n',
        "uv-multiline": 'x = """\n[pip]\nindex-url = "no"\n"""\n[pip]\nsystem = true\n',
        "uv-spaced-header": "[ pip ]  # all\nsystem = true\n",
    },
    "pdm": {
        "pdm-empty": "",
        "pdm-usual": '[install]\ncache = true\n\n[pypi]\nurl = "https://a.example/simple"\nverify_ssl = true\n',
        "pdm-extra": '[pypi.extra]\nurl = "https://b.example/simple"\n',
        "pdm-crlf": "check_update = false\r\n[pypi]\r\nverify_ssl = false\r\n",
        "pdm-repository": '[repository.corp]\nurl = "https://c.example"\nusername = "u"\npassword = "p"\n',
    },
    "poetry": {
        "poetry-empty": "",
        "poetry-usual": "[virtualenvs]\nin-project = true\n\n[repositories.corp]\nurl = 'https://c.example/'\n",
        "poetry-inline": 'virtualenvs.in-project = true\n[repositories]\ncorp = {url = "https://c.example/"}\n',
    },
    "pixi": {
        "pixi-empty": "",
        "pixi-usual": '# pixi\ndefault-channels = ["conda-forge"]\n\n[pypi-config]\nextra-index-urls = []\n',
        "pixi-keyring": '[pypi-config]\nindex-url = "https://a.example/simple"\nkeyring-provider = "subprocess"\n',
    },
}  # fmt: skip

REFUSED: dict[str, dict[str, str | bytes]] = {
    "pip": {
        "bom": "\ufeff[global]\ntimeout = 60\n",
        "latin-1": LATIN,
        "utf-16": "[global]\ntimeout = 60\n".encode("utf-16"),
        "nul": b"[global]\n\0timeout = 60\n",
        "duplicate-key": "[global]\ntimeout = 60\ntimeout = 61\n",
        "duplicate-by-spelling": "[global]\nindex_url = https://a.example/\nindex-url = https://b.example/\n",
        "duplicate-section": "[global]\ntimeout = 60\n[list]\nformat = columns\n[global]\nretries = 1\n",
        "no-section": "timeout = 60\n",
        "no-section-then-one": "timeout = 60\n[global]\nretries = 2\n",
        "no-value": "[global]\nno-index\ntimeout = 60\n",
        "open-bracket": "[global\ntimeout = 60\n",
        "old-mac": "[global]\rtimeout = 60\r",
        "merge-conflict": "[global]\n<<<<<<< HEAD\ntimeout = 60\n=======\ntimeout = 61\n>>>>>>> other\n",
        "json": '{"global": {"timeout": 60}}\n',
        "huge": b"#" * 1_000_001,
        "devpi-made": DEVPI_PIP,
        "devpi-hand-made": "[global]\nindex-url = https://devpi.corp.example/root/pypi/+simple/\n",
    },
    "twine": {
        "pypirc-bom": "\ufeff[pypi]\nusername = me\n",
        "pypirc-duplicate": "[pypi]\nusername = me\nusername = you\n",
        "pypirc-no-value": "[pypi]\nusername\n",
    },
    "uv": {
        "uv-bom": "\ufeffoffline = true\n",
        "uv-broken": "[pip\nsystem = true\n",
        "uv-duplicate": "[pip]\nsystem = true\nsystem = false\n",
        "uv-two-tables": "[pip]\nsystem = true\n[pip]\nindex-url = 'x'\n",
        "uv-python": "pip = True\n",
        "uv-pip-is-a-list": "[[pip]]\nsystem = true\n",
        "uv-pip-is-a-text": 'pip = "x"\n',
        "uv-devpi": 'index-url = "http://devpi.corp.example/me/dev/+simple/"\n',
        "uv-devpi-pip": '[pip]\nindex-url = "http://devpi.corp.example/me/dev/+simple/"\n',
        "uv-latin-1": "# ä\n".encode("latin-1"),
    },
    "pdm": {"pdm-broken": "[pypi]\nurl = https://a.example/\n", "pdm-pypi-is-a-text": 'pypi = "x"\n'},
    "poetry": {"poetry-broken": "repositories = {\n", "poetry-localpi-is-a-text": '[repositories]\nlocalpi = "x"\n'},
    "pixi": {"pixi-broken": "default-channels = [\n"},
}  # fmt: skip


def cases(table: dict[str, dict[str, str | bytes]]) -> list[Any]:
    return [
        pytest.param(tool, data.encode() if isinstance(data, str) else data, id=name)
        for tool, files in table.items()
        for name, data in files.items()
    ]


def read_back(desk: Desk, tool: str) -> Any:
    """What the tool's own parser finds where it looks for the index."""
    path = desk.place(tool)
    if tool in {"pip", "twine"}:
        parser = configparser.RawConfigParser()
        parser.optionxform = lambda key: key.lower().replace("_", "-").removeprefix("--")  # type: ignore[assignment]
        parser.read(path, "utf-8")
        return parser.get(*{"pip": ("global", "index-url"), "twine": ("localpi", "repository")}[tool])
    found = tomllib.loads(path.read_bytes().decode())
    for key in {
        "uv": ("pip", "index-url"),
        "pdm": ("pypi", "url"),
        "poetry": ("repositories", "localpi", "url"),
        "pixi": ("pypi-config", "index-url"),
    }[tool]:
        found = found[key]
    return found


def comments(data: bytes) -> list[bytes]:
    return [line.strip() for line in data.splitlines() if line.strip()[:1] in {b"#", b";"}]


@pytest.mark.parametrize(("tool", "data"), cases(WIRED))
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664], ids=oct)
def test_wired_and_back_to_the_byte(desk: Desk, tool: str, data: bytes, mode: int) -> None:
    """The tool reads our URL, comments and line ends stay, and undoing leaves bytes, mode and folder as they were."""
    path = desk.put(tool, data, mode)
    before = desk.files()
    assert desk.run("wire", tool) == 0, desk.err
    wanted = PUBLISH_URL if tool in {"twine", "poetry"} else URL
    assert read_back(desk, tool) == wanted
    now = path.read_bytes()
    assert path.stat().st_mode & 0o777 == mode
    assert comments(now) == comments(data)
    if b"\r\n" in data and data.count(b"\n") == data.count(b"\r\n"):
        assert now.count(b"\n") == now.count(b"\r\n")
    assert set(desk.files()) == set(before)
    again = desk.run("wire", tool)
    assert (again, path.read_bytes()) == (0, now)
    assert desk.run("unwire", tool) == 0, desk.err
    assert desk.files() == before
    assert not (desk.home / ".localpi/data/wiring").exists()


@pytest.mark.parametrize(("tool", "data"), cases(REFUSED))
def test_refused_and_untouched(desk: Desk, tool: str, data: bytes) -> None:
    """What cannot be read, or is somebody else's, stays; the file and the reason are named."""
    path = desk.put(tool, data)
    before, changed = desk.files(), path.stat().st_mtime_ns
    assert desk.run("wire", tool) == 4
    assert str(path) in desk.err
    assert desk.files() == before
    assert path.stat().st_mtime_ns == changed
    assert not (desk.home / ".localpi/data/wiring").exists()
    assert desk.run("unwire", tool) in {0, 4}
    assert desk.files() == before


@pytest.mark.parametrize(("tool", "data"), cases(WIRED))
def test_later_edits_stay(desk: Desk, tool: str, data: bytes) -> None:
    """After an edit of the user's own only our lines go, and that is said."""
    path = desk.put(tool, data)
    assert desk.run("wire", tool) == 0
    if path.read_bytes() == data:
        pytest.skip("nothing had to be changed")
    end = b"\r\n" if b"\r\n" in data else b"\n"
    top, tail = b"# mine" + end, end + b"[mine]" + end + b"x = 1" + end
    path.write_bytes(top + path.read_bytes() + tail)
    assert desk.run("unwire", tool) == 0, desk.err
    assert "edited since" in desk.err
    found = path.read_bytes()
    assert found.startswith(top)
    assert found.endswith(tail)
    middle = found[len(top) : -len(tail)]
    # Where the last line had no end it has one now: without it our section could not have followed.
    assert middle in {data, data + end}


def test_the_table_is_long_enough() -> None:
    """At least 60 files."""
    assert sum(len(files) for table in (WIRED, REFUSED) for files in table.values()) >= 100


def test_pip_reads_every_wired_file(desk: Desk, tmp_path: Path) -> None:
    """One process of pip's own code: each file's index-url is ours, everything else is what it was."""
    script = (
        "import json, os, sys\n"
        "from pip._internal.configuration import Configuration\n"
        "found = {}\n"
        "for path in sys.argv[1:]:\n"
        "    os.environ['PIP_CONFIG_FILE'] = path\n"
        "    configuration = Configuration(isolated=False)\n"
        "    configuration.load()\n"
        "    values = dict(configuration._dictionary)\n"
        "    if any(isinstance(value, dict) for value in values.values()):\n"
        "        values = {k: v for inner in values.values() for k, v in inner.items()}\n"
        "    found[path] = {key: value for key, value in values.items() if not key.startswith(':env:')}\n"
        "print(json.dumps(found))\n"
    )

    def ask(paths: list[Path]) -> dict[str, dict[str, str]]:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, paths)],
            env=environ | {"PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, dict[str, str]] = json.loads(done.stdout)
        return found

    before, after = [], []
    for name, data in WIRED["pip"].items():
        old = tmp_path / f"{name}.before"
        old.write_bytes(data.encode() if isinstance(data, str) else data)
        desk.put("pip", old.read_bytes())
        assert desk.run("wire-pip") == 0
        new = tmp_path / f"{name}.after"
        new.write_bytes(desk.place("pip").read_bytes())
        assert desk.run("unwire-pip") == 0
        before.append(old)
        after.append(new)
    was, now = ask(before), ask(after)
    for old, new in zip(before, after, strict=True):
        assert now[str(new)] == {**was[str(old)], "global.index-url": URL}, old.name
