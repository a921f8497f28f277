"""The multipart form of an upload, read as it comes: the file goes straight to where it will lie.

Werkzeug's Request would write it three times (the server's spool, its own temporary file, ours).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from localpi.errors import InvalidUpload, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from werkzeug.sansio.multipart import Event

MOST_PARTS = 5_000  # a wheel with 1,000 dependencies has as many; each is a part
LONGEST_FIELDS = 8 << 20  # bytes of all fields together: descriptions are long
CHUNK = 256 << 10
FILE_FIELD = "content"


class Sink(Protocol):
    """Where the file goes."""

    def write(self, data: bytes) -> object:
        """Take the next bytes."""


class Form:
    """The fields of a form, in the order in which they came, and the name of the file that was sent."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}
        self.filename: str | None = None
        self._held = bytearray()
        self._size = 0

    def action(self) -> str:
        """Return the field `:action`, "" when there is none."""
        return self.fields.get(":action", [""])[0]

    def begin(self, part: File | Field) -> None:
        """Begin a part; raise InvalidUpload when it has no name or is a second file."""
        if not part.name:
            raise InvalidUpload("a part of the form has no name")
        if isinstance(part, File) and part.name == FILE_FIELD:
            if self.filename is not None:
                raise InvalidUpload("the form has two files")
            self.filename = part.filename

    def add(self, name: str, data: Data) -> None:
        """Add to a field; raise TooLarge when all fields together are."""
        self._size += len(data.data)
        if self._size > LONGEST_FIELDS:
            raise TooLarge("the form without its file", LONGEST_FIELDS)
        self._held += data.data
        if not data.more_data:
            self.fields.setdefault(name, []).append(_text(self._held, name))
            self._held.clear()


def read_form(stream: BinaryIO, content_type: str, sink: Sink) -> Form:
    """Read a multipart/form-data body (RFC 7578); the bytes of the part `content` go to `sink` as they come.

    Other file parts (signatures) are read and dropped. Raises InvalidUpload, TooLarge, and what the sink raises.
    """
    form = Form()
    part: File | Field | None = None
    for event in _events(stream, content_type):
        if isinstance(event, (Field, File)):
            part = event
            form.begin(part)
        elif isinstance(event, Data) and isinstance(part, Field):
            form.add(part.name, event)
        elif isinstance(event, Data) and part is not None and part.name == FILE_FIELD:
            sink.write(event.data)
    return form


def read_fields(stream: BinaryIO) -> Form:
    """Read an application/x-www-form-urlencoded body, as devpi-server announces a release; raises as above."""
    data = stream.read(LONGEST_FIELDS + 1)
    if len(data) > LONGEST_FIELDS:
        raise TooLarge("the form without its file", LONGEST_FIELDS)
    form = Form()
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARTS)
    except ValueError:
        raise InvalidUpload("the form cannot be read: it is malformed") from None
    for name, value in pairs:
        form.fields.setdefault(name, []).append(value)
    return form


def _events(stream: BinaryIO, content_type: str) -> Iterator[Event]:
    """Decode the body piece by piece, up to its end."""
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not boundary or not boundary.isascii() or len(boundary) > 200:
        raise InvalidUpload("an upload is a multipart/form-data body")
    decoder = MultipartDecoder(boundary.encode("ascii"), LONGEST_FIELDS, max_parts=MOST_PARTS)
    try:
        while True:
            data = stream.read(CHUNK)
            decoder.receive_data(data or None)
            while not isinstance(event := decoder.next_event(), NeedData):
                yield event
                if isinstance(event, Epilogue):
                    return
            if not data:
                break
    except RequestEntityTooLarge:
        raise TooLarge("the form without its file", LONGEST_FIELDS) from None
    except ValueError:
        raise InvalidUpload("the form cannot be read: it is cut off or malformed") from None
    raise InvalidUpload("the form ends too early")


def _text(data: bytearray, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidUpload(f"the field {name[:60]!r} is not UTF-8") from None
