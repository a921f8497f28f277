"""Every setting: its key, kind, default, and what it does in one sentence.

Key `a.b` is `LOCALPI_A_B` in the environment, `b` in table `[a]` of `config.toml`, and `a_b` in `Settings`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import SettingError
from localpi.settings import values

if TYPE_CHECKING:
    from localpi.settings.values import Kind

PREFIX = "LOCALPI_"
NAME = r"[^\s/!-,:-?\[-^`{-~]+"
"""User and index names: anything but white space and the signs that devpi blocks."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; `default` is a value, not text."""

    key: str
    kind: Kind
    default: object
    sentence: str

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.attribute.upper()

    @property
    def attribute(self) -> str:
        """Its name in `Settings`."""
        return self.key.replace(".", "_")

    def parse(self, value: object, where: str) -> object:
        """Make a value of text or TOML; raises SettingError that names `where` it came from."""
        try:
            return self.kind.parse(value)
        except ValueError as error:
            shown = values.mask_userinfo(value)[:80]
            refused = SettingError(f"{self.key} = {shown!r} ({where}): {error}")
            refused.hint = (
                f"unset {self.variable}, or give it such a value"  # it wins over the file
                if where == self.variable
                else f"localpi config set {self.key} {self.kind.show(self.default) or 'VALUE'}"
            )
            raise refused from None


TABLE: tuple[Setting, ...] = (
    Setting("host", values.matching(r"[A-Za-z0-9_.:%-]{1,255}", "an address or a host name"), "127.0.0.1",
            "Address to listen on; reading needs a credential on any that is not loopback."),
    Setting("port", values.number(0, 65535), 3141, "Port to listen on; 0 takes a free one at each start."),
    Setting("listen", values.addresses(), (),
            "Further addresses to listen on, on the same port: of the bridges that containers on Linux are on."),
    Setting("outside_url", values.url("http", "https"), "",
            "What clients call this server behind a reverse proxy; its path goes in front of every link."),
    Setting("default_index", values.matching(rf"{NAME}/{NAME}", "USER/INDEX"), "root/local",
            "The index that commands use when no --index is given."),
    Setting("allowed_hosts", values.words(), (), "Further names that a Host header may have (comma list)."),
    Setting("threads", values.number(1, 64), 8, "Worker threads; what is ready is served without them."),
    Setting("log_level", values.choice("debug", "info", "warning", "error"), "info", "How much the log tells."),
    Setting("login_ttl", values.duration(60), 36000, "How long a login token lives."),
    Setting("open_registration", values.boolean(), default=False,
            sentence="Lets anyone who reaches the daemon create a user, as devpi does."),
    Setting("open_reading", values.boolean(), default=False,
            sentence="Lets anyone who reaches the daemon install without a credential, from other machines too."),
    Setting("offline", values.choice("auto", "on", "off"), "auto",
            "on: never contact an upstream; off: always; auto: by how each one is doing."),
    Setting("background", values.choice("auto", "off"), "auto",
            "off: no work that was not asked for, on metered networks and batteries."),
    Setting("upload.max_size", values.size(), 4 * 1024**3, "The largest file that may be uploaded."),
    Setting("upstream.proxy", values.url("http", "https"), "",
            "Proxy to reach upstreams by; empty: what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say."),
    Setting("upstream.no_proxy", values.words(), (),
            "Hosts, domains and networks that no proxy is asked for (comma list); empty: what NO_PROXY says."),
    Setting("upstream.ca_bundle", values.path(), "", "PEM file of CAs to trust instead of the system's."),
    Setting("cache.max_size", values.size(), 0, "What the cache may take; 0: as much as there is."),
    Setting("cache.keep_free", values.size(), 1024**3, "What the cache leaves free on its disk."),
)  # fmt: skip

BY_KEY = {setting.key: setting for setting in TABLE}


def find_setting(key: str) -> Setting:
    """Return the row of `key`; raises SettingError that names the nearest key."""
    found = BY_KEY.get(key)
    if found is None:
        near = difflib.get_close_matches(key, BY_KEY, n=1)
        refused = SettingError(f"there is no setting {key[:80]!r}" + (f"; is {near[0]} meant?" if near else ""))
        refused.hint = "localpi config show"
        raise refused
    return found
