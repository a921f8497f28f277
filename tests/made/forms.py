"""Upload forms as twine sends them, and as it never would."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from made.daemon import Daemon, Reply

Fields = Mapping[str, str | Sequence[str] | None]


def fields_of(filename: str, data: bytes, **changes: str | None) -> dict[str, str]:
    """The fields for a made wheel or sdist; a change of None leaves a field out."""
    wheel = filename.endswith(".whl")
    name, version = filename.removesuffix(".tar.gz").removesuffix(".zip").split("-")[:2]
    fields: dict[str, str | None] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": name.replace("_", "-"),
        "version": version,
        "filetype": "bdist_wheel" if wheel else "sdist",
        "pyversion": "py3" if wheel else "source",
        "sha256_digest": hashlib.sha256(data).hexdigest(),
        **changes,
    }
    return {key: value for key, value in fields.items() if value is not None}


def multipart(fields: Mapping[str, str], filename: str | None, data: bytes) -> tuple[bytes, str]:
    """(body, content type) of a form (RFC 7578); without a `filename` it has no `content`."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    if filename is not None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def upload(
    daemon: Daemon,
    filename: str,
    data: bytes,
    *,
    index: str = "root/local",
    form_name: str | None = "",
    headers: Mapping[str, str] | None = None,
    **changes: str | None,
) -> Reply:
    """Post a made file; `form_name` is what the form calls it ("" is `filename`, None leaves the file out)."""
    sent_name = filename if form_name == "" else form_name
    body, content_type = multipart(fields_of(filename, data, **changes), sent_name, data)
    credential = daemon.owner if headers is None else headers
    return daemon.request("POST", f"/{index}/", headers={**credential, "Content-Type": content_type}, body=body)
