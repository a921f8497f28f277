"""`config.toml`: read, set, unset. Comments, order and what it does not know stay as they are."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from localpi.errors import SettingError
from localpi.settings.private import make_folder, write_private
from localpi.settings.schema import find_setting

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1_000_000


def read_file(path: Path) -> dict[str, object]:
    """Return the settings in `path` as flat keys, `{}` when there is no such file; raises SettingError."""
    flat: dict[str, object] = {}
    for key, value in _parse(path, _read(path)).items():
        if isinstance(value, dict):
            flat.update({f"{key}.{inner}": setting for inner, setting in value.items()})
        else:
            flat[key] = value
    return flat


def set_in_file(path: Path, key: str, value: object) -> object:
    """Set `key` to `value` (text, or the TOML value) and return what it is now; raises SettingError, OSError."""
    import tomlkit  # noqa: PLC0415 -- 25 ms, for writing alone
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 -- as above

    setting = find_setting(key)
    parsed = setting.parse(value, "given")
    source = _read(path)
    _parse(path, source)
    try:
        document = tomlkit.parse(source)
        table, name = _table(document, key, make=True)
        table[name] = _plain(parsed, setting.kind.name, setting.kind.show(parsed))
        _write(path, tomlkit.dumps(document))
    except TOMLKitError as error:
        raise SettingError(f"{path} cannot be edited: {error}") from None
    return parsed


def unset_in_file(path: Path, key: str) -> bool:
    """Take `key` out of the file; False when it was not there. Keys that are no setting can be taken out too."""
    import tomlkit  # noqa: PLC0415 -- as above

    source = _read(path)
    if key not in read_file(path):
        find_setting(key)
        return False
    document = tomlkit.parse(source)
    table, name = _table(document, key, make=False)
    del table[name]
    if table is not document and not table:
        del document[key.partition(".")[0]]
    _write(path, tomlkit.dumps(document))
    return True


def _table(document: object, key: str, *, make: bool) -> tuple[dict[str, object], str]:
    import tomlkit  # noqa: PLC0415 -- as above

    head, dot, tail = key.partition(".")
    top: dict[str, object] = document  # type: ignore[assignment]  # tomlkit's containers are mappings
    if not dot:
        return top, head
    if head not in top and make:
        top[head] = tomlkit.table()
    inner = top[head]
    if not isinstance(inner, dict):
        raise SettingError(f"[{head}] is not a table in the file")
    return inner, tail


def _plain(value: object, kind: str, shown: str) -> object:
    """Sizes and durations keep their units in the file; lists are TOML's."""
    if kind in {"size", "duration"}:
        return shown
    return list(value) if isinstance(value, tuple) else value


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        refused = SettingError(f"{path} cannot be read: {os.strerror(error.errno or 0)}")
        refused.hint = "it has to be a file that you may read; without one the defaults count"
        raise refused from None
    if len(data) > MOST_BYTES:
        raise SettingError(f"{path} is larger than {MOST_BYTES:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SettingError(f"{path} is not UTF-8") from None


def _parse(path: Path, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        refused = SettingError(f"{path} is not TOML: {error}")
        refused.hint = "mend that line by hand; localpi leaves a file that it cannot read alone"
        raise refused from None


def _write(path: Path, text: str) -> None:
    make_folder(path.parent)
    write_private(path, text.encode("utf-8"))
