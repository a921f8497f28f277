"""What is set in a shell alone, and would be lost to a service: settings, proxies, CAs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localpi.settings.schema import TABLE, find_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
"""What moves the platform's folders; config.toml cannot say it, as it is in one of them."""

OTHERS = (
    ("upstream.proxy", ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")),
    ("upstream.no_proxy", ("no_proxy", "NO_PROXY")),
    ("upstream.ca_bundle", ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")),
)
"""Settings, and the variables of other programs that stand for them; the first one that is set counts."""


@dataclass(frozen=True, slots=True)
class ShellSetting:
    """One variable, and the setting that says the same to a service."""

    variable: str
    key: str
    value: object = field(repr=False)
    """Parsed. A proxy's may have a password in it."""


def find_shell_settings(
    environ: Mapping[str, str], service_environ: Mapping[str, str], in_file: Mapping[str, object]
) -> tuple[ShellSetting, ...]:
    """Return what `environ` says and a service would not hear: neither its own variables nor the file say the same.

    `in_file` is what `read_file` returns of config.toml. Raises SettingError for a LOCALPI_* variable that has no good
    value; a proxy or CA variable that is of no use to us is passed over, as it is when the daemon starts.
    """
    named = [(setting.variable, setting.key) for setting in TABLE if environ.get(setting.variable)]
    taken = {key for _, key in named}
    for key, variables in OTHERS:
        variable = next((name for name in variables if environ.get(name)), None)
        if variable and key not in taken and key not in in_file:
            named.append((variable, key))
    found = []
    for variable, key in named:
        if environ[variable] == service_environ.get(variable):
            continue
        value = _parse(variable, key, environ[variable])
        if value is not None and not _says(in_file, key, value):
            found.append(ShellSetting(variable, key, value))
    return tuple(found)


def _parse(variable: str, key: str, text: str) -> object:
    setting = find_setting(key)
    if variable == setting.variable:
        return setting.parse(text, variable)
    if key == "upstream.proxy" and "://" not in text:
        text = f"http://{text}"
    if key == "upstream.no_proxy":
        text = ",".join(text.replace(",", " ").split())
    try:
        return setting.kind.parse(text)
    except ValueError:
        return None


def _says(in_file: Mapping[str, object], key: str, value: object) -> bool:
    if key not in in_file:
        return False
    try:
        return find_setting(key).kind.parse(in_file[key]) == value
    except ValueError:
        return False


def folder_environ(environ: Mapping[str, str], home: str | None) -> tuple[tuple[str, str], ...]:
    """Return what has to be in a service's file so that it finds the same folders; `home` is LOCALPI_HOME's."""
    if home:
        return (("LOCALPI_HOME", home),)
    return tuple((name, environ[name]) for name in FOLDERS if environ.get(name))
