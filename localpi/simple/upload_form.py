"""The form of the legacy upload API, as twine, uv, poetry, pdm, hatch, flit and devpi's client send it.

Essential reading: the upload API page of PyPI's documentation, warehouse's forklift/legacy.py, and the core metadata
specification for the fields. The messages are devpi's where devpi has one: its client shows the HTTP reason phrase.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from localpi.errors import InvalidName, InvalidUpload
from localpi.simple.names import check_filename, normalize, parse_filename

if TYPE_CHECKING:
    from localpi.simple.names import Filename, ParsedFilename, ProjectName

Fields = Mapping[str, Sequence[str]]

SINGLE_FIELDS: Final = frozenset({
    "author", "author_email", "comment", "description", "description_content_type", "download_url", "home_page",
    "keywords", "license", "license_expression", "maintainer", "maintainer_email", "metadata_version", "name",
    "requires_python", "summary", "version",
})  # fmt: skip
"""Core metadata fields that have one value."""

MULTIPLE_FIELDS: Final = frozenset({
    "classifiers", "dynamic", "import_names", "import_namespaces", "license_file", "obsoletes", "obsoletes_dist",
    "platform", "project_urls", "provides", "provides_dist", "provides_extra", "provides_extras", "requires",
    "requires_dist", "requires_external", "supported_platform",
})  # fmt: skip
"""Those that may have several, by the names that the form has for them."""

_FILETYPES: Final = frozenset({"sdist", "bdist_wheel"})
_MAX_VALUES: Final = 5_000
_MAX_CHARACTERS: Final = 8 * 1024 * 1024
_MAX_VERSION: Final = 128
_HEX_DIGESTS: Final = {
    "sha256": ("sha256_digest", re.compile(r"[0-9a-f]{64}")),
    "blake2_256": ("blake2_256_digest", re.compile(r"[0-9a-f]{64}")),
}
_MD5: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What an upload says about its file.

    `name` and `version` are as sent, `digests` hexadecimal under `sha256`, `blake2_256` and `md5` (those that were
    sent), `metadata` has the core metadata fields by the form's names: tuples where several values are allowed, nothing
    that is empty or `UNKNOWN`.
    """

    name: str
    project: ProjectName
    version: str
    filetype: str
    filename: Filename
    digests: Mapping[str, str]
    metadata: Mapping[str, str | tuple[str, ...]]


def parse_announcement(fields: Fields) -> tuple[str, ProjectName, str, Mapping[str, str | tuple[str, ...]]]:
    """Check a `submit` form, which announces a release without a file: (name, project, version, metadata).

    Raises InvalidUpload.
    """
    _check_limits(fields)
    name, project = _name(fields)
    return name, project, _version(fields), _metadata(fields)


def parse_upload_form(fields: Fields, filename: str) -> UploadForm:
    """Check the fields of a `file_upload` form and the name of its `content` part.

    Raises InvalidUpload: another action or protocol version, no or another content, a bad name, version, digest or
    file name, a file name of another project or version, over 5,000 values or 8 million characters.
    """
    _check_limits(fields)
    action = _first(fields, ":action")
    if action != "file_upload":
        raise InvalidUpload(f"action {action[:40]!r} not supported")
    if (protocol := _first(fields, "protocol_version")) not in {"", "1"}:
        raise InvalidUpload(f"protocol version {protocol[:10]!r} not supported")
    name, project = _name(fields)
    version = _version(fields)
    if not filename:
        raise InvalidUpload("content file field not found")
    parsed = _parse_filename(filename)
    _check_agreement(parsed, project, version)
    filetype = _first(fields, "filetype") or parsed.filetype
    if filetype not in _FILETYPES or filetype != parsed.filetype:
        raise InvalidUpload(f"filename {filename!r} does not match filetype {filetype[:40]!r}")
    return UploadForm(name, project, version, filetype, parsed.filename, _digests(fields), _metadata(fields))


def agree(version: str, other: str) -> bool:
    """Say whether two versions are the same release (PEP 440: 1.0 is 1.0.0)."""
    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return version == other


def _check_limits(fields: Fields) -> None:
    values = characters = 0
    for key, several in fields.items():
        values += max(1, len(several))
        characters += len(key) + sum(map(len, several))
    if values > _MAX_VALUES or characters > _MAX_CHARACTERS:
        raise InvalidUpload("the form has too many or too long fields")


def _first(fields: Fields, key: str) -> str:
    return next(iter(fields.get(key, ())), "").strip()


def _name(fields: Fields) -> tuple[str, ProjectName]:
    name = _first(fields, "name")
    if not name:
        raise InvalidUpload('invalid metadata: Missing required field "name"')
    try:
        return name, normalize(name)
    except InvalidName as error:
        raise InvalidUpload(f"Invalid package name. {error.rule}") from error


def _version(fields: Fields) -> str:
    version = _first(fields, "version")
    if not version:
        raise InvalidUpload('invalid metadata: Missing required field "version"')
    return check_version(version)


def check_version(version: str) -> str:
    """Return the version as it stands when PEP 440 knows it. Raises InvalidUpload."""
    try:
        Version(version if len(version) <= _MAX_VERSION else "")
    except InvalidVersion as error:
        raise InvalidUpload(f"invalid metadata: {version[:80]!r} is not a valid version") from error
    return version


def _parse_filename(filename: str) -> ParsedFilename:
    try:
        check_filename(filename)
        return parse_filename(filename)
    except InvalidName as error:
        raise InvalidUpload(f"{filename[:120]!r} is not a valid archive name") from error


def _check_agreement(parsed: ParsedFilename, project: ProjectName, version: str) -> None:
    if parsed.project != project:
        raise InvalidUpload(f"filename {parsed.filename!r} does not match project name {project!r}")
    if not agree(parsed.version, version):
        raise InvalidUpload(f"filename {parsed.filename!r} does not contain version {version!r}")


def _digests(fields: Fields) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, (key, shape) in _HEX_DIGESTS.items():
        if text := _first(fields, key).lower():
            if not shape.fullmatch(text):
                raise InvalidUpload(f"{key} is not a hexadecimal digest")
            found[name] = text
    if text := _first(fields, "md5_digest"):
        found["md5"] = _md5(text)
    return found


def _md5(text: str) -> str:
    """Read an MD5 as hexadecimal (devpi, setuptools) or as URL-safe base64 without padding (PyPI's documentation)."""
    if _MD5.fullmatch(text.lower()):
        return text.lower()
    try:
        digest = base64.b64decode(text.rstrip("=") + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 16:
        raise InvalidUpload("md5_digest is not an MD5 digest")
    return digest.hex()


def _metadata(fields: Fields) -> Mapping[str, str | tuple[str, ...]]:
    found: dict[str, str | tuple[str, ...]] = {}
    for key, several in fields.items():
        values = tuple(value for value in several if value.strip() and value.strip() != "UNKNOWN")
        if values and key in SINGLE_FIELDS:
            found[key] = values[0]
        elif values and key in MULTIPLE_FIELDS:
            found[key] = values
    return found
