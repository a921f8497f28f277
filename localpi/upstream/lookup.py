"""Host names to addresses, in bounded time.

`getaddrinfo` knows no timeout; with a VPN gone it takes 5 to 30 seconds. Each name is looked up in a daemon thread of
its own, one per name at a time, and whoever asks waits as long as it can afford.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Address = tuple[int, int, int, str, tuple[Any, ...]]

_AT_ONCE: Final = 64


class NoAddress(OSError):  # noqa: N818 - says what is the case
    """The name does not resolve (`answered`), or nobody said so in time."""

    def __init__(self, host: str, *, answered: bool) -> None:
        self.host, self.answered = host, answered
        super().__init__(f"no address for {host}" if answered else f"no answer about {host}")


@dataclass(slots=True)
class _Lookup:
    done: threading.Event = field(default_factory=threading.Event)
    addresses: list[Address] = field(default_factory=list)


def system_addresses(host: str, port: int) -> list[Address]:
    """What the system's resolver says, as `getaddrinfo` gives it; OSError or UnicodeError when it says no."""
    return [tuple(item) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]  # type: ignore[misc]


class Lookups:
    """The lookups under way."""

    def __init__(self, resolve: Callable[[str, int], list[Address]] = system_addresses) -> None:
        self._resolve = resolve
        self._under_way: dict[tuple[str, int], _Lookup] = {}
        self._lock = threading.Lock()

    def addresses(self, host: str, port: int, within_s: float) -> list[Address]:
        """All addresses of a name; NoAddress when there is none, or none within the time."""
        with self._lock:
            lookup = self._under_way.get((host, port))
            if lookup is None:
                if len(self._under_way) >= _AT_ONCE:  # every one of them is a thread that hangs
                    raise NoAddress(host, answered=False)
                lookup = self._under_way[host, port] = _Lookup()
                threading.Thread(target=self._run, args=(host, port, lookup), daemon=True, name="lookup").start()
        if not lookup.done.wait(within_s):
            raise NoAddress(host, answered=False)
        if not lookup.addresses:
            raise NoAddress(host, answered=True)
        return lookup.addresses

    def _run(self, host: str, port: int, lookup: _Lookup) -> None:
        try:
            lookup.addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            pass  # no addresses: that is the answer
        finally:
            with self._lock:
                del self._under_way[host, port]
            lookup.done.set()
