"""What the stories of `devpi_stories` upload, build, test and install."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

from made.wheels import make_sdist, make_wheel

BACKEND = '''
"""A build backend that needs nothing from any index."""

import base64
import gzip
import hashlib
import io
import pathlib
import tarfile
import tomllib
import zipfile

HERE = pathlib.Path(__file__).parent
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
NAME, VERSION = PROJECT["name"], PROJECT["version"]
METADATA = f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\nSummary: built here\\n"
INFO = f"{NAME}-{VERSION}.dist-info"


def build_wheel(folder, config_settings=None, metadata_directory=None, **members):
    members = {f"{NAME}.py": f"version = '{VERSION}'\\n", **members}
    return _write(folder, members)


def build_editable(folder, config_settings=None, metadata_directory=None):
    return _write(folder, {f"{NAME}.pth": f"{HERE}\\n"})


def _write(folder, members):
    wheel = "Wheel-Version: 1.0\\nGenerator: made\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    members = {**members, f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": wheel}
    record = "".join(f"{path},{_hash(text)},{len(text)}\\n" for path, text in members.items())
    filename = f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / filename, "w") as archive:
        for path, text in {**members, f"{INFO}/RECORD": record + f"{INFO}/RECORD,,\\n"}.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 2, 3, 4, 6)), text)
    return filename


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def build_sdist(folder, config_settings=None):
    filename = f"{NAME}-{VERSION}.tar.gz"
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, data in {"PKG-INFO": METADATA.encode(), **_sources()}.items():
            member = tarfile.TarInfo(f"{NAME}-{VERSION}/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (pathlib.Path(folder) / filename).write_bytes(gzip.compress(raw.getvalue(), mtime=0))
    return filename


def _sources():
    return {path: (HERE / path).read_bytes() for path in ("backend.py", "pyproject.toml")}
'''
TOX = """[tox]
env_list = py

[testenv]
commands = python -c "{command}"

[testenv:other]
skip_install = true
commands = python -c "print('other')"
"""
CONF_PY = 'project = "built"\nextensions = []\nhtml_theme = "alabaster"\n'
PYPIRC = """[distutils]
index-servers =
    other
    registering
    wrong

[other]
repository: {other}/root/one/
username: root
password: {token}

[registering]
repository: {other}/root/two/
username: root
password: {token}

[wrong]
repository: {other}/root/one/
username: root
password: wrong
"""


def make_files(folder: Path) -> None:
    """Write everything; a fresh folder for each server, as building changes it."""
    (folder / "other").mkdir(parents=True)
    (folder / "many" / "below").mkdir(parents=True)
    made = (make_wheel("hello-pkg", "1.0"), make_sdist("hello-pkg", "1.0"), make_wheel("hello-pkg", "1.1"))
    for name, data in made:
        (folder / name).write_bytes(data)
        (folder / "many" / "below" / name).write_bytes(data)
    other = make_wheel("hello-pkg", "1.0", extra={"hello_pkg/more.py": b"more = 1\n"})
    (folder / "other" / other[0]).write_bytes(other[1])
    _write_docs(folder / "hello_pkg-1.0.doc.zip")
    _write_docs(folder / "many" / "hello_pkg-1.1.doc.zip")
    _make_project(folder / "project", "built")
    _make_tested(folder)
    (folder / "other.ini").write_text("[testenv]\nskip_install = true\ncommands = python --version\n")
    (folder / "third.json").write_text('{"title": "The third", "volatile": "False"}')
    (folder / "requirements.txt").write_text("hello-pkg==1.0\n")
    (folder / "cert.pem").write_text("none\n")


def _write_docs(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.html"), "<h1>docs</h1>")


def _pyproject(name: str) -> str:
    return (
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n\n'
        f'[project]\nname = "{name}"\nversion = "1.0"\n'
    )


def _make_project(folder: Path, name: str) -> None:
    """Make a project under git, with documentation for Sphinx."""
    (folder / "docs").mkdir(parents=True)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(_pyproject(name))
    (folder / "docs" / "conf.py").write_text(CONF_PY)
    (folder / "docs" / "index.rst").write_text("Built\n=====\n\nIt was.\n")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run([*git, *command], cwd=folder, check=True)


def _make_tested(folder: Path) -> None:
    """Make releases whose sdists hold a tox.ini: one passes, one fails."""
    for name, command in (("tested", "import tested"), ("broken", "raise SystemExit('it is broken')")):
        extra = {
            "backend.py": BACKEND.encode(),
            "pyproject.toml": _pyproject(name).encode(),
            "tox.ini": TOX.replace("{command}", command).encode(),
        }
        sdist, data = make_sdist(name, "1.0", extra=extra)
        (folder / sdist).write_bytes(data)
    wheel, data = make_wheel("tested", "1.0", tag="py2.py3-none-any")
    (folder / wheel).write_bytes(data)
