"""What a service is to be, before it is written in systemd's or launchd's words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

STOP_S = 30
"""Seconds from SIGTERM to SIGKILL: 10 for running transfers, then the last writes."""
CANNOT_START = 78
BAD_SETTING = 2
"""Exit codes after which starting again would not help."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service; everything in it is absolute, as services see neither a shell nor a working directory."""

    program: tuple[str, ...]
    """A path that upgrades leave alone, and words that go before `serve`."""
    addresses: tuple[str, ...]
    """IP addresses to listen on, the first the one that is told."""
    port: int
    data: str
    logs: str
    variables: tuple[tuple[str, str], ...] = ()
    """What says where the folders are, where that is not the platform's own place."""

    def __post_init__(self) -> None:
        words = (*self.program, self.data, self.logs, *(text for pair in self.variables for text in pair))
        wrong = next((word for word in words if not word.isprintable()), None)
        if wrong is not None:
            raise ValueError(f"a service cannot have {wrong!r} in its file")

    @property
    def listen(self) -> tuple[str, ...]:
        """`127.0.0.1:3141`, `[::1]:3141`."""
        return tuple(f"[{each}]:{self.port}" if ":" in each else f"{each}:{self.port}" for each in self.addresses)

    @property
    def only_loopback(self) -> bool:
        """Whether every address is always there."""
        return all(ip_address(each.partition("%")[0]).is_loopback for each in self.addresses)
