"""Host names to addresses, in bounded time.

`getaddrinfo` knows no timeout; with a VPN gone it takes 5 to 30 seconds. Each name is looked up in daemon threads of
its own, and whoever asks waits as long as it can afford. A lookup that hangs asks the resolver that there was when it
began, and that again after 5 s only: another begins beside it after a second, and the first that knows tells all.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Address = tuple[int, int, int, str, tuple[Any, ...]]

_AT_ONCE: Final = 64
_OF_ONE_NAME: Final = 8
_MORE: Final = 32
"""Threads in all up to which a name gets a second one: a few names that hang are not to take what others need."""
_AGAIN_S: Final = 1.0


class NoAddress(OSError):  # noqa: N818 - says what is the case
    """The name does not resolve (`answered`), or nobody said so in time."""

    def __init__(self, host: str, *, answered: bool) -> None:
        self.host, self.answered = host, answered
        super().__init__(f"no address for {host}" if answered else f"no answer about {host}")


@dataclass(slots=True, eq=False)
class _Lookup:
    """What is under way for one name: how many threads, since when the youngest, and what came (None: nothing yet)."""

    threads: int = 0
    youngest: float = 0.0
    addresses: list[Address] | None = None
    answered: bool = False


def system_addresses(host: str, port: int) -> list[Address]:
    """What the system's resolver says, as `getaddrinfo` gives it; OSError or UnicodeError when it says no."""
    return [tuple(item) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]  # type: ignore[misc]


class Lookups:
    """The lookups under way."""

    def __init__(self, resolve: Callable[[str, int], list[Address]] = system_addresses) -> None:
        self._resolve = resolve
        self._under_way: dict[tuple[str, int], _Lookup] = {}
        self._changed = threading.Condition()
        self._threads = 0

    def addresses(self, host: str, port: int, within_s: float) -> list[Address]:
        """All addresses of a name; NoAddress when there is none, or none within the time."""
        with self._changed:
            lookup = self._under_way.setdefault((host, port), _Lookup())
            self._begin(host, port, lookup)
            if not self._changed.wait_for(lambda: lookup.addresses is not None, within_s):
                raise NoAddress(host, answered=False)
        if not lookup.addresses:
            raise NoAddress(host, answered=lookup.answered)
        return lookup.addresses

    def _begin(self, host: str, port: int, lookup: _Lookup) -> None:
        """Begin a lookup where there is none, or where the youngest should have had its answer."""
        now = time.monotonic()
        if lookup.threads:
            early = now - lookup.youngest < _AGAIN_S
            if early or lookup.threads >= _OF_ONE_NAME or self._threads >= _MORE:
                return
        elif self._threads >= _AT_ONCE:  # every one of them is a thread that hangs
            del self._under_way[host, port]
            raise NoAddress(host, answered=False)
        lookup.youngest = now
        lookup.threads += 1
        self._threads += 1
        threading.Thread(target=self._run, args=(host, port, lookup), daemon=True, name="lookup").start()

    def _run(self, host: str, port: int, lookup: _Lookup) -> None:
        addresses: list[Address] = []
        answered = True
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            answered = not (isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN)
        finally:
            with self._changed:
                self._threads -= 1
                lookup.threads -= 1
                # An old one that gave up says nothing while a younger one is at it.
                if addresses or not lookup.threads:
                    lookup.addresses, lookup.answered = addresses, answered
                    if self._under_way.get((host, port)) is lookup:
                        del self._under_way[host, port]
                    self._changed.notify_all()
