"""First run: from a bare machine to one that installs through localpi, step by step; each may be skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Footer, Static

from localpi.tui.app import explain
from localpi.tui.deeds.first_run import STEPS
from localpi.tui.place import NotForThis, Place
from localpi.tui.wording import plain

if TYPE_CHECKING:
    from textual.app import ComposeResult

WELCOME = (
    "A package index of your own: what you install once installs again, at once and without a network. Five steps set "
    "it up; each can be skipped."
)
MARKS = {"waiting": ("○", "dim"), "now": ("▶", "$text-accent bold"), "busy": ("…", "$text-warning"),
         "done": ("●", "$text-success"), "skipped": ("-", "dim"), "failed": ("✗", "$text-error")}  # fmt: skip


@dataclass(slots=True)
class Progress:
    """How far a step has come, and what came out."""

    state: str = "waiting"
    said: str = ""


class StepLine(Vertical):
    """A step: its mark, its title, and below it what it is for or what came of it."""

    def __init__(self, name: str) -> None:
        super().__init__(id=f"step-{name}", classes="step")

    def compose(self) -> ComposeResult:
        """Make both lines."""
        yield Static("", classes="title", markup=False)
        yield Static("", classes="said", markup=False)

    def show(self, title: str, about: str, progress: Progress) -> None:
        """Draw it."""
        mark, style = MARKS[progress.state]
        head = Content.assemble((f"{mark}  ", style), (title, "dim" if progress.state == "waiting" else "bold"))
        self.query_one(".title", Static).update(head)
        said = self.query_one(".said", Static)
        said.update("\n".join(plain(line) for line in (progress.said or about).splitlines()))
        said.set_classes(f"said {progress.state}")


class MouseButton(Button, can_focus=False):
    """A button for the mouse: one with the focus takes no second enter for a fifth of a second."""


class FirstRun(Place):
    """The steps, one of which is the next."""

    group = "first_run"
    BINDINGS: ClassVar = [
        Binding("enter,d", "do_it", "Do it"),
        Binding("s", "skip", "Skip"),
        Binding("escape,q", "leave", "Leave for the overview"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.progress = [Progress() for _ in STEPS]
        self.at = 0

    def compose(self) -> ComposeResult:
        """Put the steps above the buttons."""
        with Vertical(classes="panel", id="first-run") as panel:
            panel.border_title = "Welcome to localpi"
            yield Static(WELCOME, classes="text", markup=False)
            with VerticalScroll(can_focus=False):
                for step in STEPS:
                    yield StepLine(step.name)
            with Horizontal(classes="buttons"):
                yield MouseButton("Do it (enter)", id="do", variant="primary")
                yield MouseButton("Skip (s)", id="skip")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show the first step as the next."""
        self.progress[0].state = "now"
        self.show()

    async def load(self) -> None:
        """Nothing is read by itself here."""

    def and_reload(self, said: str, title: str = "") -> None:
        """Tell nothing: the step says it, and a notification would stand in front of the buttons."""

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do or skip the next step."""
        if event.button.id == "do":
            self.action_do_it()
        else:
            self.action_skip()

    def action_do_it(self) -> None:
        """Begin the next step; at the end, leave."""
        if self.at >= len(STEPS):
            self.action_leave()
        elif self.progress[self.at].state != "busy":
            self.begin(self._do_step, group="step")

    def action_skip(self) -> None:
        """Go on without it."""
        if self.at < len(STEPS) and self.progress[self.at].state != "busy":
            self._end_step("skipped", "skipped" + (f": {STEPS[self.at].later}" if STEPS[self.at].later else ""))

    def action_leave(self) -> None:
        """Go to the overview."""
        if self.is_current:
            self.dismiss(None)

    def show(self) -> None:
        """Draw all steps and the button of the next."""
        for step, progress in zip(STEPS, self.progress, strict=True):
            self.query_one(f"#step-{step.name}", StepLine).show(step.title, step.about, progress)
        done = self.at >= len(STEPS)
        self.query_one("#first-run").border_subtitle = "all done" if done else f"step {self.at + 1} of {len(STEPS)}"
        button = self.query_one("#do", Button)
        button.label = "To the overview (enter)" if done else f"{STEPS[self.at].button} (enter)"
        button.refresh(layout=True)
        self.query_one("#skip").display = not done
        if not done:
            self.query_one(f"#step-{STEPS[self.at].name}").scroll_visible(animate=False)

    async def _do_step(self) -> None:
        progress = self.progress[self.at]
        progress.state, progress.said = "busy", ""
        self.show()
        try:
            said = await STEPS[self.at].deed(self)
        except NotForThis as error:
            self._end_step("skipped", f"{error.message}: {error.hint}")
            return
        except Exception as error:  # noqa: BLE001 -- shown where the person looks
            title, reason, remedy = explain(error)
            progress.state, progress.said = "failed", f"{title}: {reason}\n→ {remedy}\nenter tries again, s skips"
            self.show()
            return
        if said is None:
            progress.state = "now"
            self.show()
        else:
            self._end_step("done", said)

    def _end_step(self, state: str, said: str) -> None:
        self.progress[self.at] = Progress(state, said)
        self.at += 1
        if self.at < len(STEPS):
            self.progress[self.at].state = "now"
        self.show()
