"""The log: requests and events as they happen."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Input

from localpi.reports import plural
from localpi.tui import wording
from localpi.tui.app import bindings_of
from localpi.tui.place import NothingSelected, Place
from localpi.tui.widgets.row import Column, Row
from localpi.tui.widgets.rows import Rows
from localpi.tui.widgets.search import Search

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult

    from localpi.tui.desk import LogChunk, LogLine

KEPT = 5000
"""Lines; older ones are in the file."""
AGAIN_S = 1.0

TONES: dict[str, wording.Tone] = {"WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad", "DEBUG": "dim"}


class Log(Place):
    """A table of lines that goes on at its end."""

    group = "log"
    BINDINGS = bindings_of("log")

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[tuple[int, LogLine]] = deque(maxlen=KEPT)
        self._count = 0
        self._position = -1
        self.paused = False
        self.problems = False

    def middle(self) -> ComposeResult:
        """Put the filter above the lines."""
        with Vertical(classes="panel", id="log-panel") as panel:
            panel.border_title = "Log"
            yield Search("Filter: / and a part of the line")
            yield Rows(
                Column("time", 8), Column("level", 8), Column("room", 12, drop_below=100), Column("text"), id="lines",
                empty="No line yet: pip install something.",
            )  # fmt: skip

    def on_mount(self) -> None:
        """Go on reading while this is on screen."""
        self.query_one("#lines", Rows).focus()
        self.set_interval(AGAIN_S, self._go_on)

    def on_input_changed(self) -> None:
        """Filter as a person types."""
        self.show()

    async def load(self) -> None:
        """Read on from where the last reading ended."""
        chunk: LogChunk = await self.ask(self.room.desk.log.log_lines, self._position)
        self._position = chunk.position
        for line in chunk.lines:
            self._count += 1
            self._lines.append((self._count, line))
        if chunk.lines or not self.query_one("#lines", Rows).rows:
            self.show()

    def show(self) -> None:
        """Draw what the filter leaves; at the end the cursor stays at the end."""
        rows = self.query_one("#lines", Rows)
        at_end = not rows.rows or rows.cursor == len(rows.rows) - 1
        needle = self.query_one(Input).value.strip().lower()
        now = self.room.now()
        found = [
            (number, line)
            for number, line in self._lines
            if (not self.problems or line.level not in {"INFO", "DEBUG"})
            and (not needle or needle in f"{line.level} {line.room} {line.text}".lower())
        ]
        note = "No line is like that." if self._lines else None
        rows.show([_line(number, line, now) for number, line in found], note=note)
        if at_end and not self.paused:
            rows.action_move(len(rows.rows))
        self.say_state()

    def say_state(self) -> None:
        """Say in the frame whether it goes on, and what is shown."""
        panel = self.query_one("#log-panel")
        panel.border_subtitle = " · ".join(
            [plural(len(self.query_one("#lines", Rows).rows), "line")]
            + ["problems only"] * self.problems
            + ["paused: space goes on" if self.paused else "live"]
        )

    def selected(self) -> LogLine:
        """Return the line under the cursor; raises NothingSelected."""
        key = self.query_one("#lines", Rows).key
        found = next((line for number, line in self._lines if str(number) == key), None)
        if found is None:
            raise NothingSelected("a line")
        return found

    def _go_on(self) -> None:
        if self.is_current and not self.paused:
            self.reload()


_REQUEST = re.compile(r"(?:(?P<who>\S+) )?(?P<what>[A-Z]+ /\S*) (?P<status>\d{3}) \S+ (?P<took>\d+ ms)")
_STORED = re.compile(r"/\+[ef]/[^ ]*/(?=[^/ ]+$)")


def request_words(text: str) -> tuple[str, wording.Tone]:
    """Return how a line reads on a screen: of a request the status first, of a file's path what tells it from others.

    A person at this machine asks by 127.0.0.1, which says nothing; whoever else asks is named.
    """
    found = _REQUEST.fullmatch(text)
    if found is None:
        return text, ""
    who = "" if found["who"] in {None, "127.0.0.1", "::1"} else f", {found['who']}"
    said = f"{found['status']} {_STORED.sub('/…/', found['what'])}  {found['took']}{who}"
    return said, "warn" if found["status"] >= "400" else ""


def _line(number: int, line: LogLine, now: datetime) -> Row:
    found = wording.parse_time(line.at)
    at = f"{found.astimezone(now.tzinfo):%H:%M:%S}" if found else wording.clock(line.at, now)
    tone = TONES.get(line.level, "")
    text, own = request_words(line.text)
    cells: tuple[str | tuple[str, wording.Tone], ...] = (
        (at, "dim"), (line.level.lower(), tone or "dim"), (line.room, "dim"), (text, tone or own),
    )  # fmt: skip
    return Row(str(number), cells)
