"""The core metadata of a distribution (PyPA specification, 1.0 to 2.x), and whether an upload agrees with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from packaging.metadata import parse_email

from localpi.errors import InvalidName, InvalidUpload
from localpi.simple.names import normalize
from localpi.simple.upload_form import agree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.simple.upload_form import UploadForm

_MAX_METADATA: Final = 5 * 1024 * 1024
_KNOWN_MAJORS: Final = frozenset({"1", "2"})


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """A METADATA or PKG-INFO file: `fields` by the names that `packaging.metadata` has for them."""

    name: str
    version: str
    metadata_version: str
    requires_python: str | None
    fields: Mapping[str, str | tuple[str, ...]]


def parse_core_metadata(data: bytes) -> CoreMetadata:
    """Read core metadata leniently, as `packaging.metadata.parse_email` does.

    A minor version that is newer than we know is read all the same, a newer major one is not. Raises InvalidUpload for
    that, for over 5 MB, and when there is not one name and one version.
    """
    if len(data) > _MAX_METADATA:
        raise InvalidUpload("its metadata is larger than 5 MB")
    try:
        raw, _unparsed = parse_email(data)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:  # what `email` lets out
        raise InvalidUpload("its metadata cannot be read") from error
    fields = {key: _plain(value) for key, value in raw.items()}
    version = str(fields.get("metadata_version", ""))
    if version.partition(".")[0] not in _KNOWN_MAJORS:
        raise InvalidUpload(f"its Metadata-Version {version[:20]!r} is not known")
    return CoreMetadata(
        name=_required(fields, "name"),
        version=_required(fields, "version"),
        metadata_version=version,
        requires_python=str(fields["requires_python"]) if fields.get("requires_python") else None,
        fields=fields,
    )


def check_agreement(form: UploadForm, metadata: CoreMetadata) -> None:
    """Refuse a file whose metadata names another project or version than the form. Raises InvalidUpload."""
    try:
        same_project = normalize(metadata.name) == form.project
    except InvalidName:
        same_project = False
    if not same_project:
        raise InvalidUpload(f"the metadata of {form.filename!r} has the name {metadata.name[:80]!r}, not {form.name!r}")
    if not agree(metadata.version, form.version):
        raise InvalidUpload(
            f"the metadata of {form.filename!r} has version {metadata.version[:80]!r}, not {form.version!r}"
        )


def _plain(value: Any) -> str | tuple[str, ...]:
    """Make strings of what `packaging` takes apart: Project-URL becomes a dict there, Keywords a list."""
    if isinstance(value, dict):
        return tuple(f"{label}, {url}" for label, url in value.items())
    return tuple(value) if isinstance(value, list) else str(value)


def _required(fields: Mapping[str, str | tuple[str, ...]], key: str) -> str:
    value = str(fields.get(key, "")).strip()
    if not value:
        raise InvalidUpload(f"its metadata has no {key}")
    return value
