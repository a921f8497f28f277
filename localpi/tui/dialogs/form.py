"""A form: labelled lines with their help; ends with what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Select, Static

from localpi.tui.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from localpi.tui.index_keys import Field


class Form(Dialog[dict[str, str]]):
    """Fields with values; ends with key -> text of all of them. Enter goes on, and accepts at the last field."""

    def __init__(
        self, title: str, fields: Sequence[Field], values: Mapping[str, str] | None = None, *,
        yes: str = "Save", intro: str = "",
    ) -> None:  # fmt: skip
        super().__init__()
        self.title_shown = title
        self._fields, self._values = fields, values or {}
        self._yes, self._intro = yes, intro

    def inside(self) -> ComposeResult:
        """Put the fields above the buttons; they scroll where there is no room."""
        with VerticalScroll(classes="scroll", can_focus=False):
            if self._intro:
                yield Static(self._intro, classes="text intro", markup=False)
            for field in self._fields:
                with Vertical(classes="field"):
                    yield Static(field.label, classes="label", markup=False)
                    yield self._widget(field)
                    yield Static(field.help, classes="help", markup=False)
        yield self.buttons(self._yes)

    def on_mount(self) -> None:
        """Show the first label too, which focus alone would leave above the frame."""
        self.call_after_refresh(self.query_one(VerticalScroll).scroll_home, animate=False)

    def on_input_submitted(self) -> None:
        """Go on to the next field, or accept."""
        last = self.query_one(f"#field-{self._fields[-1].key}")
        if self.focused is last:
            self.accept()
        else:
            self.focus_next()

    def accept(self) -> None:
        """End with the texts, unless one is missing."""
        found = {field.key: self._value(field) for field in self._fields}
        missing = next((field for field in self._fields if field.needed and not found[field.key]), None)
        if missing is not None:
            self.object_to(f"{missing.label} is needed.")
            self.query_one(f"#field-{missing.key}").focus()
            return
        self.end(found)

    def _widget(self, field: Field) -> Input | Select[str]:
        value, name = self._values.get(field.key, field.default), f"field-{field.key}"
        if not field.choices:
            return Input(value, id=name, password=field.secret, select_on_focus=False)
        words = [(word or "not set", word) for word in field.choices]
        chosen = value if value in field.choices else field.choices[0]
        return Select(words, value=chosen, allow_blank=False, id=name, compact=True)

    def _value(self, field: Field) -> str:
        widget = self.query_one(f"#field-{field.key}")
        if isinstance(widget, Input):
            return widget.value if field.secret else widget.value.strip()
        return str(widget.value) if isinstance(widget, Select) else ""
