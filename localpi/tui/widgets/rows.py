"""A table that draws the rows on screen alone: ten thousand cost what twenty do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from localpi.tui.wording import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from localpi.tui.widgets.row import Column, Row
    from localpi.tui.wording import Tone


class Rows(ScrollView, can_focus=True):
    """Rows with a cursor. Says `Moved` when the cursor comes to another row, `Chosen` at a second click."""

    DEFAULT_CSS = """
    Rows { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden; background: transparent; }
    Rows > .rows--head { color: $text-muted; text-style: bold; }
    Rows > .rows--cursor { background: $panel-lighten-1; }
    Rows.quiet > .rows--cursor { background: $surface; }
    Rows:focus > .rows--cursor { background: $primary; color: $text; text-style: bold; }
    Rows > .rows--good { color: $text-success; }
    Rows > .rows--warn { color: $text-warning; }
    Rows > .rows--bad { color: $text-error; }
    Rows > .rows--dim { color: $text-muted; }
    Rows > .rows--strong { text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--head", "rows--cursor", "rows--good", "rows--warn", "rows--bad", "rows--dim", "rows--strong",
    }  # fmt: skip
    BINDINGS: ClassVar = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000000)", show=False),
        Binding("end", "move(1000000000)", show=False),
    ]

    cursor: reactive[int] = reactive(0, init=False)

    @dataclass
    class Moved(Message):
        """The cursor stands on another row."""

        rows: Rows
        key: str

        @property
        def control(self) -> Rows:
            """For `@on` with a selector."""
            return self.rows

    @dataclass
    class Chosen(Message):
        """The row with the cursor was clicked again."""

        rows: Rows
        key: str

        @property
        def control(self) -> Rows:
            """As above."""
            return self.rows

    def __init__(
        self, *columns: Column, id: str | None = None, classes: str | None = None, empty: str = "Nothing here."  # noqa: A002 -- Textual's
    ) -> None:  # fmt: skip
        super().__init__(id=id, classes=classes)
        self.columns = columns
        self.rows: tuple[Row, ...] = ()
        self.note = "Loading …"
        self._empty = empty
        self._announced: str | None = None
        self._wide: tuple[int, ...] = tuple(column.width for column in columns)

    @property
    def head(self) -> int:
        """Lines that the head takes: it has one unless no column has a title."""
        return int(any(column.title for column in self.columns))

    @property
    def key(self) -> str | None:
        """The key of the row with the cursor."""
        return self.rows[self.cursor].key if self.rows else None

    def show(self, rows: Sequence[Row], *, note: str | None = None) -> None:
        """Show other rows; the cursor stays with its key. `note` stands there when there are none."""
        before = self.key
        self.rows = tuple(rows)
        self._wide = tuple(self._fitting(at, column) if column.fit else column.width
                           for at, column in enumerate(self.columns))  # fmt: skip
        self.note = self._empty if note is None else note
        self.virtual_size = Size(max(1, self.size.width), len(self.rows) + self.head)
        position = next((at for at, row in enumerate(self.rows) if row.key == before), None)
        wanted = min(self.cursor, len(self.rows) - 1) if position is None else position
        self.set_reactive(Rows.cursor, max(0, wanted))
        if before is None or self.key != before:
            self._reveal()
        self._announce()
        self.refresh()

    def select(self, key: str) -> None:
        """Put the cursor on the row of a key, if there is one."""
        found = next((at for at, row in enumerate(self.rows) if row.key == key), None)
        if found is not None:
            self.cursor = found

    def action_move(self, by: int) -> None:
        """Move the cursor, to the ends at most."""
        self.cursor = max(0, min(self.cursor + by, len(self.rows) - 1))

    def action_page(self, by: int) -> None:
        """Move the cursor by what is on screen."""
        self.action_move(by * max(1, self.size.height - self.head - 1))

    def watch_cursor(self) -> None:
        """Bring it on screen and say so."""
        self._reveal()
        self._announce()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the window: the head stays, the rows move below it."""
        width = self.size.width
        if y < self.head:
            cells = tuple(column.title for column in self.columns)
            return self._line(cells, width, self.get_component_rich_style("rows--head"))
        at = y - self.head + self.scroll_offset.y
        if not self.rows:
            style = self.rich_style + self.get_component_rich_style("rows--dim")
            text = self._note_line(y - self.head, width)
            return Strip([Segment(set_cell_size(text, width), style)], width)
        if at >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        under = self.get_component_rich_style("rows--cursor") if at == self.cursor else None
        return self._line(self.rows[at].cells, width, under)

    def _note_line(self, line: int, width: int) -> str:
        words, lines = self.note.split(" "), [" "]
        for word in words:
            if cell_len(lines[-1]) + cell_len(word) >= width - 1:
                lines.append(" ")
            lines[-1] += ("" if lines[-1] == " " else " ") + word
        return lines[line] if line < len(lines) else ""

    async def _on_click(self, event: events.Click) -> None:
        at = event.y - self.head + self.scroll_offset.y
        if event.y < self.head or not 0 <= at < len(self.rows):
            return
        if at == self.cursor and event.chain > 1:
            self.post_message(self.Chosen(self, self.rows[at].key))
        self.cursor = at

    def _on_resize(self) -> None:
        self.virtual_size = Size(max(1, self.size.width), len(self.rows) + self.head)
        self._reveal()

    def _announce(self) -> None:
        if self.key != self._announced:
            self._announced = self.key
            if self.key is not None:
                self.post_message(self.Moved(self, self.key))

    def _reveal(self) -> None:
        """Scroll so that the cursor is not under the head and not below the window."""
        shown = max(1, self.size.height - self.head)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + shown:
            self.scroll_to(y=self.cursor - shown + 1, animate=False, force=True)

    def _widths(self, width: int) -> tuple[int, ...]:
        """Return the width of each column, 0 for one that is left out; a space stands between two."""
        kept = [width >= column.drop_below for column in self.columns]
        free = (
            width
            - 1
            - sum(
                wide + _gap(column) for column, wide, stays in zip(self.columns, self._wide, kept, strict=True) if stays
            )
        )
        flexible = sum(not wide for wide, stays in zip(self._wide, kept, strict=True) if stays) or 1
        return tuple((wide or max(4, free // flexible)) if stays else 0
                     for wide, stays in zip(self._wide, kept, strict=True))  # fmt: skip

    def _fitting(self, at: int, column: Column) -> int:
        cells = (row.cells[at] for row in self.rows if len(row.cells) > at)
        longest = max((cell_len(cell if isinstance(cell, str) else cell[0]) for cell in cells), default=0)
        return max(column.width, min(column.fit, longest))

    def _line(self, cells: Sequence[str | tuple[str, Tone]], width: int, under: Style | None) -> Strip:
        ground = self.rich_style + (under or Style.null())
        segments = [Segment(" ", ground)]
        for column, wide, cell in zip(self.columns, self._widths(width), cells, strict=False):
            if not wide:
                continue
            text, tone = (cell, "") if isinstance(cell, str) else cell
            style = ground
            if tone and not (under and self.has_focus and tone != "strong"):
                own = self.get_component_rich_style(f"rows--{tone}")
                style = ground + Style(color=own.color, bold=own.bold)
            segments.append(Segment(_cut(plain(text), wide, right=column.right) + " " * _gap(column), style))
        return Strip(segments).adjust_cell_length(width, ground)


def _gap(column: Column) -> int:
    """Return the cells behind a column: what stands at its right end would touch the next one."""
    return 2 if column.right else 1


def _cut(text: str, width: int, *, right: bool) -> str:
    """Return a text in exactly so many cells; what does not fit ends in …."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…"
    return " " * (width - length) + text if right else text + " " * (width - length)
