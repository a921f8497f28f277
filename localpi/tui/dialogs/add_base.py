"""Adding a mirror: the URL is tried before it is taken, and what was found stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Select, Static

from localpi.remote.told import CheckedBase, NewBase
from localpi.tui.app import LocalpiApp, explain
from localpi.tui.dialogs.dialog import Dialog
from localpi.tui.wording import plain
from localpi.tui.workers import start

if TYPE_CHECKING:
    from textual.app import ComposeResult

Wanted = tuple[NewBase, str, str]
"""The mirror, user and password ("" for none)."""

NONE = "no index"


class AddBase(Dialog[Wanted]):
    """URL, credentials, name, claims and the index that it goes in front of; enter tries the URL."""

    title_shown = "Add a base"

    def __init__(self, stages: tuple[str, ...], default: str, taken: frozenset[str], *, url: str = "") -> None:
        super().__init__()
        self._stages = (*sorted(stages, key=lambda name: name != default), NONE)
        self._taken, self._url = taken, url

    def inside(self) -> ComposeResult:
        """Put the fields above what was found and the buttons."""
        with VerticalScroll(classes="scroll", can_focus=False):
            yield from self._line("URL of its simple index", Input(self._url, id="url",
                                  placeholder="https://pypi.acme.example/simple/", select_on_focus=False))  # fmt: skip
            yield from self._line("User, if it wants one", Input(id="user"))
            yield from self._line("Password or token", Input(id="password", password=True))
            yield from self._line("Name", Input(id="name", placeholder="root/acme"))
            yield from self._line("Claims: names that are its alone", Input(id="claims", placeholder="acme-*"))
            stages = [(name, name) for name in self._stages]
            index = Select(stages, value=self._stages[0], allow_blank=False, id="index", compact=True)
            yield from self._line("In front of the bases of", index)
        yield Static("Enter in the URL tries it.", classes="found", markup=False)
        yield self.foot(
            Button("Try it", id="try"), Button("Cancel", id="refuse"), Button("Add", variant="primary", id="accept")
        )

    def on_mount(self) -> None:
        """Begin at the URL."""
        self.query_one("#url").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Try the URL, or go on."""
        if event.input.id in {"url", "password"}:
            start(self, "try", self._try, exclusive=True)
        else:
            self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Try; the other buttons are the dialog's own (Textual calls its handler as well)."""
        if event.button.id == "try":
            start(self, "try", self._try, exclusive=True)

    def accept(self) -> None:
        """End with the mirror, unless something is missing."""
        url, name = self._text("url"), self._text("name") or self._named(self._text("url"))
        trouble = ""
        if not url.startswith(("http://", "https://")):
            trouble = "A URL that begins with http:// or https:// is needed."
        elif name in self._taken:
            trouble = f"There is an index {name} already: give it another name."
        elif name.count("/") != 1:
            trouble = "The name is user/name, such as root/acme."
        if trouble:
            self.object_to(trouble)
            return
        index = str(self.query_one("#index", Select).value)
        claims = tuple(word.strip() for word in self._text("claims").split(",") if word.strip())
        base = NewBase(name, url, "" if index == NONE else index, claims)
        self.end((base, self._text("user"), self.query_one("#password", Input).value))

    async def _try(self) -> None:
        """Have the daemon look at the URL and show what it found."""
        url = self._text("url")
        if not url:
            return
        if not self._text("name"):
            self.query_one("#name", Input).value = self._named(url)
        shown = self.query_one(".found", Static)
        shown.update(f"Trying {plain(urlsplit(url).netloc.rpartition('@')[2])} …")
        self.object_to("")
        app = self.app
        if not isinstance(app, LocalpiApp):
            return
        try:
            password = self.query_one("#password", Input).value
            checked = await app.calls.long(app.desk.bases.check_base, url, self._text("user"), password)
        except Exception as error:  # noqa: BLE001 -- shown where the person looks
            title, reason, remedy = explain(error)
            shown.update(Content.assemble((f"○ {title}: ", "$text-warning"), plain(f"{reason} → {remedy}")))
            return
        shown.update(_found(checked))
        if checked.good and self._text("url") == url and "@" not in url:
            self.query_one("#url", Input).value = checked.url
        if checked.claims and not self._text("claims"):
            self.query_one("#claims", Input).value = ",".join(checked.claims)
        if checked.needs_credentials:
            self.query_one("#user").focus()

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _named(self, url: str) -> str:
        """Make a name of the first telling label of the host."""
        try:
            labels = (urlsplit(url).hostname or "").split(".")
        except ValueError:
            labels = []
        dull = {"www", "pypi", "simple", "index"}
        word = next((label for label in labels if label and not label.isdigit() and label not in dull), "mirror")
        name = f"root/{word}"
        tries = (name, *(f"{name}-{count}" for count in range(2, 100)))
        return next((found for found in tries if found not in self._taken), name)

    def _line(self, label: str, widget: Input | Select[str]) -> ComposeResult:
        with Vertical(classes="field tight"):
            yield Static(label, classes="label", markup=False)
            yield widget


def _found(checked: CheckedBase) -> Content:
    if checked.good:
        facts = "\n".join(f"  {plain(fact)}" for fact in checked.facts)
        return Content.assemble(("● It can be a base.\n", "$text-success"), facts)
    wants = " It wants user and password." if checked.needs_credentials else ""
    return Content.assemble(("○ ", "$text-error"), plain(checked.reason or "It is no simple index."), wants)
