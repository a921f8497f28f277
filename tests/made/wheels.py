"""Small but real wheels and sdists, the same bytes every time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WHEN = (2024, 1, 2, 3, 4, 6)
_WHEN_S = 1704164646


def core_metadata(
    name: str, version: str, *, requires_python: str | None = None, requires: Sequence[str] = ()
) -> bytes:
    """A METADATA / PKG-INFO file."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {name}, made for a test"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {item}" for item in requires]
    return ("\n".join(lines) + "\n\n").encode()


def make_wheel(
    name: str,
    version: str,
    *,
    requires_python: str | None = None,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    extra: Mapping[str, bytes] | None = None,
    metadata: bytes | None = None,
    filler: int = 0,
) -> tuple[str, bytes]:
    """(file name, bytes) of a wheel that installs.

    `extra` are further members by path, `filler` is a count of incompressible bytes, `metadata` replaces METADATA.
    """
    stem = name.replace("-", "_").replace(".", "_").lower()
    info = f"{stem}-{version}.dist-info"
    if metadata is None:
        metadata = core_metadata(name, version, requires_python=requires_python, requires=requires)
    members: dict[str, bytes] = {f"{stem}/__init__.py": f'version = "{version}"\n'.encode()}
    if filler:
        members[f"{stem}/filler.bin"] = _noise(f"{name}-{version}", filler)
    members |= dict(extra or {})
    members[f"{info}/METADATA"] = metadata
    members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: made\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    members[f"{info}/RECORD"] = _record(members, f"{info}/RECORD")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            archive.writestr(_member(path), data)
    return f"{stem}-{version}-{tag}.whl", buffer.getvalue()


def make_sdist(
    name: str,
    version: str,
    *,
    requires_python: str | None = None,
    extra: Mapping[str, bytes] | None = None,
    metadata: bytes | None = None,
    pkg_info: bool = True,
) -> tuple[str, bytes]:
    """(file name, bytes) of a `.tar.gz` sdist; `pkg_info=False` makes an old one without PKG-INFO."""
    stem = f"{name.replace('-', '_').replace('.', '_').lower()}-{version}"
    members: dict[str, bytes] = {}
    if pkg_info:
        members["PKG-INFO"] = metadata or core_metadata(name, version, requires_python=requires_python)
    members["pyproject.toml"] = f'[project]\nname = "{name}"\nversion = "{version}"\n'.encode()
    members |= dict(extra or {})
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in members.items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size, member.mtime, member.mode = len(data), _WHEN_S, 0o644
            archive.addfile(member, io.BytesIO(data))
    return f"{stem}.tar.gz", gzip.compress(raw.getvalue(), mtime=0)


def wheel_metadata(data: bytes) -> bytes:
    """The METADATA inside a wheel's bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")))


def _member(path: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(path, _WHEN)
    member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return member


def _record(members: Mapping[str, bytes], record: str) -> bytes:
    lines = []
    for path, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{record},,", ""]).encode()


def _noise(seed: str, size: int) -> bytes:
    return hashlib.shake_256(seed.encode()).digest(size)
