"""What was written where, kept so that it can be taken back: one JSON file each in `data/wiring/`.

The bytes from before are in it, which may hold a password: the folder and the files are the owner's alone.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localpi.settings.private import make_folder, sync_folder, write_private
from localpi.wiring.edits import MOST_BYTES, Change

if TYPE_CHECKING:
    from localpi.settings.paths import Paths
    from localpi.wiring.edits import Format

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One file that was wired."""

    tool: str
    path: Path
    """As the tool names it; links are followed anew when it is taken back."""
    scope: str
    form: Format
    before: bytes | None = field(repr=False)
    """None when there was no file."""
    before_mode: int | None
    after: bytes = field(repr=False)
    after_mode: int
    changes: tuple[Change, ...] = field(repr=False)
    made_folders: tuple[Path, ...] = ()
    """Deepest first."""
    index: str = ""
    url: str = ""
    token: str | None = field(default=None, repr=False)


class Records:
    """The folder of records; it is made with the first one."""

    def __init__(self, paths: Paths) -> None:
        self.folder = paths.data / "wiring"

    def all(self) -> tuple[Record, ...]:
        """Return every record that can be read, by tool and path."""
        try:
            files = sorted(self.folder.glob("*.json"))
        except OSError:
            return ()
        found = [record for file in files if (record := _read(file)) is not None]
        return tuple(sorted(found, key=lambda record: (record.tool, str(record.path))))

    def get(self, path: Path) -> Record | None:
        """Return the record of a file."""
        return _read(self._file(path))

    def put(self, record: Record) -> None:
        """Keep a record; on the disk before this returns. Raises OSError."""
        make_folder(self.folder.parent)
        make_folder(self.folder)
        write_private(self._file(record.path), json.dumps(_to_json(record), indent=1).encode() + b"\n")

    def drop(self, path: Path) -> None:
        """Forget a file; raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self._file(path).unlink()
            sync_folder(self.folder)
            with contextlib.suppress(OSError):
                self.folder.rmdir()

    def _file(self, path: Path) -> Path:
        return self.folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"


def _to_json(record: Record) -> dict[str, Any]:
    return {
        **asdict(record),
        "schema": SCHEMA,
        "path": str(record.path),
        "before": None if record.before is None else base64.b64encode(record.before).decode(),
        "after": base64.b64encode(record.after).decode(),
        "changes": [change.to_json() for change in record.changes],
        "made_folders": [str(folder) for folder in record.made_folders],
    }


def _read(file: Path) -> Record | None:
    try:
        with file.open("rb") as source:
            found = json.loads(source.read(8 * MOST_BYTES))
        if found.pop("schema") != SCHEMA:
            return None
        return Record(
            **{
                **found,
                "path": Path(found["path"]),
                "before": None if found["before"] is None else base64.b64decode(found["before"], validate=True),
                "after": base64.b64decode(found["after"], validate=True),
                "changes": tuple(Change.from_json(change) for change in found["changes"]),
                "made_folders": tuple(Path(folder) for folder in found["made_folders"]),
            }
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None
