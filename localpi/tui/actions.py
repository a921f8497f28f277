"""Every action there is: its id, keys, label, tooltip. Bindings, footer, palette and help are made of this table.

The id names what does it: `indexes.create_index` is the function `create_index` of `deeds/indexes.py`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person can do."""

    id: str
    key: str
    """Textual's names, several with commas."""
    label: str
    """For the footer: a word or two."""
    tooltip: str
    """A sentence, for help and palette."""
    group: str
    """The place where it can be done, or everywhere."""
    shown: bool = True
    """In the footer as well."""
    key_shown: str = ""
    """How the key is written, where Textual's way is not plain."""


def _action(group: str, name: str, key: str, label: str, tooltip: str, **more: str) -> Action:
    """Make a row; `hidden="yes"` keeps it out of the footer, `shows` says how the key is written."""
    return Action(f"{group}.{name}", key, label, tooltip, group, not more.get("hidden"), more.get("shows", ""))


ACTIONS: tuple[Action, ...] = (
    _action(EVERYWHERE, "go_overview", "1", "Overview", "See what works here and now.", hidden="yes"),
    _action(EVERYWHERE, "go_indexes", "2", "Indexes", "See indexes, projects, releases and files.", hidden="yes"),
    _action(EVERYWHERE, "go_bases", "3", "Bases", "See the mirrors and how they are doing.", hidden="yes"),
    _action(EVERYWHERE, "go_cache", "4", "Cache", "See what installs without a network.", hidden="yes"),
    _action(EVERYWHERE, "go_wiring", "5", "Wiring", "See which tools install from here.", hidden="yes"),
    _action(EVERYWHERE, "go_log", "6", "Log", "Watch requests and events as they happen.", hidden="yes"),
    _action(EVERYWHERE, "refresh", "f5,r", "Refresh", "Read everything on this screen again.", hidden="yes"),
    _action(EVERYWHERE, "copy_url", "c", "Copy URL", "Copy the index URL.", hidden="yes"),
    _action(EVERYWHERE, "start", "s", "Start daemon", "Start the daemon when it is not running.", hidden="yes"),
    _action(EVERYWHERE, "stop", "S", "Stop daemon", "Stop the daemon; running downloads may end first.", hidden="yes"),
    _action(EVERYWHERE, "setup", "f2", "First steps", "Walk through start, base, pip and service.", hidden="yes"),
    _action(EVERYWHERE, "toggle_light", "f3", "Light/dark", "Change between light and dark.", hidden="yes"),
    _action(EVERYWHERE, "help", "question_mark,f1", "Help", "Show every key.", shows="?"),
    _action(EVERYWHERE, "leave", "q", "Quit", "Leave; the daemon goes on."),
    _action("overview", "install_service", "i", "Install service", "Have the daemon started at login."),
    _action("overview", "remove_service", "I", "Remove service", "Start it at login no longer.", hidden="yes"),
    _action("overview", "wire_pip", "w", "Wire pip", "Have pip install from here; the diff is shown first."),
    _action("indexes", "search", "slash", "Search", "Filter the projects as you type.", shows="/"),
    _action("indexes", "create_index", "n", "New", "Create an index."),
    _action("indexes", "edit_index", "e", "Edit", "Change the settings of the selected index."),
    _action("indexes", "delete_index", "D", "Delete index", "Delete the selected index with its files.", hidden="yes"),
    _action("indexes", "base_up", "ctrl+up", "Base up", "Ask the selected base earlier.", hidden="yes"),
    _action("indexes", "base_down", "ctrl+down", "Base down", "Ask the selected base later.", hidden="yes"),
    _action("indexes", "resolution", "o", "Resolution", "Change between first and merge.", hidden="yes"),
    _action("indexes", "details", "d", "Details", "Show metadata and description of the selected release."),
    _action("indexes", "upload", "u", "Upload", "Upload a wheel or sdist to the selected index."),
    _action("indexes", "push", "p", "Push", "Copy the selected release to another index."),
    _action("indexes", "yank", "y", "Yank", "Yank the selected release, or take the yank back."),
    _action("indexes", "remove", "x", "Remove", "Remove the selected release."),
    _action("indexes", "remove_project", "X", "Remove project", "Remove all releases.", hidden="yes"),
    _action("indexes", "why", "W", "Why", "Explain where the selected project comes from.", hidden="yes"),
    _action("bases", "add_base", "n", "Add", "Add a mirror; its URL is tried first."),
    _action("bases", "edit_base", "e", "Edit", "Change the settings of the selected mirror."),
    _action("bases", "test_base", "t", "Test now", "Ask the selected base whether it is there."),
    _action("bases", "offline", "o", "Offline", "Change the selected base: auto, on (never contact), off (always)."),
    _action("bases", "claims", "l", "Claims", "Say which names belong to the selected base alone."),
    _action("bases", "credentials", "p", "Password", "Set user and password for the selected base."),
    _action("bases", "collisions", "k", "Collisions", "Show names that several mirrors have.", hidden="yes"),
    _action("bases", "remove_base", "x", "Remove", "Remove the selected mirror."),
    _action("cache", "search", "slash", "Search", "Filter the projects as you type.", shows="/"),
    _action("cache", "sort", "o", "Sort", "Sort by size, last use, name or pin."),
    _action("cache", "pin", "p", "Pin", "Keep the selected project whatever the budget, or let go of it."),
    _action("cache", "evict", "x", "Evict", "Take the files of the selected project out of the cache."),
    _action("cache", "verify", "v", "Verify", "Hash every file again and see that it is what it was."),
    _action("cache", "budget", "b", "Budget", "Say how much the cache may take."),
    _action("wiring", "wire", "w", "Wire", "Have the selected tool install from here; the diff is shown first."),
    _action("wiring", "unwire", "x", "Unwire", "Take it back; the diff is shown first."),
    _action("wiring", "diff", "d", "Diff", "Show what wiring the selected tool would change."),
    _action("wiring", "container", "t", "Container", "Show the text for a container, CI job or server."),
    _action("log", "search", "slash", "Filter", "Filter the lines as you type.", shows="/"),
    _action("log", "pause", "space", "Pause", "Stop the lines where they are, or let them go on."),
    _action("log", "problems", "w", "Problems", "Show warnings and errors alone, or all."),
    _action("log", "why", "enter", "Why", "Explain the selected line."),
    _action("log", "copy_line", "y", "Copy line", "Copy the selected line."),
)  # fmt: skip

PLACES = ("overview", "indexes", "bases", "cache", "wiring", "log")


def of_group(group: str) -> tuple[Action, ...]:
    """Return the actions of a place, or those of everywhere."""
    return tuple(action for action in ACTIONS if action.group == group)


def offers(screen: object, action: str) -> bool:
    """Say whether an action, by its id, makes sense on a screen now; those without an opinion offer all."""
    asked = getattr(screen, "offers", None)
    return asked is None or bool(asked(action))
