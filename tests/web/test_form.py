"""The multipart form of an upload, read as it comes."""

from __future__ import annotations

import io

import pytest

from localpi.errors import InvalidUpload, TooLarge
from localpi.web.form import LONGEST_FIELDS, read_form

KIND = "multipart/form-data; boundary=XX"


class Sink:
    """Takes the file's bytes as a receiving file does."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self.data += data


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    """Make one part."""
    extra = f'; filename="{filename}"' if filename is not None else ""
    return f'--XX\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + value + b"\r\n"


END = b"--XX--\r\n"


class Dripping(io.BytesIO):
    """A body that comes in pieces of a few bytes."""

    def read(self, size: int | None = -1) -> bytes:
        """Give a little."""
        return super().read(min(size or 7, 7))


@pytest.mark.parametrize("stream", [io.BytesIO, Dripping])
def test_fields_and_file_are_told_apart(stream: type[io.BytesIO]) -> None:
    """Fields come as lists in order, the part `content` goes to the sink, other files are dropped."""
    payload = bytes(range(256)) * 300 + b"\r\n--X\r\n--XY"
    body = (
        part(":action", b"file_upload")
        + part("classifiers", b"A")
        + part("gpg_signature", b"sig", "x.whl.asc")
        + part("content", payload, "x-1.0-py3-none-any.whl")
        + part("classifiers", "Ä".encode())
        + part("empty", b"")
        + END
    )
    sink = Sink()
    found = read_form(stream(body), KIND, sink)
    assert (found.fields, found.filename, found.action()) == (
        {":action": ["file_upload"], "classifiers": ["A", "Ä"], "empty": [""]},
        "x-1.0-py3-none-any.whl",
        "file_upload",
    )
    assert sink.data == payload


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", KIND),
        (b"nothing", KIND),
        (part("name", b"x"), KIND),
        (part("content", b"x" * 10, "x.whl")[:-4], KIND),
        (part("name", b"\xff\xfe") + END, KIND),
        (b"--XX\r\nX: y\r\n\r\nz\r\n" + END, KIND),
        (b"--XX\r\nContent-Disposition: form-data\r\n\r\nz\r\n" + END, KIND),
        (part("content", b"x", "a.whl") + part("content", b"y", "b.whl") + END, KIND),
        (part("name", b"x") + END, "application/json"),
        (part("name", b"x") + END, "multipart/form-data"),
        (part("name", b"x") + END, "multipart/form-data; boundary=" + "y" * 300),
    ],
)
def test_what_is_no_whole_form_is_refused(body: bytes, kind: str) -> None:
    """Cut off, malformed, not UTF-8, two files, another content type: each is an invalid upload."""
    with pytest.raises(InvalidUpload):
        read_form(io.BytesIO(body), kind, Sink())


def test_fields_have_a_limit_and_the_file_has_another() -> None:
    """Fields beyond the limit are refused, while a file of that size is not held in memory."""
    much = b"x" * (LONGEST_FIELDS + 1)
    sink = Sink()
    read_form(io.BytesIO(part("content", much, "a.whl") + END), KIND, sink)
    assert len(sink.data) == len(much)
    with pytest.raises(TooLarge):
        read_form(io.BytesIO(part("description", much) + END), KIND, Sink())
    with pytest.raises(TooLarge):
        read_form(io.BytesIO(b"--XX\r\nX-Long: " + much), KIND, Sink())


def test_parts_have_a_limit() -> None:
    """A form of tens of thousands of parts is refused."""
    with pytest.raises(TooLarge):
        read_form(io.BytesIO(part("a", b"") * 6000 + END), KIND, Sink())
