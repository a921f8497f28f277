"""Help: every key of this place and of everywhere, from the registry."""

from __future__ import annotations

from textual.content import Content

from localpi.tui.actions import EVERYWHERE, Action, of_group, offers
from localpi.tui.dialogs.shown import Shown

NAMES = {"slash": "/", "question_mark": "?", "space": "space", "ctrl+up": "ctrl ↑", "ctrl+down": "ctrl ↓"}


class Keys(Shown):
    """The table of keys."""

    def __init__(self, group: str, place: object = None) -> None:
        here = [action for action in of_group(group) if offers(place, action.id)]
        parts = [Content.styled(group.capitalize(), "bold"), *map(_line, here), Content("")] if here else []
        parts += [Content.styled("Everywhere", "bold"), *map(_line, of_group(EVERYWHERE))]
        parts += [_row("ctrl+p", "Find any of these by typing a part of its name."),
                  _row("ctrl+s", "Accept a dialog from any of its fields; escape leaves it."),
                  _row("tab", "Go to the next panel; arrows, page up and down, home and end move in it.")]  # fmt: skip
        super().__init__("Keys", Content("\n").join(parts))


def _line(action: Action) -> Content:
    keys = " ".join(NAMES.get(key, key) for key in action.key.split(","))
    return _row(keys, action.tooltip)


def _row(keys: str, text: str) -> Content:
    return Content.assemble((f"  {keys:<11}", "$text-accent bold"), text)
