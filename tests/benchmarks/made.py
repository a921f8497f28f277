"""Made listings and wheels: the same on each machine, with the sizes that popular projects have."""

from __future__ import annotations

import hashlib
import io
import math
import random
import zipfile
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

from benchmarks.listing import Listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# What the rows for single pages and for the 17 MB wheel need when nothing real is at hand.
COUNTS = {"idna": 82, "numpy": 4_000, "pydantic-core": 14_900}
SIZES = {"idna": 68_000, "numpy": 16_900_000, "pydantic-core": 2_060_000}
SPREAD_OF_COUNTS = 1.3  # sigma of the lognormal: most projects have some hundred files, a few have ten thousand
SPREAD_OF_SIZES = 1.8

TAGS = (
    "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64",
    "cp312-cp312-musllinux_1_2_x86_64",
    "cp312-cp312-macosx_11_0_arm64",
    "cp313-cp313-macosx_10_13_x86_64",
    "cp312-cp312-win_amd64",
    "py3-none-any",
)
FIRST_UPLOAD = datetime(2015, 1, 1, tzinfo=UTC)


class Named(Protocol):
    """Anything with the name of a project."""

    @property
    def project(self) -> str: ...


def chance(item: Named) -> str:
    """Sort key: an order that looks random and is the same everywhere."""
    return hashlib.sha256(item.project.encode()).hexdigest()


def names(count: int) -> tuple[str, ...]:
    """Give made project names."""
    return tuple(f"made-project-{number:03}" for number in range(count))


def file_counts(projects: Sequence[str], total: int) -> dict[str, int]:
    """Say how many files each page lists, `total` about in all."""
    rest = sorted((name for name in projects if name not in COUNTS), key=_digest)
    spread = _lognormal(len(rest), total - sum(COUNTS.values()), SPREAD_OF_COUNTS, largest=12_000)
    return COUNTS | dict(zip(rest, (max(1, round(count)) for count in spread), strict=True))


def wheel_sizes(projects: Sequence[str], total: int, largest: int) -> dict[str, int]:
    """Say how many bytes each made wheel has, `total` about in all."""
    rest = sorted((name for name in projects if name not in SIZES), key=_digest)
    named = {name: size for name, size in SIZES.items() if name in projects}
    spread = _lognormal(len(rest), max(0, total - sum(named.values())), SPREAD_OF_SIZES, largest=largest)
    return named | dict(zip(rest, (max(2_000, round(size)) for size in spread), strict=True))


def listing(project: str, count: int) -> tuple[Listed, ...]:
    """Give `count` made files: an sdist and some wheels per release, oldest first."""
    stem = project.replace("-", "_")
    files = []
    for number in range(count):
        release, place = divmod(number, len(TAGS) + 1)
        version = f"{release // 20}.{release % 20}.{release % 7}"
        filename = f"{stem}-{version}-{TAGS[place - 1]}.whl" if place else f"{stem}-{version}.tar.gz"
        digest = _digest(f"{project}/{filename}")
        uploaded = FIRST_UPLOAD + timedelta(days=9 * release, seconds=place)
        files.append(
            Listed(
                filename=filename,
                sha256=digest,
                size=int(digest[:5], 16) + 1_000,
                upload_time=uploaded.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                requires_python=">=3.8" if release > 2 else None,
                yanked="broken build" if release % 97 == 96 else None,
            )
        )
    return tuple(files)


def write_wheel(folder: Path, project: str, size: int) -> Listed:
    """Write a wheel of about `size` bytes that pip could install; its bytes do not compress."""
    stem = project.replace("-", "_")
    version = "99.0.0"
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, data in (
            (f"{stem}/__init__.py", b""),
            (f"{stem}/data.bin", random.Random(project).randbytes(size)),
            (f"{stem}-{version}.dist-info/METADATA", _metadata(project, version)),
            (f"{stem}-{version}.dist-info/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            (f"{stem}-{version}.dist-info/RECORD", b""),
        ):
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
    data = body.getvalue()
    filename = f"{stem}-{version}-py3-none-any.whl"
    (folder / filename).write_bytes(data)
    return Listed(filename, hashlib.sha256(data).hexdigest(), len(data), "2026-01-01T00:00:00.000000Z", ">=3.8")


def _metadata(project: str, version: str) -> bytes:
    return f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\nRequires-Python: >=3.8\n".encode()


def _lognormal(count: int, total: float, sigma: float, *, largest: float) -> Iterator[float]:
    """Give `count` values in random-looking order whose sum is about `total`."""
    shape = [math.exp(sigma * NormalDist().inv_cdf((number + 0.5) / count)) for number in range(count)]
    scale = total / sum(shape) if shape else 0
    shape.sort(key=lambda value: _digest(repr(value)))
    return (min(largest, scale * value) for value in shape)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
