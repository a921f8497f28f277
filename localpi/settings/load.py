"""What is set, and by whom: flag before variable before file before default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from localpi.settings.file import read_file
from localpi.settings.schema import TABLE, find_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.settings.paths import Paths

ROOT_PASSWORD_VARIABLES = ("LOCALPI_ROOT_PASSWORD", "DEVPI_PASSWORD")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: the flag, variable or file by its name; empty for a default."""

    kind: Literal["flag", "variable", "file", "default"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The value of every row of the table: sizes in bytes, durations in seconds, nothing set is "" or ()."""

    host: str
    port: int
    listen: tuple[str, ...]
    outside_url: str
    default_index: str
    allowed_hosts: tuple[str, ...]
    threads: int
    log_level: str
    login_ttl: int
    open_registration: bool
    open_reading: bool
    offline: str
    background: str
    upload_max_size: int
    upstream_proxy: str
    upstream_no_proxy: tuple[str, ...]
    upstream_ca_bundle: str
    cache_max_size: int
    cache_keep_free: int
    root_password: str | None = field(default=None, repr=False)
    """From the environment alone, for the first run; "" is an empty password, None is none."""
    origins: Mapping[str, Origin] = field(default_factory=dict)


def load_settings(paths: Paths, environ: Mapping[str, str], flags: Mapping[str, object] | None = None) -> Settings:
    """Read `config.toml`, `environ` and `flags` (key to value; None is "not given").

    Raises SettingError for a value that a setting cannot have, a key that is none, or a file that is not TOML. An
    empty variable is one that is not set, as for pip.
    """
    in_file = read_file(paths.config_file)
    for key in in_file:
        find_setting(key)
    found: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for setting in TABLE:
        raw: object = (flags or {}).get(setting.key)
        if raw is not None:
            origin = Origin("flag", "--" + setting.attribute.replace("_", "-"))
        elif raw := environ.get(setting.variable):
            origin = Origin("variable", setting.variable)
        elif setting.key in in_file:
            raw, origin = in_file[setting.key], Origin("file", str(paths.config_file))
        else:
            raw, origin = setting.default, Origin("default")
        found[setting.attribute] = setting.parse(raw, origin.name) if origin.kind != "default" else raw
        origins[setting.key] = origin
    return Settings(**cast("Any", found), root_password=_root_password(environ), origins=origins)


def value_of(settings: Settings, key: str) -> object:
    """Return the value of `key`; raises SettingError."""
    return getattr(settings, find_setting(key).attribute)


def _root_password(environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in ROOT_PASSWORD_VARIABLES if name in environ), None)
