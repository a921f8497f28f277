"""One file of an upstream's page: checked, its URL made absolute, what is malformed left out.

Sloppy bases are common: bandersnatch writes `"upload-time": ""`, others null; PyPI sends `data-dist-info-metadata`
in JSON. An optional key with a value that the PEPs do not allow is dropped, since one of them makes uv refuse the whole
page; a file without a usable name or URL is dropped. Keys that we do not know survive.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from localpi.simple.model import FILE_KEYS, File
from localpi.simple.names import is_filename, is_sha256
from localpi.simple.urls import is_plain

if TYPE_CHECKING:
    from localpi.simple.urls import Joiner

_ALIASES: Final = ("data-dist-info-metadata", "dist-info-metadata")
_MAX_TEXT: Final = 1000
_MAX_PLAIN_URL: Final = 4096
_MAX_DEPTH: Final = 20
_MAX_SIZE: Final = 1 << 50
_TIME: Final = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2}){8,64}")
_HEX_LENGTHS: Final = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}


def clean_file(raw: Any, joiner: Joiner) -> File | None:
    """Check one element of a JSON page's `files`, in place; None when there is nothing to offer.

    Takes 3 µs for a file as PyPI describes it; the order of the checks is for that.
    """
    if type(raw) is not dict:
        return None
    filename, url = raw.get("filename"), raw.get("url")
    if type(filename) is not str or not is_filename(filename) or type(url) is not str:
        return None
    if not is_plain(url) or len(url) > _MAX_PLAIN_URL:
        absolute = joiner.absolute(url.partition("#")[0])
        if absolute is None:
            return None
        raw["url"] = absolute
    hashes = raw.get("hashes")
    if type(hashes) is not dict:
        raw["hashes"] = {}
    elif not _is_one_sha256(hashes):
        raw["hashes"] = clean_hashes(hashes)
    _clean_metadata(raw)
    _clean_texts(raw)
    _clean_rest(raw)
    return cast("File", raw)


def clean_hashes(hashes: dict[Any, Any]) -> dict[str, str]:
    """Keep what are hexadecimal digests of the right length, in lower case; of at most eight algorithms."""
    found: dict[str, str] = {}
    for name, digest in hashes.items():
        if type(name) is str and type(digest) is str and name.isascii() and len(name) <= 20 and len(found) < 8:
            digest = digest.lower()  # noqa: PLW2901  # the same digest, in the form that is compared
            length = _HEX_LENGTHS.get(name, len(digest))
            if _HEX.fullmatch(digest) and len(digest) == length:
                found[name] = digest
    return found


def fragment_hashes(fragment: str) -> dict[str, str]:
    """Read the digests of a link's fragment (PEP 503): `sha256=…`, several joined by `&`.

    Gitea's `sha256-…` and setuptools' `egg=…` are none.
    """
    pairs = (part.partition("=") for part in fragment.split("&")[:8])
    return clean_hashes({name.lower(): digest for name, _, digest in pairs if name.lower() in _HEX_LENGTHS})


def metadata_value(text: str) -> bool | dict[str, str]:
    """Read `data-core-metadata` (PEP 714): `true` or `sha256=…`; False for anything else."""
    return fragment_hashes(text) or text.lower() == "true"


def is_upload_time(text: str) -> bool:
    """Say whether it is a time as PEP 700 has it: UTC, `Z`, up to six digits after the point."""
    return _TIME.fullmatch(text) is not None


def is_web_address(text: str) -> bool:
    """Say whether it is a fully qualified URL, as PEP 740 wants of a provenance: a person may click on it."""
    return text.startswith(("https://", "http://"))


def is_shallow(value: Any) -> bool:
    """Say whether an unknown value nests at most 20 deep: orjson reads 1024 levels but writes no more than 254."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def _is_one_sha256(hashes: dict[str, Any]) -> bool:
    return len(hashes) == 1 and type(digest := hashes.get("sha256")) is str and is_sha256(digest)


def _clean_rest(raw: dict[str, Any]) -> None:
    if "size" in raw and not (type(size := raw["size"]) is int and 0 <= size < _MAX_SIZE):
        del raw["size"]
    if "gpg-sig" in raw and type(raw["gpg-sig"]) is not bool:
        del raw["gpg-sig"]
    if not FILE_KEYS.issuperset(raw):
        for key in raw.keys() - FILE_KEYS:
            if not is_shallow(raw[key]):
                del raw[key]


def _clean_metadata(raw: dict[str, Any]) -> None:
    value = raw.get("core-metadata")
    for alias in _ALIASES:
        if alias in raw:
            other = raw.pop(alias)
            value = other if value is None else value
    if type(value) is dict:
        raw["core-metadata"] = value if _is_one_sha256(value) else clean_hashes(value) or True
    elif value is True or value is False:
        raw["core-metadata"] = value
    else:
        raw.pop("core-metadata", None)


def _clean_texts(raw: dict[str, Any]) -> None:
    for key in ("requires-python", "provenance"):
        if key in raw and not (type(text := raw[key]) is str and 0 < len(text) <= _MAX_TEXT):
            del raw[key]
    if "provenance" in raw and not is_web_address(raw["provenance"]):
        del raw["provenance"]
    if "yanked" in raw:
        yanked = raw["yanked"]
        if type(yanked) is str and yanked:
            raw["yanked"] = yanked[:_MAX_TEXT]
        elif type(yanked) is not bool:
            del raw["yanked"]
    if "upload-time" in raw:
        time = raw["upload-time"]
        if type(time) is not str:
            del raw["upload-time"]
        elif not is_upload_time(time):
            _mend_time(raw, time)


def _mend_time(raw: dict[str, Any], text: str) -> None:
    """Write another ISO 8601 time with an offset (`+00:00`, `+0200`) as UTC; drop what is none."""
    try:
        time = datetime.fromisoformat(text)
        utc = time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        utc = None
    if utc is None:
        del raw["upload-time"]
    else:
        raw["upload-time"] = f"{utc:%Y-%m-%dT%H:%M:%S.%f}Z"
