"""The systemd user units, written and read. Pure: text in, text out.

systemd.service(5), systemd.socket(5), systemd.exec(5); measured under systemd 252 (Debian 12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localpi.service.spec import BAD_SETTING, CANNOT_START, STOP_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.service.spec import ServiceSpec

SERVICE, SOCKET = "localpi.service", "localpi.socket"

HEAD = "# Made by `localpi service install`, which makes it again; changes belong into {}.d/*.conf\n"

HARDENING = """\
NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
"""What works in a user unit by itself: seccomp and prctl.

Options that need a mount namespace (ProtectSystem, PrivateTmp ...) are silently without effect there on systemd 252,
and newer ones fail the unit where user namespaces are closed (Ubuntu 24.04).
"""


def render_service(spec: ServiceSpec) -> str:
    """Return the text of localpi.service.

    Type=notify: ready means that the socket answers. No network-online.target: user managers do not have it, and the
    daemon has to start on a plane.
    """
    command = " ".join(quote(word) for word in (*spec.program, "serve"))
    as_it_is = ":" if "$" in command else ""
    environ = "".join(f"Environment={quote(f'{name}={value}')}\n" for name, value in spec.variables)
    return f"""\
{HEAD.format(SERVICE)}
[Unit]
Description=localpi package index
Requires={SOCKET}
After={SOCKET}
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={as_it_is}{command}
WorkingDirectory=-{spec.data.replace("%", "%%")}
{environ}Restart=on-failure
RestartSec=1
RestartPreventExitStatus={BAD_SETTING} {CANNOT_START}
TimeoutStartSec=120
TimeoutStopSec={STOP_S}
WatchdogSec=30
UMask=0077
{HARDENING}
[Install]
WantedBy=default.target
Also={SOCKET}
"""


def render_socket(spec: ServiceSpec) -> str:
    """Return the text of localpi.socket: systemd holds it over restarts, so that who connects meanwhile waits in it.

    FreeBind: the bridge of a container engine may come up later.
    """
    listen = "".join(f"ListenStream={each.replace('%', '%%')}\n" for each in spec.listen)
    several = "BindIPv6Only=ipv6-only\n" if any(each.startswith("[") for each in spec.listen) else ""
    free = "" if spec.only_loopback else "FreeBind=yes\n"
    return f"""\
{HEAD.format(SOCKET)}
[Unit]
Description=localpi package index, where it listens

[Socket]
{listen}{several}{free}NoDelay=yes
Backlog=1024

[Install]
WantedBy=sockets.target
"""


def quote(word: str) -> str:
    """Return one word of a unit file (systemd.syntax(7)): specifiers doubled, quoted where it is not plain."""
    doubled = word.replace("%", "%%")
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./~-]+", doubled):
        return doubled
    return '"' + doubled.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What our own units say."""

    program: tuple[str, ...] = ()
    """Without `serve`."""
    data: str = ""
    listen: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def read_units(service: str, socket: str) -> UnitFacts:
    """Read back what `render_service` and `render_socket` wrote; what is not there is empty."""
    commands = [words(value.removeprefix(":")) for value in _values(service, "ExecStart")]
    folders = [value.removeprefix("-").replace("%%", "%") for value in _values(service, "WorkingDirectory")]
    pairs = [word.partition("=") for value in _values(service, "Environment") for word in words(value)]
    listen = [value.replace("%%", "%") for value in _values(socket, "ListenStream")]
    return UnitFacts(
        program=commands[-1][:-1] if commands else (),
        data=folders[-1] if folders else "",
        listen=tuple(listen),
        variables={name: value for name, _, value in pairs},
    )


def words(value: str) -> tuple[str, ...]:
    """Return the words of a value: the inverse of `quote`."""
    found = []
    for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', value):
        found.append((re.sub(r"\\(.)", r"\1", quoted) if quoted else plain).replace("%%", "%"))
    return tuple(found)


def _values(text: str, key: str) -> list[str]:
    return re.findall(rf"(?m)^{key}=(.*)$", text)
