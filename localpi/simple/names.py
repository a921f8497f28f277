"""Project names, file names and digests: each is checked in one function here, and only there.

Essential reading: PEP 503 (normalised names), PEP 427 (wheel names), PEP 625 (sdist names). Two normalisers in one
program are a way around every rule that goes by name, so this is the only one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NewType

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from localpi.errors import InvalidName

if TYPE_CHECKING:
    from collections.abc import Callable

ProjectName = NewType("ProjectName", str)
Filename = NewType("Filename", str)
Sha256 = NewType("Sha256", str)

ARCHIVE_SUFFIXES: Final = (
    ".whl", ".tar.gz", ".zip", ".egg", ".tar.bz2", ".tgz", ".exe", ".msi", ".tar.xz", ".rpm", ".deb", ".dmg",
    ".tbz", ".tar.Z", ".tar", ".bz2",
)  # fmt: skip
"""What indexes have offered as distributions since 2003; a link that ends otherwise is not one."""

_MAX_PROJECT_NAME: Final = 200
_MAX_VERSION: Final = 128
_MAX_CANDIDATES: Final = 16
_PROJECT_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_RUN: Final = re.compile(r"[-_.]+")
_MAX_FILENAME: Final = 251
_FILENAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+!-"
_HEX_BYTES: Final = b"0123456789abcdef"
_VERSION_START: Final = re.compile(r"v?[0-9]")


@dataclass(frozen=True, slots=True)
class ParsedFilename:
    """What the name of a distribution says.

    `version` is normalised (PEP 440), `filetype` is the upload API's word: `bdist_wheel` or `sdist`.
    """

    filename: Filename
    project: ProjectName
    version: str
    filetype: str


def normalize(name: str) -> ProjectName:
    """Give the PEP 503 form of a project name.

    Raises InvalidName when it is not one by the core metadata specification, or longer than 200 characters.
    """
    if len(name) > _MAX_PROJECT_NAME:
        raise InvalidName(name, f"a project name has at most {_MAX_PROJECT_NAME} characters")
    if not _PROJECT_NAME.fullmatch(name):
        raise InvalidName(name, "Names must contain only ASCII letters, digits, underscores, hyphens, and periods")
    return ProjectName(_RUN.sub("-", name).lower())


def check_filename(name: str) -> Filename:
    """Accept a file name whose characters are those of distributions; which kind it is does not matter here.

    No separator, no control character, no leading dot, at most 251 characters. Raises InvalidName.
    """
    if not is_filename(name):
        raise InvalidName(name, "a file name has letters, digits and . _ + ! - only, and begins with one of the first")
    return Filename(name)


def check_sha256(text: str) -> Sha256:
    """Accept 64 lower-case hexadecimal digits. Raises InvalidName."""
    if not is_sha256(text):
        raise InvalidName(text, "a sha256 has 64 lower-case hexadecimal digits")
    return Sha256(text)


def is_filename(text: str) -> bool:
    """The rule of `check_filename`: 0.5 µs, half of what a regular expression takes, for pages of 15,000 files."""
    return (
        text.isascii()
        and text[:1].isalnum()
        and len(text) <= _MAX_FILENAME
        and not text.encode().translate(None, _FILENAME_BYTES)
    )


def is_sha256(text: str) -> bool:
    """The rule of `check_sha256`: 0.5 µs, a third of what a regular expression takes."""
    return len(text) == 64 and text.isascii() and not text.encode().translate(None, _HEX_BYTES)


def parse_filename(name: str) -> ParsedFilename:
    """Take a wheel (`.whl`) or sdist (`.tar.gz`, `.zip`) name apart.

    Raises InvalidName for anything else. `packaging` alone lets `../evil-1.0.tar.gz` and `..-1.0-py3-none-any.whl`
    pass: characters and project name are checked by our own rules around it.
    """
    filename = check_filename(name)
    try:
        if name.endswith(".whl"):
            project, version, _build, _tags = parse_wheel_filename(name)
            filetype = "bdist_wheel"
        else:
            project, version = parse_sdist_filename(name)
            filetype = "sdist"
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise InvalidName(name, "not a valid wheel or sdist name") from error
    if len(str(version)) > _MAX_VERSION:
        raise InvalidName(name, f"a version has at most {_MAX_VERSION} characters")
    return ParsedFilename(filename, normalize(project), str(version), filetype)


def version_key(version: str) -> tuple[bool, Version, str]:
    """Return what sorts versions ascending, those that are none by PEP 440 first."""
    try:
        return True, Version(version), version
    except InvalidVersion:
        return False, Version("0"), version


def project_candidates(filename: str) -> tuple[ProjectName, ...]:
    """Name the projects that a file may belong to, the likeliest first; at most 16, none for a name that is no file's.

    A wheel or an egg names one. An old sdist (`a-b-1.0.tar.gz`, `foo-1.0-1.zip`) or installer
    (`foo-1.0.win32-py2.7.exe`) can be split at each hyphen: a split that leaves a version is the likeliest, the
    rightmost first as `packaging` has it, then one that leaves a digit in front, then the rest.
    """
    stem = _stem(filename)
    if not stem:
        return ()
    if filename.endswith((".whl", ".egg")):
        splits = [stem.partition("-")[::2]]
    else:
        dashes = [at for at, character in enumerate(stem) if character == "-"][:_MAX_CANDIDATES]
        splits = [(stem[:at], stem[at + 1 :]) for at in reversed(dashes)]
        splits.sort(key=lambda split: _likelihood(split[1]), reverse=True)
    found: dict[ProjectName, None] = {}
    for name, version in splits:
        if version and len(name) <= _MAX_PROJECT_NAME and _PROJECT_NAME.fullmatch(name):
            found[normalize(name)] = None
    return tuple(found)


def belonging(project: ProjectName) -> Callable[[str], bool]:
    """Make the test whether a file name is one that a distribution of the project can have.

    As pip has it: what stands before a dash is the name, before the first one in wheels and eggs. How names begin is
    remembered: 0.3 µs for every file of a page but the first few.
    """
    beginnings: dict[str, bool] = {}

    def belongs(filename: str) -> bool:
        first = filename.partition("-")[0]
        if (known := beginnings.get(first)) is None:
            known = beginnings[first] = _RUN.sub("-", first).lower() == project and first != filename
        return known or (not filename.endswith((".whl", ".egg")) and _has_name(filename, project))

    return belongs


def _has_name(filename: str, project: ProjectName) -> bool:
    dashes = (at for at, character in enumerate(filename) if character == "-")
    return any(at >= len(project) and _RUN.sub("-", filename[:at]).lower() == project for at in dashes)


def _stem(filename: str) -> str:
    if is_filename(filename):
        for suffix in ARCHIVE_SUFFIXES:
            if filename.endswith(suffix):
                return filename[: -len(suffix)]
    return ""


def _likelihood(version: str) -> int:
    try:
        Version(version)
    except InvalidVersion:
        return 1 if _VERSION_START.match(version) else 0
    return 2
