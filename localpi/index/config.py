"""The settings of an index: checked, typed, and back to devpi's JSON. Pure: no I/O, no clock.

Keys and messages are devpi's (DEVPI 1.2 and 2, `devpi_server.model`); ours (`resolution` of a stage; `claims`,
`unseen` of a mirror) appear in JSON only when they are set, so that devpi's clients see what they know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from localpi.errors import InvalidIndexConfig
from localpi.index import config_values as values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """An index that holds uploads and inherits from its bases."""

    volatile: bool = True
    acl_upload: tuple[str, ...] = ()
    acl_toxresult_upload: tuple[str, ...] = (":ANONYMOUS:",)
    bases: tuple[str, ...] = ()
    mirror_whitelist: tuple[str, ...] = ()
    mirror_whitelist_inheritance: Literal["intersection", "union"] = "intersection"
    title: str | None = None
    description: str | None = None
    custom_data: Any = None
    resolution: Literal["first", "merge"] | None = None  # None: first

    @property
    def type(self) -> Literal["stage"]:
        """Return devpi's name of the type."""
        return "stage"

    @property
    def merges(self) -> bool:
        """Say whether all mirrors are asked and everything is listed, as devpi does."""
        return self.resolution == "merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorConfig:
    """An index that caches an upstream."""

    mirror_url: str  # as given, without userinfo
    volatile: bool = True
    title: str | None = None
    description: str | None = None
    custom_data: Any = None
    mirror_web_url_fmt: str | None = None
    mirror_cache_expiry: int | None = None  # seconds; None: what the upstream says; 0: ask every time
    mirror_no_project_list: bool | None = None
    mirror_use_external_urls: bool | None = None
    mirror_ignore_serial_header: bool | None = None
    mirror_provides_core_metadata: bool | None = None
    claims: tuple[str, ...] = ()  # patterns of normalised names; () is not set
    unseen: Literal["next", "hold"] | None = None  # None: next

    @property
    def type(self) -> Literal["mirror"]:
        """Return devpi's name of the type."""
        return "mirror"

    @property
    def simple_url(self) -> str:
        """Return the simple root with its final slash, to which a project's name is added."""
        return self.mirror_url if self.mirror_url.endswith("/") else self.mirror_url + "/"


IndexConfig = StageConfig | MirrorConfig

_COMMON: dict[str, Callable[[str, Any], Any]] = {
    "volatile": values.boolean,
    "title": values.text,
    "description": values.text,
    "custom_data": values.custom,
}
_STAGE = _COMMON | {
    "acl_upload": values.principals,
    "acl_toxresult_upload": values.principals,
    "bases": values.bases,
    "mirror_whitelist": values.whitelist,
    "mirror_whitelist_inheritance": values.one_of("intersection", "union"),
    "resolution": values.one_of("first", "merge"),
}
_MIRROR = _COMMON | {
    "mirror_url": values.text,
    "mirror_web_url_fmt": values.web_url,
    "mirror_cache_expiry": values.seconds,
    "mirror_no_project_list": values.boolean,
    "mirror_use_external_urls": values.boolean,
    "mirror_ignore_serial_header": values.boolean,
    "mirror_provides_core_metadata": values.boolean,
    "claims": values.claims,
    "unseen": values.one_of("next", "hold"),
}
_LISTS = ("acl_upload", "acl_toxresult_upload", "bases", "mirror_whitelist", "claims")
_DEFAULTS = ("volatile", "acl_upload", "acl_toxresult_upload", "bases", "mirror_whitelist",
             "mirror_whitelist_inheritance", "mirror_url", "type")  # fmt: skip
_NOT_SETTINGS = ("projects",)  # in what GET gives; ignored when it comes back


def parse_config(
    user: str, raw: Mapping[str, Any], current: IndexConfig | None = None
) -> tuple[IndexConfig, str | None]:
    """Return the settings that `raw` (devpi's keys; texts, lists or JSON values) makes, and the URL's userinfo.

    `user` owns the index and may upload unless `acl_upload` says otherwise. With `current` those of `raw` replace
    its settings; a value of None removes one. Userinfo is "user:password" as written in `mirror_url`, still
    percent-encoded, or None; it is in no attribute of the settings. Raises `InvalidIndexConfig`.
    """
    given = {key: value for key, value in raw.items() if key not in _NOT_SETTINGS}
    kind = given.pop("type", current.type if current else "stage")
    if current is not None and kind != current.type:
        raise InvalidIndexConfig("the 'type' of an index can't be changed")
    if kind not in ("stage", "mirror"):
        raise InvalidIndexConfig(f"unknown index type {str(kind)[:40]!r}")
    known = _STAGE if kind == "stage" else _MIRROR
    unknown = {key: value for key, value in given.items() if key not in known}
    if unknown:
        told = ", ".join(f"{values.told(key, 40)}={values.told(value, 40)}" for key, value in list(unknown.items())[:8])
        refused = InvalidIndexConfig(f"indexconfig got unexpected keyword arguments: {told}")
        refused.hint = f"a {kind} has {', '.join(known)}"
        raise refused
    settings = {f.name: getattr(current, f.name) for f in fields(current)} if current else {}
    for key, value in given.items():
        if value is None and key not in _DEFAULTS:
            settings.pop(key, None)
        else:
            settings[key] = known[key](key, value)
    if kind == "stage":
        settings.setdefault("acl_upload", (user,))
        return StageConfig(**settings), None
    if "mirror_url" not in settings:
        raise InvalidIndexConfig("an index of type mirror needs a mirror_url")
    settings["mirror_url"], userinfo = values.split_mirror_url(settings["mirror_url"])
    return MirrorConfig(**settings), userinfo


def apply_patch(config: IndexConfig, patch: Sequence[str] | Mapping[str, Any]) -> tuple[IndexConfig, str | None]:
    """Return the settings after a PATCH, and the userinfo of a new `mirror_url`, as `parse_config` does.

    A patch is an object of settings (devpi's envelope `{"type": "indexconfig", "result": {...}}` is opened), or a
    list of texts as typed at devpi's client: `key=value`, `key+=value`, `key-=value`, `key-=` (drop the key).
    Raises `InvalidIndexConfig`.
    """
    if isinstance(patch, Mapping):
        return parse_config("", _open_envelope(patch), config)
    if not isinstance(patch, list | tuple) or len(patch) > values.MAX_ITEMS:
        raise InvalidIndexConfig("a patch is an object, or a list of key=value texts")
    userinfo = None
    for operation in patch:
        config, found = parse_config("", _read_operation(operation, config), config)
        userinfo = found or userinfo
    return config, userinfo


def to_json(config: IndexConfig) -> dict[str, Any]:
    """Return devpi's `indexconfig` object; keys that are not set are absent."""
    result: dict[str, Any] = {"type": config.type}
    for field in fields(config):
        value = getattr(config, field.name)
        if value is not None and (value or field.name != "claims"):
            result[field.name] = list(value) if isinstance(value, tuple) else value
    return result


def _open_envelope(patch: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = patch.get("result")
    return inner if patch.get("type") == "indexconfig" and isinstance(inner, Mapping) else patch


def _read_operation(operation: object, config: IndexConfig) -> dict[str, Any]:
    if not isinstance(operation, str) or "=" not in operation:
        raise InvalidIndexConfig(f"not of the form key=value: {str(operation)[:80]!r}")
    key, _, value = operation.partition("=")
    sign = key[-1:] if key[-1:] in ("+", "-") else ""
    key = key.removesuffix(sign) if sign else key
    if not sign:
        return {key: value}
    if sign == "-" and not value:
        if key in _DEFAULTS:
            raise InvalidIndexConfig("Default values can't be removed.")
        return {key: None}
    if key not in _LISTS:
        raise InvalidIndexConfig(f"The {key[:40]!r} setting is not a list")
    present = list(getattr(config, key, ()))
    asked = (_STAGE | _MIRROR)[key](key, value)
    if sign == "+":
        return {key: [*present, *(item for item in asked if item not in present)]}
    for item in asked:
        if item not in present:
            raise InvalidIndexConfig(f"The {key!r} setting doesn't have value {item!r}")
    return {key: [item for item in present if item not in asked]}
