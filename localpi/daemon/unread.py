"""What is in memory for clients that do not read: bounded, by letting the longest silent of them go.

A body that many answers share counts once, as it is in memory once; files on disk do not count.
"""

from __future__ import annotations

import io
import logging
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from localpi.daemon.channel import Channel

logger = logging.getLogger(__name__)

MOST = 256 << 20
SILENT_S = 1.0
"""Who took something within this time is reading."""


def close_unread(channels: Iterable[Channel], now: float) -> None:
    """Close clients that take nothing, until what is held for all of them is at most MOST bytes; `now` is time.time.

    60 of them with a page of 31 MB each had made the process as large as 1.3 GB.
    """
    sizes: dict[int, int] = {}
    holders: Counter[int] = Counter()
    held_by: list[tuple[Channel, tuple[int, ...]]] = []
    for channel in channels:
        if channel.total_outbufs_len and (found := dict(_held(channel))):
            sizes |= found
            holders.update(found.keys())
            held_by.append((channel, tuple(found)))
    total = sum(sizes.values())
    if total <= MOST:
        return
    closed = 0
    for channel, bodies in sorted(held_by, key=lambda each: float(each[0].last_activity)):
        if total <= MOST or now - channel.last_activity < SILENT_S:
            break
        channel.handle_close()
        closed += 1
        holders.subtract(bodies)
        total -= sum(sizes[body] for body in bodies if not holders[body])
    if closed:
        logger.warning("%d clients did not read their answers, which filled the memory: connections closed", closed)


def _held(channel: Channel) -> Iterator[tuple[int, int]]:
    """Yield identity and bytes of each piece of memory that is kept for what this client has not read."""
    for buffer in tuple(channel.outbufs):
        file = getattr(buffer, "file", None)
        if type(file) is io.BytesIO and not file.closed:
            body = file.getvalue()
            yield id(body), len(body)
        elif file is None and not getattr(buffer, "overflowed", False):
            yield id(buffer), int(buffer.__len__())
