"""One of a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from localpi.tui.dialogs.dialog import Dialog
from localpi.tui.wording import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class Choose(Dialog[str]):
    """A list to choose from; ends with the word that was chosen."""

    def __init__(self, title: str, words: Sequence[tuple[str, str]], *, intro: str = "", now: str = "") -> None:
        """Take `words` as (word, what it means) pairs; the cursor begins at `now`."""
        super().__init__()
        self.title_shown = title
        self._words, self._intro, self._now = words, intro, now

    def inside(self) -> ComposeResult:
        """Put the reason above the list."""
        if self._intro:
            yield Static(self._intro, classes="text", markup=False)
        wide = max((len(word) for word, _ in self._words), default=0)
        shown = [Option(plain(f"{word:<{wide}}  {meaning}").rstrip(), id=f"w{at}")
                 for at, (word, meaning) in enumerate(self._words)]  # fmt: skip
        yield OptionList(*shown, markup=False)

    def on_mount(self) -> None:
        """Begin at what is so now."""
        words = [word for word, _ in self._words]
        self.query_one(OptionList).highlighted = words.index(self._now) if self._now in words else 0

    def accept(self) -> None:
        """End with the word under the cursor."""
        self.query_one(OptionList).action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """End with the word."""
        self.end(self._words[event.option_index][0])
